import type {
  AccessToken,
  Category,
  Channel,
  ChannelMember,
  FileInfo,
  Post,
  Presence,
  Reaction,
  Team,
  TeamMember,
  User,
} from './entities.ts';

/** Everything the stand-in knows, in memory. Plain maps: whoever changes an entity changes it in place. */
export interface Store {
  users: Map<string, User>;
  /** By token value. */
  tokens: Map<string, AccessToken>;
  teams: Map<string, Team>;
  /** By `team_id/user_id`. */
  teamMembers: Map<string, TeamMember>;
  channels: Map<string, Channel>;
  /** By channel, then by user. */
  channelMembers: Map<string, Map<string, ChannelMember>>;
  /** All posts in the order they were made; rows of earlier versions included. */
  posts: Map<string, Post>;
  /** The same posts by channel, oldest first. */
  channelPosts: Map<string, Post[]>;
  /** Replies by root, oldest first; deleted ones included. */
  replies: Map<string, Post[]>;
  /** By post. */
  reactions: Map<string, Reaction[]>;
  files: Map<string, FileInfo>;
  fileContents: Map<string, Buffer>;
  /** By `user_id/team_id`, in the order of the sidebar. */
  categories: Map<string, Category[]>;
  presence: Map<string, Presence>;
}

export function createStore(): Store {
  return {
    users: new Map(),
    tokens: new Map(),
    teams: new Map(),
    teamMembers: new Map(),
    channels: new Map(),
    channelMembers: new Map(),
    posts: new Map(),
    channelPosts: new Map(),
    replies: new Map(),
    reactions: new Map(),
    files: new Map(),
    fileContents: new Map(),
    categories: new Map(),
    presence: new Map(),
  };
}

/** Files a post under its channel and its root. Posts must be added in the order they were made. */
export function addPost(store: Store, post: Post): void {
  store.posts.set(post.id, post);
  listOf(store.channelPosts, post.channel_id).push(post);
  if (post.root_id !== '' && post.original_id === '') listOf(store.replies, post.root_id).push(post);
}

export function membersOf(store: Store, channelId: string): Map<string, ChannelMember> {
  const known = store.channelMembers.get(channelId);
  if (known) return known;
  const members = new Map<string, ChannelMember>();
  store.channelMembers.set(channelId, members);
  return members;
}

export function isChannelMember(store: Store, channelId: string, userId: string): boolean {
  return store.channelMembers.get(channelId)?.has(userId) ?? false;
}

export function isTeamMember(store: Store, teamId: string, userId: string): boolean {
  return store.teamMembers.has(`${teamId}/${userId}`);
}

export function userByName(store: Store, username: string): User | undefined {
  const wanted = username.toLowerCase();
  for (const user of store.users.values()) if (user.username === wanted) return user;
  return undefined;
}

export function teamByName(store: Store, name: string): Team | undefined {
  for (const team of store.teams.values()) if (team.name === name) return team;
  return undefined;
}

/** The channel of that name, archived or not: a name stays taken when its channel is archived. */
export function channelByName(store: Store, teamId: string, name: string): Channel | undefined {
  for (const channel of store.channels.values()) {
    if (channel.team_id === teamId && channel.name === name) return channel;
  }
  return undefined;
}

export function liveReplies(store: Store, rootId: string): Post[] {
  return (store.replies.get(rootId) ?? []).filter((post) => post.delete_at === 0);
}

function listOf<T>(lists: Map<string, T[]>, key: string): T[] {
  const known = lists.get(key);
  if (known) return known;
  const list: T[] = [];
  lists.set(key, list);
  return list;
}
