import { postForReading } from './domain/attachments.ts';
import type { Channel, ChannelMember, FileInfo, Post, Reaction, Team, TeamMember, User } from './entities.ts';
import { liveReplies, type Store } from './store.ts';

/** A post as the wire has it; `pending_post_id` is only ever known in the reply to its creation and in its event. */
export interface WirePost {
  id: string;
  message: string;
  [field: string]: unknown;
}

/**
 * A post as any reader gets it, its author included: without integrations, and, if deleted or an earlier version,
 * without its text.
 */
export function wirePost(store: Store, post: Post, pendingPostId = ''): WirePost {
  const read = postForReading(post);
  const deleted = post.delete_at > 0;
  return {
    ...bare(store, read, pendingPostId),
    message: deleted ? '' : post.message,
    metadata: deleted ? {} : metadata(store, post),
  };
}

/** A post as `post_deleted` carries it: with its integrations, as servers from 6.0 on send it. */
export function unstrippedPost(store: Store, post: Post): WirePost {
  return { ...bare(store, post, ''), metadata: metadata(store, post) };
}

function bare(store: Store, post: Post, pendingPostId: string): WirePost {
  const { file_ids, ...rest } = post;
  return {
    ...rest,
    ...(file_ids.length > 0 ? { file_ids } : {}),
    ...((store.reactions.get(post.id) ?? []).length > 0 ? { has_reactions: true } : {}),
    pending_post_id: pendingPostId,
    remote_id: '',
    reply_count: liveReplies(store, post.root_id || post.id).length,
    last_reply_at: 0,
    participants: null,
  };
}

function metadata(store: Store, post: Post): Record<string, unknown> {
  const files = post.file_ids.flatMap((id) => store.files.get(id) ?? []);
  const reactions = store.reactions.get(post.id) ?? [];
  return {
    ...(files.length > 0 ? { files: files.map(wireFile) } : {}),
    ...(reactions.length > 0 ? { reactions: reactions.map((reaction) => wireReaction(store, reaction)) } : {}),
  };
}

export function wireReaction(store: Store, reaction: Reaction): Record<string, unknown> {
  return {
    ...reaction,
    delete_at: 0,
    remote_id: '',
    channel_id: store.posts.get(reaction.post_id)?.channel_id ?? '',
  };
}

export function wireFile(file: FileInfo): Record<string, unknown> {
  const { post_id, ...rest } = file;
  return { ...rest, ...(post_id === '' ? {} : { post_id }), mini_preview: null, remote_id: '', archived: false };
}

/** @param self the reader is that user: some fields are for nobody else. */
export function wireUser(user: User, self: boolean): Record<string, unknown> {
  return {
    id: user.id,
    create_at: user.create_at,
    update_at: user.update_at,
    delete_at: user.delete_at,
    username: user.username,
    auth_data: '',
    auth_service: '',
    email: user.email,
    nickname: user.nickname,
    first_name: user.first_name,
    last_name: user.last_name,
    position: '',
    roles: user.roles,
    ...(self ? { notify_props: NOTIFY_PROPS, last_password_update: user.create_at, email_verified: true } : {}),
    locale: 'en',
    timezone: { automaticTimezone: '', manualTimezone: '', useAutomaticTimezone: 'true' },
    ...(user.bot ? { is_bot: true, bot_description: user.bot.description, bot_last_icon_update: 0 } : {}),
    disable_welcome_email: false,
  };
}

const NOTIFY_PROPS = {
  channel: 'true',
  comments: 'never',
  desktop: 'mention',
  email: 'true',
  first_name: 'false',
  mention_keys: '',
  push: 'mention',
  push_status: 'away',
};

export function wireTeam(team: Team): Record<string, unknown> {
  return {
    ...team,
    email: '',
    type: 'O',
    company_name: '',
    allowed_domains: '',
    allow_open_invite: false,
    scheme_id: null,
    group_constrained: null,
    policy_id: null,
  };
}

export function wireTeamMember(member: TeamMember): Record<string, unknown> {
  return {
    ...member,
    roles: member.scheme_admin ? 'team_user team_admin' : 'team_user',
    delete_at: 0,
    scheme_guest: false,
    scheme_user: true,
    explicit_roles: '',
  };
}

export function wireChannel(channel: Channel): Record<string, unknown> {
  return {
    ...channel,
    extra_update_at: 0,
    scheme_id: null,
    props: null,
    group_constrained: null,
    shared: null,
    policy_id: null,
    last_root_post_at: channel.last_post_at,
  };
}

export function wireChannelMember(member: ChannelMember): Record<string, unknown> {
  return {
    ...member,
    roles: member.scheme_admin ? 'channel_user channel_admin' : 'channel_user',
    msg_count: 0,
    mention_count: 0,
    mention_count_root: 0,
    urgent_mention_count: 0,
    msg_count_root: 0,
    notify_props: {
      desktop: 'default',
      email: 'default',
      ignore_channel_mentions: 'default',
      mark_unread: 'all',
      push: 'default',
    },
    scheme_guest: false,
    scheme_user: true,
    explicit_roles: '',
  };
}
