/**
 * Posts that are made once. The store remembers when a post was first attempted, so that a retry knows whether the server
 * can still tell a repeat by its pending id, or whether the thread has to be read first.
 */
import { createHash } from 'node:crypto';
import { RetryableError, type StorePorts, TerminalError } from '../actors/index.ts';
import { ensurePost, isChatError, KEY_PROP, type MattermostRest, type Props } from '../adapters/mattermost/index.ts';
import type { Address } from '../machines/addresses.ts';
import type { Priority, RateGovernor } from './rateGovernor.ts';

export interface OncePost {
  /** Unique in the database. */
  readonly key: string;
  readonly owner: Address;
  readonly channelId: string;
  readonly rootId: string;
  readonly message: string;
  readonly props?: Props;
  /** Files that were uploaded for it. */
  readonly fileIds?: readonly string[];
}

export interface PostingPorts {
  readonly rest: MattermostRest;
  readonly store: StorePorts;
  readonly governor: RateGovernor;
  readonly botUserId: string;
  /** Makes pending ids unguessable. */
  readonly secret: string;
  readonly now: () => number;
  /**
   * Whether this process still leads. Asked last before each call: one that was cut off for a while would write what it
   * knew then over what the next leader has shown since.
   */
  readonly leads: () => boolean;
}

export interface Posting {
  /**
   * @param signal gives up while it has not been asked for yet
   * @returns the post's id, of the first attempt if there was one.
   */
  create(post: OncePost, priority: Priority, signal?: AbortSignal): Promise<string>;
  /**
   * Runs one call against the chat server in its turn; failures become the runtime's errors.
   * @param signal gives up while its turn has not come yet
   */
  call<Result>(priority: Priority, work: () => Promise<Result>, signal?: AbortSignal): Promise<Result>;
}

export function createPosting(ports: PostingPorts): Posting {
  const call = async <Result>(
    priority: Priority,
    work: () => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> => {
    await ports.governor.turn(priority, signal);
    if (!ports.leads()) throw new RetryableError('NOT_LEADING', 'This process does not lead any more');
    try {
      return await work();
    } catch (error) {
      throw translate(error, ports.governor);
    }
  };
  /** Posts that are being made, by key and by what they say. */
  const underWay = new Map<string, Promise<string>>();

  const make = async (post: OncePost, priority: Priority, signal: AbortSignal | undefined): Promise<string> => {
    const at = ports.now();
    const { key, channelId, rootId } = post;
    const known = await ports.store.reservePost({ key, session: post.owner, channelId, rootId, at });
    if (known?.postId) return known.postId;
    const ensure = () =>
      ensurePost(
        { rest: ports.rest, botUserId: ports.botUserId, secret: ports.secret, now: ports.now },
        {
          key,
          firstAttemptAt: known?.attemptAt ?? at,
          channelId,
          rootId,
          message: post.message,
          ...(post.props ? { props: post.props } : {}),
          ...(post.fileIds ? { fileIds: post.fileIds } : {}),
        },
      );
    const made = await call(priority, ensure, signal);
    // Made by an earlier attempt, it says what was to be said then.
    if (known && (made.message !== post.message || post.props)) {
      const props = post.props && { ...post.props, [KEY_PROP]: key };
      await call(priority, () => ports.rest.patchPost(made.id, { message: post.message, ...(props ? { props } : {}) }));
    }
    await ports.store.postCreated(key, made.id, contentHash(post.message, post.props));
    return made.id;
  };

  return {
    call,
    create(post, priority, signal) {
      // An attempt that took too long may still wait for its turn: the next one must not ask for another.
      const what = `${post.key} ${contentHash(post.message, post.props)}`;
      const known = underWay.get(what);
      if (known) return known;
      const made = make(post, priority, signal).finally(() => underWay.delete(what));
      underWay.set(what, made);
      return made;
    },
  };
}

/** Tells whether a post already says this. */
export function contentHash(message: string, props: Props | undefined): string {
  return createHash('sha256')
    .update(JSON.stringify([message, props ?? null]))
    .digest('hex');
}

function translate(error: unknown, governor: RateGovernor): unknown {
  if (!isChatError(error)) return error;
  const details = { cause: error, ...(error.human === undefined ? {} : { human: error.human }) };
  if (!error.retryable) return new TerminalError(error.code, error.message, details);
  if (error.retryAfterMs === undefined) return new RetryableError(error.code, error.message, details);
  governor.pause(error.retryAfterMs);
  return new RetryableError(error.code, error.message, { ...details, retryAfterMs: error.retryAfterMs });
}

/** The chat refuses the post itself, not the place or the bot: it will never take it as it is. */
export function isUnpostable(error: unknown): error is TerminalError {
  return error instanceof TerminalError && ['CHAT_REFUSED', 'CHAT_TOO_BIG', 'CHAT_TOO_LONG'].includes(error.code);
}

/** The post to change is not there (any more), is not ours, or is too old to be changed: it says what it says. */
export function isGone(error: unknown): boolean {
  return error instanceof TerminalError && (error.code === 'CHAT_POST_GONE' || error.code === 'CHAT_EDIT_WINDOW');
}
