/**
 * What can go wrong with the chat server, in this program's words. Everything the server, a proxy before it, the network
 * or the driver reports becomes a ChatError here and nowhere else.
 */
export type ChatErrorCode =
  /** 401: the token is wrong, revoked, expired, or its bot is disabled. Nothing works until a person mends it. */
  | 'CHAT_TOKEN'
  /** 403: the bot may not do this (not in the team, not in the channel, a missing permission). */
  | 'CHAT_FORBIDDEN'
  /** The post to edit or delete is gone, or is not ours. The server says 403 for both when editing. */
  | 'CHAT_POST_GONE'
  | 'CHAT_NOT_FOUND'
  /** The channel name is taken: by an open, an archived or a private channel. */
  | 'CHAT_CHANNEL_EXISTS'
  | 'CHAT_TOO_LONG'
  | 'CHAT_TOO_BIG'
  /** The thread's root is unknown, or lies in another channel. */
  | 'CHAT_BAD_ROOT'
  /** The server's setting forbids edits of messages this old. */
  | 'CHAT_EDIT_WINDOW'
  /** A create with the same pending id is still in flight on the server. */
  | 'CHAT_PENDING'
  | 'CHAT_RATE'
  | 'CHAT_SERVER'
  | 'CHAT_TIMEOUT'
  | 'CHAT_UNREACHABLE'
  /** An answer that is not what the server's interface promises: a proxy's page, a cut body, another shape. */
  | 'CHAT_GARBLED'
  /** The address answers with a redirect: it is not the server's own address. */
  | 'CHAT_REDIRECT'
  /** The caller gave up. */
  | 'CHAT_ABORTED'
  /** Any other 4xx: the request is wrong and would be wrong again. */
  | 'CHAT_REFUSED';

export interface ChatErrorInit {
  readonly code: ChatErrorCode;
  readonly message: string;
  /** What a person in the chat may be shown: cause and next step, no internals. */
  readonly human?: string | undefined;
  readonly retryable: boolean;
  /** HTTP status; 0 when there was none. */
  readonly status: number;
  readonly retryAfterMs?: number | undefined;
  /** The server's own error id, e.g. `api.context.permissions.app_error`. */
  readonly serverId?: string | undefined;
  readonly cause?: unknown;
}

export class ChatError extends Error {
  readonly code: ChatErrorCode;
  readonly human: string | undefined;
  readonly retryable: boolean;
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  readonly serverId: string | undefined;

  constructor(init: ChatErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = 'ChatError';
    this.code = init.code;
    this.human = init.human;
    this.retryable = init.retryable;
    this.status = init.status;
    this.retryAfterMs = init.retryAfterMs;
    this.serverId = init.serverId;
  }
}

export function isChatError(error: unknown, code?: ChatErrorCode): error is ChatError {
  return error instanceof ChatError && (code === undefined || error.code === code);
}

/** What was asked: `PUT /posts/abc/patch`. Never holds a token or a body. */
export interface Asked {
  readonly what: string;
  /** The request edits or deletes a post; a 403 or 404 then means that the post is gone or not ours. */
  readonly changesPost: boolean;
}

export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/**
 * Translates an answer that is not a success.
 *
 * The server's own errors are JSON `{id, message, status_code}`; `message` is localised, so only id and status count. Its
 * 429 is plain text. Anything else without an id comes from something in between, and that may pass.
 */
