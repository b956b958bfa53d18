import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, answer } from './answer.ts';
import { readConversation } from './conversation.ts';
import { ApiError, errorBody, USUAL_MESSAGES } from './errors.ts';
import type { Gates } from './gates.ts';
import type { Exchange, ExchangeLog } from './log.ts';
import { checkCountTokens, checkMessages } from './rules.ts';
import type { MessagesBody } from './schema.ts';
import { type ApiEvent, type StreamItem, streamAnswer, wholeAnswer } from './stream.ts';
import { inputTokens } from './usage.ts';

/** The gate that `pause` and `resume` work on. */
export const PAUSE = 'pause';

const LARGEST_BODY_BYTES = 32 * 1024 * 1024;
const KNOWN_VERSION = '2023-06-01';

/** A request as tests look at it. */
export interface RequestSummary {
  n: number;
  /** When the request came, ISO 8601. */
  at: string;
  path: string;
  /** The header x-claude-code-session-id. */
  sessionId: string | undefined;
  model: string | undefined;
  stream: boolean;
  /** The last text of the role `user`, reminders included. */
  lastUserText: string;
  /** What the person asked and is to be answered now, mid-turn messages included. */
  asked: string[];
  /** What the gateway quoted of earlier conversations, and its notices. */
  quoted: string[];
  /** Undefined until the answer has begun. */
  status: number | undefined;
  /** How the answer ended; undefined while it is being written. */
  end: 'complete' | 'cut' | 'client-gone' | undefined;
}

export interface HandlerDeps {
  requests: RequestSummary[];
  gates: Gates;
  log: ExchangeLog | undefined;
  apiKey: string | undefined;
  deltaDelayMs: number;
  slowDelayMs: number;
}

/** Makes the HTTP handler. It never throws; an unforeseen error is answered 500. */
export function createHandler(deps: HandlerDeps): (request: IncomingMessage, response: ServerResponse) => void {
  const failures = new Map<string, number>();
  const startedAt = Date.now();
  return (request, response) => {
    const context = openContext(deps, request, response, startedAt);
    serve(deps, failures, context)
      .catch((error: unknown) => sendError(context, error))
      .finally(() => closeContext(deps, context))
      .catch((error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))));
  };
}

interface Context {
  request: IncomingMessage;
  response: ServerResponse;
  summary: RequestSummary;
  exchange: Exchange;
  /** Aborts when the client closes the connection. */
  gone: AbortController;
  requestId: string;
}

function openContext(
  deps: HandlerDeps,
  request: IncomingMessage,
  response: ServerResponse,
  startedAt: number,
): Context {
  const n = deps.requests.length + 1;
  const path = request.url ?? '/';
  const session = request.headers['x-claude-code-session-id'];
  const summary: RequestSummary = {
    n,
    at: new Date().toISOString(),
    path,
    sessionId: typeof session === 'string' ? session : undefined,
    model: undefined,
    stream: false,
    lastUserText: '',
    asked: [],
    quoted: [],
    status: undefined,
    end: undefined,
  };
  deps.requests.push(summary);
  const exchange: Exchange = {
    n,
    ms: Date.now() - startedAt,
    request: { method: request.method ?? '', path, headers: { ...request.headers }, body: undefined },
    response: { status: 0 },
  };
  const gone = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) gone.abort(new Error('The client closed the connection.'));
  });
  return { request, response, summary, exchange, gone, requestId: `req_${String(n).padStart(4, '0')}` };
}

function closeContext(deps: HandlerDeps, { summary, exchange, gone }: Context): void {
  if (summary.end === undefined) summary.end = gone.signal.aborted ? 'client-gone' : 'complete';
  if (summary.end === 'client-gone') exchange.response.closed_by_client = true;
  if (summary.end === 'cut') exchange.response.cut_by_server = true;
  deps.log?.write(exchange);
}

async function serve(deps: HandlerDeps, failures: Map<string, number>, context: Context): Promise<void> {
  const { request, summary } = context;
  const path = new URL(summary.path, 'http://localhost').pathname;
  const known = path === '/v1/messages' || path === '/v1/messages/count_tokens';
  if (!known || request.method !== 'POST') throw new ApiError(404, 'Not found');
  checkKey(request, deps.apiKey);
  checkHeaders(request);
  const body = await readJson(request);
  context.exchange.request.body = body;
  if (path === '/v1/messages/count_tokens') {
    const checked = checkCountTokens(body);
    summary.model = checked.model;
    sendJson(context, 200, { input_tokens: inputTokens(checked) });
    return;
  }
  const checked = checkMessages(body);
  const talk = readConversation(checked.messages);
  Object.assign(summary, {
    model: checked.model,
    stream: checked.stream === true,
    lastUserText: talk.lastUserText,
    asked: [...talk.asked, ...talk.steered],
    quoted: talk.quoted,
  });
  await deps.gates.pass(PAUSE, context.gone.signal);
  const scope = `${summary.sessionId}|`;
  const decided = answer(checked, (key) => failures.get(scope + key) ?? 0);
  const failed = (key: string) => failures.set(scope + key, (failures.get(scope + key) ?? 0) + 1);
  await sendAnswer(deps, context, checked, decided, failed);
}

