import type { Channel, Post } from '../entities.ts';
import { liveReplies, membersOf, userByName } from '../store.ts';
import { wirePost } from '../views.ts';
import type { World } from '../world.ts';

/**
 * Tells the members of a channel about a new post, its author included. `post` is a JSON string; `mentions` and
 * `followers` are there only for those concerned, and hold only the receiver's own id.
 */
export function publishPosted(world: World, channel: Channel, post: Post, pendingPostId: string): void {
  const author = world.store.users.get(post.user_id);
  const mentioned = mentionedIn(world, channel, post);
  const followers = followersOf(world, post);
  const images = post.file_ids.some((id) => world.store.files.get(id)?.mime_type.startsWith('image/'));
  world.hub.publish({
    event: 'posted',
    data: {
      channel_type: channel.type,
      channel_display_name: channel.display_name,
      channel_name: channel.name,
      sender_name: post.type.startsWith('system_') ? 'System' : `@${author?.username ?? ''}`,
      team_id: channel.team_id,
      set_online: true,
      ...(post.file_ids.length > 0 ? { otherFile: 'true' } : {}),
      ...(images ? { image: 'true' } : {}),
      post: JSON.stringify(wirePost(world.store, post, pendingPostId)),
    },
    dataFor: (userId) => ({
      ...(mentioned.has(userId) ? { mentions: JSON.stringify([userId]) } : {}),
      ...(followers.has(userId) ? { followers: JSON.stringify([userId]) } : {}),
    }),
    audience: { channelId: channel.id },
  });
}

function mentionedIn(world: World, channel: Channel, post: Post): Set<string> {
  const found = new Set<string>();
  if (post.type.startsWith('system_')) return found;
  const members = membersOf(world.store, channel.id);
  for (const [, name] of post.message.matchAll(/(?<![\w@])@([a-z0-9][a-z0-9._-]*)/gi)) {
    if (name === undefined) continue;
    if (['all', 'channel', 'here'].includes(name)) for (const id of members.keys()) found.add(id);
    const user = userByName(world.store, name) ?? userByName(world.store, name.replace(/[._-]+$/, ''));
    if (user !== undefined && members.has(user.id)) found.add(user.id);
  }
  found.delete(post.user_id);
  return found;
}

/** With collapsed threads on, a thread is followed by those who wrote in it. */
function followersOf(world: World, post: Post): Set<string> {
  const root = post.root_id === '' ? undefined : world.store.posts.get(post.root_id);
  if (root === undefined) return new Set();
  return new Set([root.user_id, ...liveReplies(world.store, root.id).map((reply) => reply.user_id)]);
}
