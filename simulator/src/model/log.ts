import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { ApiEvent } from './stream.ts';

/** One exchange as it is logged: the shape of the recorded exchanges, with the tools' names instead of the tools. */
export interface Exchange {
  n: number;
  ms: number;
  request: { method: string; path: string; headers: Record<string, unknown>; body: unknown };
  response: {
    status: number;
    sse?: ApiEvent[];
    body?: unknown;
    cut_by_server?: true;
    closed_by_client?: true;
  };
}

export interface ExchangeLog {
  write(exchange: Exchange): void;
  close(): Promise<void>;
}

/** Appends exchanges to a file, one JSON value per line. Keys are not written. */
export function createExchangeLog(path: string): ExchangeLog {
  const file = createWriteStream(path, { flags: 'a' });
  const ended = finished(file);
  ended.catch((error: unknown) => console.error(`The model's log ${path} cannot be written: ${String(error)}`));
  return {
    write(exchange) {
      if (file.writable) file.write(`${JSON.stringify(abridged(exchange))}\n`);
    },
    async close() {
      file.end();
      await ended;
    },
  };
}

function abridged(exchange: Exchange): Exchange {
  const headers = Object.fromEntries(
    Object.entries(exchange.request.headers).map(([name, value]) =>
      name === 'x-api-key' || name === 'authorization' ? [name, '<redacted>'] : [name, value],
    ),
  );
  return { ...exchange, request: { ...exchange.request, headers, body: withToolNames(exchange.request.body) } };
}

function withToolNames(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('tools' in body) || !Array.isArray(body.tools)) return body;
  const names = body.tools.map((tool: unknown) =>
    typeof tool === 'object' && tool !== null && 'name' in tool ? tool.name : tool,
  );
  return { ...body, tools: names };
}
