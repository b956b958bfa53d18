import type { Channel, ChannelMember, ChannelType, User } from '../entities.ts';
import { AppError, badBodyParam } from '../errors.ts';
import { newId } from '../ids.ts';
import { channelByName, isTeamMember, membersOf } from '../store.ts';
import { wireChannel } from '../views.ts';
import { LIMITS, runes, type World } from '../world.ts';
import { systemPost } from './posts.ts';

export interface NewChannel {
  teamId: string;
  name: string;
  displayName: string;
  type: string;
  header?: string;
  purpose?: string;
  creatorId: string;
}

/** Creates a channel with its creator as admin. Errors: 400 for a bad or taken name; archived channels keep theirs. */
export function createChannel(world: World, given: NewChannel): Channel {
  if (given.displayName === '') throw badBodyParam('display_name');
  if (given.type !== 'O' && given.type !== 'P') throw invalid('type');
  checkTexts({ display_name: given.displayName, header: given.header, purpose: given.purpose });
  if (!/^[a-z0-9]+([a-z\-_0-9]+|(__)?)[a-z0-9]*$/.test(given.name)) throw invalid('1_or_more');
  // As recorded: the name passes the check of its letters, and the database then refuses its length.
  if (given.name.length > LIMITS.channelName) {
    throw new AppError(500, 'app.channel.create_channel.internal_error', 'Unable to save channel.');
  }
  if (channelByName(world.store, given.teamId, given.name)) {
    throw new AppError(
      400,
      'store.sql_channel.save_channel.exists.app_error',
      'A channel with that name already exists on the same team.',
    );
  }
  const channel = addChannel(world, { ...given, type: given.type });
  putMember(world, channel, given.creatorId, true);
  const audience = { userId: given.creatorId };
  world.hub.publish({ event: 'channel_created', data: { channel_id: channel.id, team_id: channel.team_id }, audience });
  const creator = world.store.users.get(given.creatorId);
  if (creator) joined(world, channel, creator);
  return channel;
}

/** A channel without members, as the default ones of a team are. */
export function addChannel(world: World, given: NewChannel & { type: ChannelType }): Channel {
  const at = world.now();
  const channel: Channel = {
    id: newId(),
    team_id: given.teamId,
    type: given.type,
    name: given.name,
    display_name: given.displayName,
    header: given.header ?? '',
    purpose: given.purpose ?? '',
    creator_id: given.creatorId,
    create_at: at,
    update_at: at,
    delete_at: 0,
    last_post_at: at,
    total_msg_count: 0,
    total_msg_count_root: 0,
  };
  world.store.channels.set(channel.id, channel);
  return channel;
}

/** Adds a user who must be in the team. Adding one who is in already changes nothing and is no error. */
export function addMember(world: World, channel: Channel, userId: string, byId: string): ChannelMember {
  const { store } = world;
  const user = store.users.get(userId);
  if (user === undefined || !isTeamMember(store, channel.team_id, userId)) {
    throw new AppError(
      404,
      'app.team.get_member.missing.app_error',
      'No team member found for that user ID and team ID.',
    );
  }
  const known = membersOf(store, channel.id).get(userId);
  if (known) return known;
  const member = putMember(world, channel, userId, false);
  world.hub.publish({
    event: 'user_added',
    data: { user_id: userId, team_id: channel.team_id },
    audience: { channelId: channel.id },
  });
  const by = store.users.get(byId);
  if (by === undefined || byId === userId) joined(world, channel, user);
  else {
    systemPost(
      world,
      channel.id,
      byId,
      'system_add_to_channel',
      `${user.username} added to the channel by ${by.username}.`,
      {
        userId: byId,
        username: by.username,
        addedUserId: userId,
        addedUsername: user.username,
      },
    );
  }
  return member;
}

export function removeMember(world: World, channel: Channel, userId: string, byId: string): void {
  const user = world.store.users.get(userId);
  if (!membersOf(world.store, channel.id).delete(userId) || user === undefined) return;
  const remover = { remover_id: byId };
  world.hub.publish({
    event: 'user_removed',
    data: { user_id: userId, ...remover },
    audience: { channelId: channel.id },
  });
  world.hub.publish({ event: 'user_removed', data: { channel_id: channel.id, ...remover }, audience: { userId } });
  if (userId === byId) {
    systemPost(world, channel.id, userId, 'system_leave_channel', `${user.username} left the channel.`, {
      username: user.username,
    });
  } else {
    systemPost(
      world,
      channel.id,
      byId,
      'system_remove_from_channel',
      `${user.username} was removed from the channel.`,
      {
        removedUserId: userId,
        removedUsername: user.username,
      },
    );
  }
}

