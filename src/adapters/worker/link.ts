/**
 * A session's worker link: attaches, commits what comes in batches, acknowledges what is committed, and attaches again
 * when the stream breaks. It runs as long as the session's `active` state.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ServiceError, status } from '@grpc/grpc-js';
import {
  type InboxItem,
  type OutputBatch,
  type TaskContext,
  type TaskRequest,
  TerminalError,
  type TranscriptRow,
} from '../../actors/index.ts';
import { type Address, keyOf } from '../../machines/addresses.ts';
import type { JsonObject } from '../../machines/json.ts';
import type { LinkInput } from '../../machines/session/context.ts';
import type { WorkerClient } from './client.ts';
import { workerFits } from './fits.ts';
import {
  type Attached,
  type DescribeResponse,
  PermissionMode,
  type SessionOptions,
  type SessionRequest,
  type SessionResponse,
  SessionState,
} from './generated/claude_agent/v1/agent.ts';
import { chartEventOf, outputKey, requestedInWords, transcriptOf } from './outputs.ts';
import type { LinkRegistry, LiveStream } from './registry.ts';

/** Sign of life for the chart's liveness region: at most one per this time. */
const SEEN_EVERY_MS = 10_000;
/** Outputs gathered for one commit. More wait for the next; the stream is not read meanwhile. */
const MAX_BATCH = 500;
const BACKOFF_MS = { first: 200, most: 5_000 };

/** How far the gateway has committed a session's log. */
interface ResumePoint {
  readonly logId: string;
  readonly seq: number;
}

export interface LinkPorts {
  readonly registry: LinkRegistry;
  readonly connect: (input: LinkInput) => Promise<WorkerClient>;
  readonly clients: Map<Address, WorkerClient>;
  readonly optionsOf: (input: LinkInput) => SessionOptions;
  readonly resumePoint: (session: Address) => Promise<ResumePoint | undefined>;
  readonly appendOutputs: (batch: OutputBatch) => Promise<number>;
  /** Requests for network access that an answer contains in words. */
  readonly writtenRequests: (text: string) => readonly JsonObject[];
  readonly now: () => number;
}

/** The task behind `invoke: workerLink`. Ends only by abort, or with a TerminalError the session cannot recover from. */
export function workerLink(ports: LinkPorts) {
  return async (task: TaskRequest, context: TaskContext): Promise<void> => {
    const input = task.input as LinkInput;
    const client = await ports.connect(input);
    ports.clients.set(input.session, client);
    try {
      await stayAttached(ports, client, input, context);
    } finally {
      if (ports.clients.get(input.session) === client) ports.clients.delete(input.session);
      client.close();
    }
  };
}

async function stayAttached(
  ports: LinkPorts,
  client: WorkerClient,
  input: LinkInput,
  context: TaskContext,
): Promise<void> {
  let checked = false;
  for (let failures = 0; !context.signal.aborted; ) {
    const startedAt = ports.now();
    const reason = await attachOnce(ports, client, input, context, async () => {
      if (!checked) await checkWorker(client, input);
      checked = true;
    }).catch((error: unknown) => {
      if (error instanceof TerminalError) throw error;
      return error instanceof Error ? error.message : String(error);
    });
    if (context.signal.aborted) return;
    context.log.info({ session: input.session, reason }, 'worker stream ended');
    await context.emit({ type: 'LINK.DOWN', at: ports.now(), reason });
    failures = ports.now() - startedAt > BACKOFF_MS.most ? 0 : failures + 1;
    const pause = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** failures) * (0.5 + Math.random() / 2);
    await sleep(pause, undefined, { signal: context.signal }).catch(() => undefined);
  }
}

/** A worker that serves another workspace, or speaks another protocol, must never be given this session. */
async function checkWorker(client: WorkerClient, input: LinkInput): Promise<void> {
  const found = await new Promise<DescribeResponse>((resolve, reject) => {
    client.stub.describe({}, client.metadata(), { deadline: Date.now() + 5_000 }, (error, answer) =>
      error ? reject(translate(error)) : resolve(answer),
    );
  });
  if (found.identity !== input.identity) {
    throw new TerminalError('WRONG_WORKER', `Expected ${input.identity}, found ${found.identity}`, {
      human: 'Another workspace answers at the address of this one.',
    });
  }
  const fit = workerFits(found);
  if (!fit.ok) throw new TerminalError('WORKER_PROTOCOL', fit.human, { human: fit.human });
}