export function refusalError(asked: Asked, refusal: Refusal, now: number): ChatError {
  const { status } = refusal;
  const serverId = serverErrorId(refusal.body);
  const message = `${asked.what}: ${status}${serverId ? ` ${serverId}` : ''}`;
  const make = (code: ChatErrorCode, retryable: boolean, human?: string): ChatError =>
    new ChatError({ code, message, human, retryable, status, serverId, retryAfterMs: retryAfter(refusal, now) });

  if (status === 429) return make('CHAT_RATE', true, 'Mattermost asks us to slow down. It will be tried again.');
  if (serverId === 'api.post.deduplicate_create_post.pending') return make('CHAT_PENDING', true);
  if (status >= 500) return make('CHAT_SERVER', true, 'Mattermost has a problem of its own. It will be tried again.');
  if (status >= 300 && status < 400) {
    return make('CHAT_REDIRECT', false, 'SM_MATTERMOST_URL leads to a redirect; set it to the address it leads to.');
  }
  if (status === 413) return make('CHAT_TOO_BIG', false, 'That is more than Mattermost takes in one request.');
  if (serverId === undefined) return make('CHAT_GARBLED', true);
  if (status === 401)
    return make('CHAT_TOKEN', false, 'Mattermost does not accept the bot token. Check SM_MATTERMOST_TOKEN.');
  if (asked.changesPost && (status === 403 || status === 404)) {
    return make('CHAT_POST_GONE', false, 'That post no longer exists.');
  }
  if (status === 403) return make('CHAT_FORBIDDEN', false, 'Mattermost does not allow the bot to do this.');
  if (status === 404) return make('CHAT_NOT_FOUND', false);
  return make(codeOfId(serverId), false);
}

function codeOfId(id: string): ChatErrorCode {
  if (id.startsWith('store.sql_channel.save_channel.exists')) return 'CHAT_CHANNEL_EXISTS';
  // 11.x and 5.37 name the same refusal differently.
  if (id === 'model.post.is_valid.message_length.app_error' || id === 'model.post.is_valid.msg.app_error') {
    return 'CHAT_TOO_LONG';
  }
  if (id === 'api.context.request_body_too_large.app_error') return 'CHAT_TOO_BIG';
  if (id === 'api.post.create_post.root_id.app_error') return 'CHAT_BAD_ROOT';
  if (id.includes('permissions_time_limit')) return 'CHAT_EDIT_WINDOW';
  return 'CHAT_REFUSED';
}

function serverErrorId(body: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const id = 'id' in parsed ? parsed.id : undefined;
    return typeof id === 'string' && id !== '' ? id : undefined;
  } catch {
    return undefined;
  }
}

const LONGEST_WAIT_MS = 300_000;

/** `Retry-After` and `X-RateLimit-Reset` are seconds from now; some examples in the server's manual show an epoch. */
function retryAfter({ status, headers }: Refusal, now: number): number | undefined {
  if (status !== 429 && status !== 503) return undefined;
  for (const name of ['retry-after', 'x-ratelimit-reset']) {
    const value = headers[name];
    const seconds = Number(Array.isArray(value) ? value[0] : value);
    if (value === undefined || !Number.isFinite(seconds) || seconds < 0) continue;
    const ms = seconds > 1e9 ? seconds * 1000 - now : seconds * 1000;
    return Math.min(LONGEST_WAIT_MS, Math.max(0, ms));
  }
  return status === 429 ? 1000 : undefined;
}

/** Translates what the driver throws when no answer came. */
export function transportError(asked: Asked, cause: unknown, aborted: boolean): ChatError {
  const text = cause instanceof Error ? cause.message : String(cause);
  if (aborted) {
    return new ChatError({
      code: 'CHAT_ABORTED',
      message: `${asked.what}: given up`,
      retryable: false,
      status: 0,
      cause,
    });
  }
  const timedOut = /timeout/i.test(nameOf(cause)) || /timeout|aborted due to timeout/i.test(text);
  return new ChatError({
    code: timedOut ? 'CHAT_TIMEOUT' : 'CHAT_UNREACHABLE',
    message: `${asked.what}: ${timedOut ? 'no answer in time' : text || 'connection failed'}`,
    human: 'Mattermost could not be reached. It will be tried again.',
    retryable: true,
    status: 0,
    cause,
  });
}

function nameOf(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null) return '';
  const code = 'code' in cause ? String(cause.code) : '';
  const name = 'name' in cause ? String(cause.name) : '';
  return `${code} ${name}`;
}

/** A success by its status, but not an answer of the server. It may or may not have done what was asked. */
export function garbledError(asked: Asked, status: number, why: string): ChatError {
  return new ChatError({
    code: 'CHAT_GARBLED',
    message: `${asked.what}: ${status} with an unusable body (${why})`,
    human: 'Something between us and Mattermost answered in its place. It will be tried again.',
    retryable: true,
    status,
  });
}
