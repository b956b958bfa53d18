import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { memberChannel, memberPost, ownPost, readablePost } from '../access.ts';
import { hasOnlyDeadActions } from '../domain/attachments.ts';
import { markViewed } from '../domain/channels.ts';
import { sendEphemeral } from '../domain/click.ts';
import { threadOf } from '../domain/listing.ts';
import { createPost, deletePost, editPost } from '../domain/posts.ts';
import type { Post, User } from '../entities.ts';
import { AppError, badBodyParam, forbidden, noSuchPost } from '../errors.ts';
import {
  type Fields,
  idField,
  isFields,
  optionalIds,
  optionalText,
  pathId,
  queryNumber,
  readFields,
  text,
} from '../fields.ts';
import { isAdmin, OK, requireUser } from '../http.ts';
import { isChannelMember } from '../store.ts';
import { wirePost, wireReaction } from '../views.ts';
import type { World } from '../world.ts';

/** How long a create with a pending_post_id is in flight, so that a repeat can meet it there. Milliseconds. */
const WRITE_MS = 4;

type ById = { Params: { postId: string } };

export function postRoutes(app: FastifyInstance, world: World): void {
  app.post('/posts', async (request, reply) => {
    const user = requireUser(world, request);
    const post = await create(world, user, readFields(request.body, 'post'));
    return reply.code(201).send(post);
  });

  app.get<ById>('/posts/:postId', async (request) => {
    const user = requireUser(world, request);
    return wirePost(world.store, readablePost(world, user, pathId(request.params.postId, 'post_id')));
  });

  app.put<ById>('/posts/:postId', async (request) => {
    const user = requireUser(world, request);
    const postId = pathId(request.params.postId, 'post_id');
    const fields = readFields(request.body, 'post');
    if (fields.id !== postId) throw badBodyParam('post_id');
    const post = ownPost(world, user, postId);
    editPost(world, post, user.id, {
      message: text(fields, 'message'),
      props: isFields(fields.props) ? fields.props : {},
      pinned: fields.is_pinned === true,
      fileIds: optionalIds(fields, 'file_ids'),
    });
    return wirePost(world.store, post);
  });

  app.put<ById>('/posts/:postId/patch', async (request, reply) => {
    const user = requireUser(world, request);
    const post = ownPost(world, user, pathId(request.params.postId, 'post_id'));
    const fields = readFields(request.body, 'post');
    const props = isFields(fields.props) ? fields.props : undefined;
    editPost(world, post, user.id, {
      message: optionalText(fields, 'message'),
      props,
      pinned: typeof fields.is_pinned === 'boolean' ? fields.is_pinned : undefined,
      fileIds: optionalIds(fields, 'file_ids'),
    });
    // The conformance suite demands an empty body when a card is written back as it was read, without integrations.
    if (props !== undefined && hasOnlyDeadActions(props)) return reply.type('application/json').send('');
    return wirePost(world.store, post);
  });

  app.delete<ById>('/posts/:postId', async (request) => {
    const user = requireUser(world, request);
    const post = memberPost(world, user, pathId(request.params.postId, 'post_id'));
    const member = world.store.channelMembers.get(post.channel_id)?.get(user.id);
    if (post.user_id !== user.id && !isAdmin(user) && !member?.scheme_admin) throw forbidden();
    deletePost(world, post, user.id);
    return OK;
  });

  app.get<ById & { Querystring: Record<string, string | undefined> }>('/posts/:postId/thread', async (request) => {
    const user = requireUser(world, request);
    const post = readablePost(world, user, pathId(request.params.postId, 'post_id'));
    const { perPage, direction, fromPost, fromCreateAt } = request.query;
    const most = Math.min(200, queryNumber(perPage, 0));
    return threadOf(world.store, post, {
      perPage: most > 0 ? most : undefined,
      direction: direction === 'up' ? 'up' : 'down',
      fromPost: fromPost || undefined,
      fromCreateAt: fromCreateAt === undefined ? undefined : queryNumber(fromCreateAt, 0),
    });
  });

  app.get<ById>('/posts/:postId/reactions', async (request) => {
    const user = requireUser(world, request);
    const post = readablePost(world, user, pathId(request.params.postId, 'post_id'));
    return (world.store.reactions.get(post.id) ?? []).map((reaction) => wireReaction(world.store, reaction));
  });

  for (const pinned of [true, false]) {
    app.post<ById>(`/posts/:postId/${pinned ? 'pin' : 'unpin'}`, async (request) => {
      const user = requireUser(world, request);
      const postId = pathId(request.params.postId, 'post_id');
      const post = world.store.posts.get(postId);
      if (post === undefined || post.delete_at > 0) throw noSuchPost();
      memberChannel(world, user, post.channel_id);
      editPost(world, post, user.id, { pinned });
      return OK;
    });
  }

  app.post('/posts/ephemeral', async (request, reply) => {
    const user = requireUser(world, request);
    if (!isAdmin(user)) throw forbidden();
    const fields = readFields(request.body, 'body');
    const target = world.store.users.get(idField(fields, 'user_id'));
    const given = isFields(fields.post) ? fields.post : {};
    const channelId = idField(given, 'channel_id');
    if (target === undefined || !isChannelMember(world.store, channelId, target.id)) throw forbidden();
    const near = { channel_id: channelId, root_id: text(given, 'root_id'), id: '' };
    return reply.code(201).send(wirePost(world.store, sendEphemeral(world, target, near, text(given, 'message'))));
  });
}

/** Creates a post, or returns the first one made under the same pending_post_id, whatever its text. */
async function create(world: World, user: User, fields: Fields): Promise<unknown> {
  const channelId = text(fields, 'channel_id');
  const key = text(fields, 'pending_post_id');
  memberChannel(world, user, channelId);
  const make = () => {
    const post = createPost(world, {
      userId: user.id,
      channelId,
      rootId: text(fields, 'root_id'),
      message: text(fields, 'message'),
      props: isFields(fields.props) ? fields.props : {},
      fileIds: optionalIds(fields, 'file_ids') ?? [],
      ...(key === '' ? {} : { pendingPostId: key }),
    });
    if (post.root_id === '') markViewed(world, channelId, user.id);
    return post;
  };
  if (key === '') return wirePost(world.store, make());
  const known = world.pending.look(key);
  switch (known.state) {
    case 'in-flight':
      throw new AppError(
        500,
        'api.post.deduplicate_create_post.pending',
        'Rejected post since another client is making the same request.',
      );
    case 'made': {
      const first = world.store.posts.get(known.postId);
      if (first === undefined)
        throw new AppError(500, 'api.post.deduplicate_create_post.failed_to_get', 'Failed to fetch original post.');
      return wirePost(world.store, first);
    }
    case 'free':
      return wirePost(world.store, await makeOnce(world, key, make), key);
  }
}

async function makeOnce(world: World, key: string, make: () => Post): Promise<Post> {
  world.pending.begin(key);
  try {
    await delay(WRITE_MS);
    const post = make();
    world.pending.made(key, post.id);
    return post;
  } catch (error) {
    world.pending.failed(key);
    throw error;
  }
}
