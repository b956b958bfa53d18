import type { Channel, Post, Team, User } from './entities.ts';
import { AppError, forbidden, noSuchPost } from './errors.ts';
import { isAdmin } from './http.ts';
import { isChannelMember, isTeamMember } from './store.ts';
import type { World } from './world.ts';

/** The channel, if the user may read it: members, and for public channels the whole team. Errors: 404, 403. */
export function readableChannel(world: World, user: User, channelId: string): Channel {
  const channel = world.store.channels.get(channelId);
  if (channel === undefined) {
    throw new AppError(404, 'app.channel.get.existing.app_error', 'Unable to find the existing channel.');
  }
  if (!mayRead(world, user, channel)) throw forbidden();
  return channel;
}

export function mayRead(world: World, user: User, channel: Channel): boolean {
  if (isAdmin(user) || isChannelMember(world.store, channel.id, user.id)) return true;
  return channel.type === 'O' && isTeamMember(world.store, channel.team_id, user.id);
}

/** The channel, if the user is in it. What is unknown is as forbidden as what is foreign. Errors: 403. */
export function memberChannel(world: World, user: User, channelId: string): Channel {
  const channel = world.store.channels.get(channelId);
  if (channel === undefined) throw forbidden();
  if (!isAdmin(user) && !isChannelMember(world.store, channel.id, user.id)) throw forbidden();
  return channel;
}

/** A current post the user may read. Errors: 404, 403. */
export function readablePost(world: World, user: User, postId: string): Post {
  const post = world.store.posts.get(postId);
  if (post === undefined || post.delete_at > 0 || post.original_id !== '') throw noSuchPost();
  const channel = world.store.channels.get(post.channel_id);
  if (channel === undefined || !mayRead(world, user, channel)) throw forbidden();
  return post;
}

/** A post in a channel the user is in. A missing one is 403 like a foreign one. */
export function memberPost(world: World, user: User, postId: string): Post {
  const post = world.store.posts.get(postId);
  if (post === undefined || post.delete_at > 0 || post.original_id !== '') throw forbidden();
  memberChannel(world, user, post.channel_id);
  return post;
}

/** A post the user wrote. A missing or deleted one is 403, not 404. */
export function ownPost(world: World, user: User, postId: string): Post {
  const post = memberPost(world, user, postId);
  if (post.user_id !== user.id) throw forbidden();
  return post;
}

export function memberTeam(world: World, user: User, team: Team | undefined): Team {
  if (team === undefined) throw new AppError(404, 'app.team.get.find.app_error', 'Unable to find the existing team.');
  if (!isAdmin(user) && !isTeamMember(world.store, team.id, user.id)) throw forbidden();
  return team;
}

/** Resolves a user in a path, where "me" is the one who asks. */
export function pathUser(user: User, value: string | undefined): string {
  return value === 'me' ? user.id : (value ?? '');
}

/** For what one may do for oneself only. Errors: 403. */
export function selfOnly(user: User, userId: string): void {
  if (user.id !== userId && !isAdmin(user)) throw forbidden();
}
