import { type Dispatcher, FormData, request as send } from 'undici';
import type { z } from 'zod';
import { type Asked, ChatError, garbledError, refusalError, transportError } from './errors.ts';
import type { Clock } from './time.ts';

export interface RequestOptions {
  /** Address of the server, with its sub-path if it has one. */
  readonly url: string;
  readonly token: string;
  /** For the whole exchange, body included. */
  readonly timeoutMs: number;
  readonly dispatcher?: Dispatcher | undefined;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below `/api/v4`, made with {@link path}. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly json?: unknown;
  readonly form?: FormData;
  readonly changesPost?: boolean;
}

/** A path from fixed words and values from outside. A value can never become another path. */
export function path(words: TemplateStringsArray, ...values: string[]): string {
  return words.reduce((made, word, i) => {
    const value = values[i];
    if (value === undefined) return made + word;
    if (value === '' || value === '.' || value === '..') {
      throw new ChatError({ code: 'CHAT_REFUSED', message: `not a name: '${value}'`, retryable: false, status: 0 });
    }
    return made + word + encodeURIComponent(value);
  }, '');
}

/**
 * One exchange whose answer must be JSON of the given shape. What parses but has another shape, and what does not parse
 * at all, is an error whatever its status: proxies answer 200 with pages of their own.
 */
export async function exchange<T>(options: RequestOptions, call: Call, shape: z.ZodType<T>): Promise<T> {
  const asked = askedOf(call);
  const { status, bytes } = await answer(options, call, asked, Number.POSITIVE_INFINITY);
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw garbledError(asked, status, 'not JSON');
  }
  const checked = shape.safeParse(parsed);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  throw garbledError(asked, status, `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'another shape'}`);
}

/** One exchange whose answer is bytes, at most `maxBytes` of them (`CHAT_TOO_BIG` beyond). */
export async function download(options: RequestOptions, call: Call, maxBytes: number): Promise<Buffer> {
  return (await answer(options, call, askedOf(call), maxBytes)).bytes;
}

function askedOf(call: Call): Asked {
  return { what: `${call.method} ${call.path}`, changesPost: call.changesPost ?? false };
}

async function answer(options: RequestOptions, call: Call, asked: Asked, maxBytes: number) {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline;
  let status: number;
  let headers: Dispatcher.ResponseData['headers'];
  let bytes: Buffer | undefined;
  try {
    const response = await send(address(options.url, call), {
      method: call.method,
      headers: {
        authorization: `Bearer ${options.token}`,
        accept: 'application/json',
        ...(call.json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: call.form ?? (call.json === undefined ? null : JSON.stringify(call.json)),
      signal,
      // The deadline above covers the whole exchange; these only keep the driver's own, longer ones out of the way.
      headersTimeout: options.timeoutMs,
      bodyTimeout: options.timeoutMs,
      ...(options.dispatcher ? { dispatcher: options.dispatcher } : {}),
    });
    ({ statusCode: status, headers } = response);
    bytes = await bounded(response.body, maxBytes);
  } catch (cause) {
    throw transportError(asked, cause, options.signal?.aborted ?? false);
  }
  if (status < 200 || status >= 300) {
    const body = bytes?.toString('utf8') ?? '';
    throw refusalError(asked, { status, headers, body }, options.clock.now());
  }
  if (!bytes) {
    throw new ChatError({
      code: 'CHAT_TOO_BIG',
      message: `${asked.what}: more than ${maxBytes} bytes`,
      human: 'That file is too big.',
      retryable: false,
      status,
    });
  }
  return { status, bytes };
}

/** The body, or nothing if it is longer than `maxBytes`; the rest is then not read. */
async function bounded(body: Dispatcher.ResponseData['body'], maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    const bytes: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    size += bytes.length;
    if (size > maxBytes) return undefined;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function address(url: string, call: Call): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(call.query ?? {})) query.set(name, String(value));
  return `${url.replace(/\/+$/, '')}/api/v4${call.path}${query.size === 0 ? '' : `?${query}`}`;
}

/** A form with one file, as the server's upload expects it. */
export function fileForm(channelId: string, name: string, bytes: Uint8Array, mimeType: string): FormData {
  const form = new FormData();
  form.append('channel_id', channelId);
  form.append('files', new Blob([new Uint8Array(bytes)], { type: mimeType }), name);
  return form;
}
