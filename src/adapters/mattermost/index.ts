/** The chat server: its REST interface, its event stream, and what makes both safe to repeat. */
export { type CatchUpOptions, type CatchUpReport, type Cursor, catchUp } from './catchUp.ts';
export { type EnsurePostPorts, ensurePost, pendingPostId, type WantedPost } from './ensurePost.ts';
export { ChatError, type ChatErrorCode, isChatError } from './errors.ts';
export type { ChatEvent } from './events.ts';
export { type ChatPost, KEY_PROP, MAX_POST_LENGTH, postLength, threadOf } from './posts.ts';
export {
  createMattermostRest,
  type MattermostRest,
  type MattermostRestOptions,
  type NewChannel,
  type NewPost,
  type Props,
} from './rest.ts';
export type { ChatChannel, ChatFile, ChatReaction, ChatTeam, ChatUser, TeamMember } from './shapes.ts';
export {
  createMattermostSocket,
  type MattermostSocket,
  type MattermostSocketOptions,
  type SocketLog,
  type SocketState,
  type SocketStats,
} from './socket.ts';
export type { GapReason } from './stream.ts';
