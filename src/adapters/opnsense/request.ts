/** One exchange with the API: basic authentication, JSON both ways, a deadline for the whole of it. */
import { readFileSync } from 'node:fs';
import { Agent, request as send } from 'undici';
import type { z } from 'zod';
import { TerminalError } from '../../actors/index.ts';
import { garbledError, refusedError, transportError } from './errors.ts';

export interface OpnsenseAccess {
  /** Address of the web interface, with its sub-path if it has one. */
  readonly url: string;
  readonly key: string;
  readonly secret: string;
  /** Per request, in milliseconds. */
  readonly timeoutMs: number;
  /** False: any certificate is taken, whoever shows it. */
  readonly verifyTls: boolean;
  /** PEM file with the certificates to trust besides the system's; empty: none. */
  readonly caFile: string;
}

export interface OpnsenseClient {
  /** @throws TerminalError, RetryableError */
  get<T>(path: string, shape: z.ZodType<T>, signal?: AbortSignal): Promise<T>;
  /** After a RetryableError it is unknown whether the request was carried out. */
  post<T>(path: string, body: unknown, shape: z.ZodType<T>, signal?: AbortSignal): Promise<T>;
  close(): Promise<void>;
}

/** More than the largest alias anybody has. */
const MAX_BYTES = 16 * 1024 * 1024;

/** @throws TerminalError if the CA file cannot be read */
export function createOpnsenseClient(access: OpnsenseAccess): OpnsenseClient {
  const dispatcher = new Agent({
    connections: 4,
    connect: {
      rejectUnauthorized: access.verifyTls,
      timeout: access.timeoutMs,
      ...(access.caFile === '' ? {} : { ca: readAuthority(access.caFile) }),
    },
  });
  const authorization = `Basic ${Buffer.from(`${access.key}:${access.secret}`).toString('base64')}`;
  const base = `${access.url.replace(/\/+$/, '')}/api/firewall`;

  async function exchange<T>(
    method: 'GET' | 'POST',
    path: string,
    body: string | null,
    shape: z.ZodType<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const asked = `${method} ${path.replace(/\/[^/]*$/, (last) => (path.split('/').length > 2 ? '' : last))}`;
    const limit = new AbortController();
    const giveUp = (): void => limit.abort();
    const timer = setTimeout(giveUp, access.timeoutMs);
    signal?.addEventListener('abort', giveUp, { once: true });
    if (signal?.aborted) giveUp();
    let status: number;
    let text: string;
    try {
      const response = await send(`${base}/${path}`, {
        method,
        body,
        dispatcher,
        signal: limit.signal,
        headers: {
          authorization,
          accept: 'application/json',
          // A GET that names a content type and has no body is refused.
          ...(body === null ? {} : { 'content-type': 'application/json' }),
        },
      });
      status = response.statusCode;
      text = await bounded(response.body, asked);
    } catch (cause) {
      throw transportError(asked, cause, limit.signal.aborted);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    }
    if (status !== 200) throw refusedError(asked, status, text);
    const checked = shape.safeParse(parsed(text, asked));
    if (checked.success) return checked.data;
    const [issue] = checked.error.issues;
    throw garbledError(asked, `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'another shape'}`);
  }

  return {
    get: (path, shape, signal) => exchange('GET', path, null, shape, signal),
    post: (path, body, shape, signal) => exchange('POST', path, JSON.stringify(body), shape, signal),
    close: () => dispatcher.close(),
  };
}

async function bounded(body: AsyncIterable<Buffer>, asked: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_BYTES) throw garbledError(asked, `more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string, asked: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw garbledError(asked, 'not JSON');
  }
}

function readAuthority(path: string): string {
  let pem: string;
  try {
    pem = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new TerminalError('OPNSENSE_CA_FILE', `${path} cannot be read`, {
      cause,
      human: 'The file that SM_OPNSENSE_CA_FILE names cannot be read.',
    });
  }
  if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
  throw new TerminalError('OPNSENSE_CA_FILE', `${path} holds no certificate`, {
    human: 'The file that SM_OPNSENSE_CA_FILE names holds no certificate in PEM format.',
  });
}
