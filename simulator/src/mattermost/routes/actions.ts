import type { FastifyInstance } from 'fastify';
import { memberPost } from '../access.ts';
import { click } from '../domain/click.ts';
import { isEmoji } from '../domain/emoji.ts';
import { AppError, badBodyParam, forbidden, noSuchRoute } from '../errors.ts';
import { idField, pathId, readFields, text } from '../fields.ts';
import { OK, requireUser } from '../http.ts';
import { wireReaction } from '../views.ts';
import type { World } from '../world.ts';

/** Clicks and reactions: what people do to posts without writing. */
export function actionRoutes(app: FastifyInstance, world: World): void {
  app.post<{ Params: { postId: string; actionId: string } }>('/posts/:postId/actions/:actionId', async (request) => {
    const { postId, actionId } = request.params;
    // An id with a dash, an underscore or a dot can be posted, but no route leads to it.
    if (!/^[A-Za-z0-9]+$/.test(actionId) || !/^[A-Za-z0-9]+$/.test(postId)) throw noSuchRoute();
    const user = requireUser(world, request);
    const post = memberPost(world, user, pathId(postId, 'post_id'));
    const empty = !Buffer.isBuffer(request.body) || request.body.length === 0;
    const selected = empty ? '' : text(readFields(request.body, 'action'), 'selected_option');
    return { ...OK, trigger_id: await click(world, user, post, actionId, selected) };
  });

  app.post('/reactions', async (request) => {
    const user = requireUser(world, request);
    const fields = readFields(request.body, 'reaction');
    const userId = idField(fields, 'user_id');
    const postId = idField(fields, 'post_id');
    const name = text(fields, 'emoji_name');
    if (!/^[a-zA-Z0-9+_-]{1,64}$/.test(name)) throw badBodyParam('emoji_name');
    if (userId !== user.id) throw forbidden();
    const post = memberPost(world, user, postId);
    if (!isEmoji(name)) throw new AppError(404, 'app.emoji.get_by_name.no_result', 'We couldn’t find the emoji.');
    const all = world.store.reactions.get(postId) ?? [];
    const known = all.find((reaction) => reaction.user_id === userId && reaction.emoji_name === name);
    const at = world.now();
    const reaction = known ?? { user_id: userId, post_id: postId, emoji_name: name, create_at: at, update_at: at };
    if (known === undefined) world.store.reactions.set(postId, [...all, reaction]);
    post.update_at = at;
    const wire = wireReaction(world.store, reaction);
    world.hub.publish({
      event: 'reaction_added',
      data: { reaction: JSON.stringify(wire) },
      audience: { channelId: post.channel_id },
    });
    return wire;
  });

  app.delete<{ Params: { userId: string; postId: string; emoji: string } }>(
    '/users/:userId/posts/:postId/reactions/:emoji',
    async (request) => {
      const user = requireUser(world, request);
      const { userId, postId, emoji } = request.params;
      if (userId !== 'me' && userId !== user.id) throw forbidden();
      const post = memberPost(world, user, pathId(postId, 'post_id'));
      const all = world.store.reactions.get(post.id) ?? [];
      const gone = all.find((reaction) => reaction.user_id === user.id && reaction.emoji_name === emoji);
      if (gone === undefined) return OK;
      world.store.reactions.set(
        post.id,
        all.filter((reaction) => reaction !== gone),
      );
      post.update_at = world.now();
      const wire = { ...wireReaction(world.store, gone), update_at: post.update_at };
      world.hub.publish({
        event: 'reaction_removed',
        data: { reaction: JSON.stringify(wire) },
        audience: { channelId: post.channel_id },
      });
      return OK;
    },
  );
}