export interface ChannelPatch {
  name?: string | undefined;
  displayName?: string | undefined;
  header?: string | undefined;
  purpose?: string | undefined;
}

/** Changes texts of a channel; each kind of change is a system message as well as one `channel_updated`. */
export function patchChannel(world: World, channel: Channel, by: User, patch: ChannelPatch): void {
  checkTexts({ display_name: patch.displayName, header: patch.header, purpose: patch.purpose });
  const old = { ...channel };
  channel.name = patch.name ?? channel.name;
  channel.display_name = patch.displayName ?? channel.display_name;
  channel.header = patch.header ?? channel.header;
  channel.purpose = patch.purpose ?? channel.purpose;
  channel.update_at = world.now();
  const { username } = by;
  const say = (what: 'header' | 'displayname' | 'purpose', before: string, after: string) => {
    if (before === after) return;
    const props = { username, [`old_${what}`]: before, [`new_${what}`]: after };
    systemPost(
      world,
      channel.id,
      by.id,
      `system_${what}_change`,
      `${username} updated the channel ${what} to: ${after}`,
      props,
    );
  };
  say('header', old.header, channel.header);
  say('displayname', old.display_name, channel.display_name);
  say('purpose', old.purpose, channel.purpose);
  publishUpdated(world, channel);
}

export function publishUpdated(world: World, channel: Channel): void {
  world.hub.publish({
    event: 'channel_updated',
    data: { channel: JSON.stringify(wireChannel(channel)) },
    audience: { channelId: channel.id },
  });
}

export function archiveChannel(world: World, channel: Channel, by: User): void {
  systemPost(world, channel.id, by.id, 'system_channel_deleted', `${by.username} archived the channel.`, {
    username: by.username,
  });
  channel.delete_at = world.now();
  channel.update_at = channel.delete_at;
  const data = { channel_id: channel.id, delete_at: channel.delete_at };
  const audience = channel.type === 'O' ? { teamId: channel.team_id } : { channelId: channel.id };
  world.hub.publish({ event: 'channel_deleted', data, audience });
}

/** Marks a channel as read. Only the reader's own connections are told, and it means nothing to a bot. */
export function markViewed(world: World, channelId: string, userId: string): Record<string, number> {
  const member = membersOf(world.store, channelId).get(userId);
  if (member === undefined) return {};
  member.last_viewed_at = world.now();
  const times = { [channelId]: member.last_viewed_at };
  world.hub.publish({ event: 'multiple_channels_viewed', data: { channel_times: times }, audience: { userId } });
  return times;
}

function putMember(world: World, channel: Channel, userId: string, admin: boolean): ChannelMember {
  const at = world.now();
  const member: ChannelMember = {
    channel_id: channel.id,
    user_id: userId,
    scheme_admin: admin,
    last_viewed_at: 0,
    last_update_at: at,
  };
  membersOf(world.store, channel.id).set(userId, member);
  return member;
}

function joined(world: World, channel: Channel, user: User): void {
  systemPost(world, channel.id, user.id, 'system_join_channel', `${user.username} joined the channel.`, {
    username: user.username,
  });
}

function checkTexts(texts: {
  display_name: string | undefined;
  header: string | undefined;
  purpose: string | undefined;
}): void {
  if (
    texts.display_name !== undefined &&
    (texts.display_name === '' || runes(texts.display_name) > LIMITS.displayName)
  ) {
    throw invalid('display_name');
  }
  if (runes(texts.header ?? '') > LIMITS.header) throw invalid('header');
  if (runes(texts.purpose ?? '') > LIMITS.purpose) throw invalid('purpose');
}

function invalid(what: string): AppError {
  return new AppError(400, `model.channel.is_valid.${what}.app_error`, `Invalid ${what.replace('_', ' ')}.`);
}
