/**
 * Which sessions have a live stream right now, and how a request gets through it: sent, then answered by the worker's
 * InputAccepted or InputRefused. The worker does an input once, so sending again after a broken stream is safe.
 */
import { RetryableError, TerminalError } from '../../actors/index.ts';
import type { Address } from '../../machines/addresses.ts';
import type { InputRefused, SessionRequest } from './generated/claude_agent/v1/agent.ts';

type Request = NonNullable<SessionRequest['request']>;

/** One attached stream, as the registry sees it. */
export interface LiveStream {
  write(request: Request): void;
}

interface Waiter {
  accept(): void;
  refuse(refused: InputRefused): void;
  broken(): void;
}

export interface LinkRegistry {
  /** The stream is attached: requests may go. */
  opened(session: Address, stream: LiveStream): void;
  /** The stream is gone. Requests without an answer fail retryably. */
  closed(session: Address, stream: LiveStream): void;
  accepted(session: Address, inputId: string): void;
  refused(session: Address, refused: InputRefused): void;
  /**
   * Sends a request and resolves when the worker has taken it on.
   * @throws TerminalError when the worker refuses it; RetryableError when there is no stream or it breaks.
   */
  request(session: Address, inputId: string, request: Request, signal: AbortSignal): Promise<void>;
}

/** @param patienceMs how long a request waits for a stream before it is tried again later */
export function createLinkRegistry(patienceMs = 15_000): LinkRegistry {
  const streams = new Map<Address, LiveStream>();
  const waiters = new Map<string, Set<Waiter>>();
  const arrivals = new Map<Address, Set<() => void>>();

  const waitersOf = (session: Address, inputId: string) => waiters.get(`${session} ${inputId}`) ?? new Set<Waiter>();

  async function streamOf(session: Address, signal: AbortSignal): Promise<LiveStream> {
    const present = streams.get(session);
    if (present) return present;
    const calls = arrivals.get(session) ?? new Set();
    arrivals.set(session, calls);
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        calls.delete(done);
        if (calls.size === 0) arrivals.delete(session);
        resolve();
      };
      const timer = setTimeout(done, patienceMs);
      signal.addEventListener('abort', done);
      calls.add(done);
    });
    const arrived = streams.get(session);
    if (!arrived) {
      throw new RetryableError('WORKER_AWAY', `No stream to the worker of ${session}`, {
        human: 'The agent worker cannot be reached at the moment.',
      });
    }
    return arrived;
  }

  return {
    opened(session, stream) {
      streams.set(session, stream);
      for (const call of [...(arrivals.get(session) ?? [])]) call();
    },
    closed(session, stream) {
      if (streams.get(session) !== stream) return;
      streams.delete(session);
      for (const [key, set] of waiters) {
        if (key.startsWith(`${session} `)) for (const waiter of [...set]) waiter.broken();
      }
    },
    accepted(session, inputId) {
      for (const waiter of [...waitersOf(session, inputId)]) waiter.accept();
    },
    refused(session, refused) {
      for (const waiter of [...waitersOf(session, refused.inputId)]) waiter.refuse(refused);
    },
    async request(session, inputId, request, signal) {
      const stream = await streamOf(session, signal);
      const key = `${session} ${inputId}`;
      const set = waiters.get(key) ?? new Set<Waiter>();
      waiters.set(key, set);
      await new Promise<void>((resolve, reject) => {
        const settle = (finish: () => void) => {
          set.delete(waiter);
          if (set.size === 0) waiters.delete(key);
          signal.removeEventListener('abort', aborted);
          finish();
        };
        const away = () => reject(new RetryableError('WORKER_AWAY', `The stream of ${session} broke`));
        const aborted = () => settle(away);
        const waiter: Waiter = {
          accept: () => settle(resolve),
          broken: () => settle(away),
          refuse: ({ code, reason }) => settle(() => reject(new TerminalError(code, reason, { human: reason }))),
        };
        set.add(waiter);
        signal.addEventListener('abort', aborted);
        stream.write(request);
      });
    },
  };
}