/** One stream, from Attach to its end. @returns why it ended. */
async function attachOnce(
  ports: LinkPorts,
  client: WorkerClient,
  input: LinkInput,
  context: TaskContext,
  beforeAttach: () => Promise<void>,
): Promise<string> {
  await beforeAttach();
  const held = await ports.resumePoint(input.session);
  const stream = client.stub.session(client.metadata());
  const live: LiveStream = { write: (request) => stream.write({ request } satisfies SessionRequest) };
  const abort = () => stream.cancel();
  context.signal.addEventListener('abort', abort);
  try {
    live.write({
      $case: 'attach',
      value: {
        sessionId: keyOf(input.session),
        logId: held?.logId ?? '',
        afterSeq: held?.seq ?? 0,
        term: context.term,
        create: ports.optionsOf(input),
      },
    });
    await receive(ports, input, context, stream, live, held);
    return 'the worker ended the stream';
  } catch (error) {
    throw translate(error);
  } finally {
    ports.registry.closed(input.session, live);
    context.signal.removeEventListener('abort', abort);
    stream.cancel();
  }
}

interface Reading {
  logId: string;
  seenAt: number;
  rows: TranscriptRow[];
  events: InboxItem[];
}

async function receive(
  ports: LinkPorts,
  input: LinkInput,
  context: TaskContext,
  stream: AsyncIterable<SessionResponse> & { readonly readableLength: number },
  live: LiveStream,
  held: ResumePoint | undefined,
): Promise<void> {
  const reading: Reading = { logId: '', seenAt: 0, rows: [], events: [] };
  for await (const response of stream) {
    const output = response.response;
    if (!output) continue;
    switch (output.$case) {
      case 'attached':
        reading.logId = output.value.logId;
        await context.emit(linkUp(output.value, ports.now()));
        ports.registry.opened(input.session, live);
        // Whoever committed this may have died before it could say so, and perhaps nothing else comes for a long time.
        if (held?.logId === reading.logId) live.write({ $case: 'ack', value: { seq: held.seq } });
        break;
      case 'inputAccepted':
        ports.registry.accepted(input.session, output.value.inputId);
        break;
      case 'inputRefused':
        ports.registry.refused(input.session, output.value);
        break;
      default:
        collect(reading, input.session, response, ports);
    }
    // What has already arrived is committed together; nothing waits for more to come.
    if (reading.rows.length > 0 && (stream.readableLength === 0 || reading.rows.length >= MAX_BATCH)) {
      const seq = await flush(ports, input.session, reading);
      live.write({ $case: 'ack', value: { seq } });
    }
  }
}

function collect(reading: Reading, session: Address, response: SessionResponse, ports: LinkPorts): void {
  const now = ports.now();
  const output = response.response;
  const entry = output && transcriptOf(output);
  if (!output || !entry) return;
  const { seq, firstSeq, atMs } = response;
  reading.rows.push({ seq, firstSeq, at: atMs, ...entry });
  const key = outputKey(session, reading.logId, seq);
  const event = chartEventOf(output, now);
  if (event) reading.events.push({ to: session, event, dedupKey: key });
  if (output.$case === 'textBlock' && output.value.parentToolUseId === '') {
    for (const [index, request] of ports.writtenRequests(output.value.text).entries()) {
      const asked = requestedInWords(`${key}/${index}`, output.value.turnId, request, now);
      reading.events.push({ to: session, event: asked, dedupKey: `${key}/written/${index}` });
    }
  }
  if (now - reading.seenAt >= SEEN_EVERY_MS) {
    reading.seenAt = now;
    reading.events.push({
      to: session,
      event: { type: 'OUTPUT.SEEN', at: now },
      dedupKey: `seen/${outputKey(session, reading.logId, seq)}`,
    });
  }
}

async function flush(ports: LinkPorts, session: Address, reading: Reading): Promise<number> {
  const { rows, events, logId } = reading;
  reading.rows = [];
  reading.events = [];
  return ports.appendOutputs({ session, logId, rows, events });
}

function linkUp(attached: Attached, at: number) {
  return {
    type: 'LINK.UP',
    at,
    agentSessionId: attached.agentSessionId,
    agentState: stateOf(attached.state),
    historyLost: attached.historyLost,
    logId: attached.logId,
    plan: attached.permissionMode === PermissionMode.PLAN,
    turnId: attached.turnId,
    openRequestIds: attached.openRequestIds,
  };
}

function stateOf(state: SessionState): 'idle' | 'running' | 'asleep' {
  switch (state) {
    case SessionState.RUNNING:
      return 'running';
    case SessionState.ASLEEP:
      return 'asleep';
    default:
      return 'idle';
  }
}

/** gRPC statuses that trying again cannot mend become terminal. */
function translate(error: unknown): Error {
  if (!isServiceError(error)) return error instanceof Error ? error : new Error(String(error));
  switch (error.code) {
    case status.UNAUTHENTICATED:
      return new TerminalError('WORKER_REFUSES_TOKEN', error.message, {
        human: 'The agent worker does not accept this gateway. `@claude stop --container` and start anew.',
        cause: error,
      });
    case status.INVALID_ARGUMENT:
      return new TerminalError('WORKER_REFUSES_SESSION', error.details, { human: error.details, cause: error });
    default:
      return new Error(`${status[error.code] ?? error.code}: ${error.details}`, { cause: error });
  }
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error && typeof error.code === 'number';
}
