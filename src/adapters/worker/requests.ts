/** The effects that talk to a session's agent: each one input, done once by the worker however often it is sent. */
import { type EffectHandlers, RetryableError, TerminalError } from '../../actors/index.ts';
import type { Address } from '../../machines/addresses.ts';
import type { JsonObject } from '../../machines/json.ts';
import type { WorkerClient } from './client.ts';
import { type Attachment, DecisionOutcome, PermissionMode } from './generated/claude_agent/v1/agent.ts';
import type { LinkRegistry } from './registry.ts';

const OUTCOMES = {
  approved: DecisionOutcome.APPROVED,
  denied: DecisionOutcome.DENIED,
  expired: DecisionOutcome.EXPIRED,
} as const;

const PROBE_TIMEOUT_MS = 5_000;

export interface WorkerRequestPorts {
  readonly registry: LinkRegistry;
  /** What a person attached to a post. Rejects terminally for what cannot be passed on. */
  readonly fetchFile: (fileId: string, signal: AbortSignal) => Promise<Attachment>;
  /** Whether the person's words may cost anything now. Rejects terminally if they may not. */
  readonly mayCost: (session: Address, author: { readonly id: string; readonly name: string }) => Promise<void>;
  /** What the session's agent is to be told of what was said before. */
  readonly historyOf: (
    session: Address,
    of: 'lost' | 'thread',
  ) => Promise<{ readonly text: string; readonly shown: number; readonly whole: boolean }>;
  /** The connection a session's link uses, for calls outside its stream. */
  readonly clientOf: (session: Address) => WorkerClient | undefined;
}

/** The stream to a worker takes messages of 16 MiB; a larger one would end it, again and again. */
const MAX_FILES_BYTES = 15 * 1024 * 1024;

export function workerHandlers({ registry, fetchFile, mayCost, historyOf, clientOf }: WorkerRequestPorts) {
  return {
    'worker.prompt': async ({ params, attempt }, { signal }) => {
      const { session, inputId, text, author, authorId, notice, files, steer } = params;
      // A later attempt may be of words that the agent has long heard: they must not be called refused.
      if (attempt === 1) await mayCost(session, { id: authorId, name: author });
      const attachments = await Promise.all(
        files.filter((id): id is string => typeof id === 'string').map((id) => fetchFile(id, signal)),
      );
      if (attachments.reduce((sum, { content }) => sum + content.length, 0) > MAX_FILES_BYTES) {
        throw new TerminalError('FILES_TOO_BIG', 'the files of one message are too large together', {
          human:
            'The files of this message are larger than 15 MB together, so it was not passed on. Send fewer at a time.',
        });
      }
      await registry.request(
        session,
        inputId,
        { $case: 'prompt', value: { inputId, text, author, attachments, steer, notice } },
        signal,
      );
    },
    'worker.history': async ({ params: { session, inputId, of } }, { signal }) => {
      const { text, shown, whole } = await historyOf(session, of);
      await registry.request(session, inputId, { $case: 'history', value: { inputId, text } }, signal);
      return { shown, whole };
    },
    'worker.interrupt': ({ params: { session, inputId, turnId } }, { signal }) =>
      registry.request(session, inputId, { $case: 'interrupt', value: { inputId, turnId } }, signal),
    'worker.mode': ({ params: { session, inputId, plan } }, { signal }) => {
      const mode = plan ? PermissionMode.PLAN : PermissionMode.DEFAULT;
      return registry.request(session, inputId, { $case: 'setPermissionMode', value: { inputId, mode } }, signal);
    },
    'worker.model': ({ params: { session, inputId, model } }, { signal }) =>
      registry.request(session, inputId, { $case: 'setModel', value: { inputId, model } }, signal),
    'worker.compact': async ({ params: { session, inputId, hint, author }, attempt }, { signal }) => {
      if (attempt === 1) await mayCost(session, author);
      await registry.request(session, inputId, { $case: 'compact', value: { inputId, hint } }, signal);
    },
    'worker.clear': ({ params: { session, inputId } }, { signal }) =>
      registry.request(session, inputId, { $case: 'clear', value: { inputId } }, signal),
    'worker.close': ({ params: { session, inputId } }, { signal }) =>
      registry.request(session, inputId, { $case: 'close', value: { inputId } }, signal),
    'worker.decide': ({ params }, { signal }) => {
      const { session, inputId, requestId, digest, outcome, message, answers, proven } = params;
      const value = {
        inputId,
        requestId,
        inputDigest: digest,
        outcome: OUTCOMES[outcome],
        message,
        answers: words(answers),
        proven,
      };
      return registry.request(session, inputId, { $case: 'decision', value }, signal);
    },
    'worker.probe': ({ params: { session, host, port } }) => {
      const client = clientOf(session);
      // Right after a restart it is on its way; what was opened is not called unproven for that.
      if (!client) throw new RetryableError('WORKER_AWAY', `No connection to the worker of ${session}`);
      return probeFrom(client, host, port);
    },
  } satisfies EffectHandlers;
}

/** Long enough for a connection, short enough for an agent that waits. */
const LOOK_TIMEOUT_MS = 2_000;

/** Whether the worker's container can connect to the host over HTTPS now; false if that cannot be found out. */
export async function canReach(client: WorkerClient, host: string): Promise<boolean> {
  try {
    return (await probeFrom(client, host, 443, LOOK_TIMEOUT_MS)).reachable;
  } catch {
    return false;
  }
}

/** Whether the first of the workers that answers can connect to the host over HTTPS; undefined if none answers. */
export async function someoneReaches(clients: readonly WorkerClient[], host: string): Promise<boolean | undefined> {
  for (const client of clients) {
    const seen = await probeFrom(client, host, 443).catch(() => undefined);
    if (seen) return seen.reachable;
  }
  return undefined;
}

/** Whether the worker's container can connect there now. @throws TerminalError if that cannot be found out */
export function probeFrom(client: WorkerClient, host: string, port: number, timeoutMs = PROBE_TIMEOUT_MS) {
  return new Promise<{ reachable: boolean; error: string }>((resolve, reject) => {
    client.stub.probe(
      { host, port, timeoutMs },
      client.metadata(),
      { deadline: Date.now() + 2 * timeoutMs },
      (error, answer) =>
        error
          ? reject(new TerminalError('PROBE_FAILED', error.message, { cause: error }))
          : resolve({ reachable: answer.reachable, error: answer.error }),
    );
  });
}

function words(answers: JsonObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(answers).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