async function sendAnswer(
  deps: HandlerDeps,
  context: Context,
  body: MessagesBody,
  decided: Answer,
  failed: (key: string) => void,
): Promise<void> {
  if (decided.kind === 'failure') {
    failed(decided.failure.key);
    const status = decided.failure.how === 'cut' ? 500 : decided.failure.how;
    throw new ApiError(status, USUAL_MESSAGES[status] ?? 'Failed');
  }
  const items = streamAnswer(body, decided.blocks);
  if (body.stream !== true) {
    for (const item of items) {
      if (item.kind === 'event') continue;
      if (await waitOrCut(deps, context, item, failed)) return;
    }
    sendJson(context, 200, wholeAnswer(body, decided.blocks));
    return;
  }
  begin(context, 200, 'text/event-stream; charset=utf-8', { 'cache-control': 'no-cache' });
  const sent: ApiEvent[] = [];
  context.exchange.response.sse = sent;
  for (const item of items) {
    if (item.kind === 'event') {
      if (item.event.type === 'content_block_delta' && deps.deltaDelayMs > 0) await pause(deps.deltaDelayMs, context);
      await deps.gates.pass(PAUSE, context.gone.signal);
      sent.push(item.event);
      await write(context, `event: ${item.event.type}\ndata: ${JSON.stringify(item.event)}\n\n`);
    } else if (await waitOrCut(deps, context, item, failed)) return;
  }
  context.response.end();
}

/** Does what stands between two events; returns true if the connection was cut. */
async function waitOrCut(
  deps: HandlerDeps,
  context: Context,
  item: Exclude<StreamItem, { kind: 'event' }>,
  failed: (key: string) => void,
): Promise<boolean> {
  switch (item.kind) {
    case 'wordPause':
      if (deps.slowDelayMs > 0) await pause(deps.slowDelayMs, context);
      return false;
    case 'hold':
      await deps.gates.pass(`hold ${item.gate}`, context.gone.signal);
      return false;
    case 'cut':
      failed(item.failure.key);
      context.summary.end = 'cut';
      context.response.destroy();
      return true;
  }
}

async function pause(ms: number, context: Context): Promise<void> {
  await sleep(ms, undefined, { signal: context.gone.signal });
}

async function write({ response, gone }: Context, text: string): Promise<void> {
  gone.signal.throwIfAborted();
  if (response.write(text)) return;
  await new Promise<void>((resolve, reject) => {
    const leave = () => reject(gone.signal.reason);
    gone.signal.addEventListener('abort', leave, { once: true });
    response.once('drain', () => {
      gone.signal.removeEventListener('abort', leave);
      resolve();
    });
  });
}

function begin(context: Context, status: number, type: string, more: Record<string, string> = {}): void {
  context.summary.status = status;
  context.exchange.response.status = status;
  context.response.writeHead(status, { 'content-type': type, 'request-id': context.requestId, ...more });
}

function sendJson(context: Context, status: number, body: unknown, more: Record<string, string> = {}): void {
  context.exchange.response.body = body;
  begin(context, status, 'application/json', more);
  context.response.end(JSON.stringify(body));
}

function sendError(context: Context, error: unknown): void {
  if (context.gone.signal.aborted || context.response.destroyed) return;
  if (context.response.headersSent) {
    context.response.destroy();
    throw error;
  }
  const known = error instanceof ApiError ? error : new ApiError(500, `The simulated model failed: ${String(error)}`);
  const more: Record<string, string> = known.status === 429 ? { 'retry-after': '1' } : {};
  sendJson(context, known.status, errorBody(known.status, known.message, context.requestId), more);
}

function checkKey(request: IncomingMessage, expected: string | undefined): void {
  const bearer = request.headers.authorization?.replace(/^Bearer /, '');
  const key = request.headers['x-api-key'] ?? bearer;
  if (key === undefined || key === '') throw new ApiError(401, 'x-api-key header is required');
  if (expected !== undefined && key !== expected) throw new ApiError(401, 'invalid x-api-key');
}

function checkHeaders(request: IncomingMessage): void {
  const version = request.headers['anthropic-version'];
  if (version === undefined) throw new ApiError(400, 'anthropic-version: header is required');
  if (version !== KNOWN_VERSION)
    throw new ApiError(400, `anthropic-version: "${String(version)}" is not a valid version`);
  const type = request.headers['content-type']?.split(';')[0]?.trim();
  if (type !== 'application/json') throw new ApiError(400, 'content-type: must be application/json');
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    const bytes: Buffer = part;
    size += bytes.length;
    if (size <= LARGEST_BODY_BYTES) parts.push(bytes);
  }
  if (size > LARGEST_BODY_BYTES) throw new ApiError(413, USUAL_MESSAGES[413] ?? '');
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch (cause) {
    throw new ApiError(400, `The request body is not valid JSON: ${cause instanceof Error ? cause.message : ''}`);
  }
}
