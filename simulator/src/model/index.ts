import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGates, type Gate } from './gates.ts';
import { createHandler, PAUSE, type RequestSummary } from './handler.ts';
import { createExchangeLog } from './log.ts';

export type { Gate } from './gates.ts';
export type { RequestSummary } from './handler.ts';
export { grammarHelp } from './steps.ts';

export interface ModelApiOptions {
  /** 0 (default): the system chooses. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
  /** Milliseconds before each delta of an ordinary text or tool input; default 0. */
  deltaDelayMs?: number;
  /** Milliseconds after each word of a `slow` step; default 50. */
  slowDelayMs?: number;
  /** A file that gets one line of JSON per exchange, in the shape of the recorded ones. */
  log?: string;
  /** If set, requests with another key are answered 401. A key must be sent in any case. */
  apiKey?: string;
}

export interface ModelApi {
  /** For ANTHROPIC_BASE_URL. */
  url: string;
  port: number;
  /** All requests since the start, oldest first. */
  requests: RequestSummary[];
  /** Stops all streams before their next event, and all answers before their first, until `resume`. */
  pause(): void;
  resume(): void;
  /** The gate that a `hold NAME` step waits at. */
  gate(name: string): Gate;
  /** Opens all gates, ends all connections and closes the server. */
  close(): Promise<void>;
}

/**
 * Starts a stand-in for the Anthropic Messages API (`/v1/messages`, `/v1/messages/count_tokens`). The model follows
 * the script in the person's last message; the grammar is in README.md.
 * Rejects if the port is taken.
 */
export async function startModelApi(options: ModelApiOptions = {}): Promise<ModelApi> {
  const requests: RequestSummary[] = [];
  const gates = createGates([PAUSE]);
  const log = options.log === undefined ? undefined : createExchangeLog(options.log);
  const handle = createHandler({
    requests,
    gates,
    log,
    apiKey: options.apiKey,
    deltaDelayMs: options.deltaDelayMs ?? 0,
    slowDelayMs: options.slowDelayMs ?? 50,
  });
  const server = createServer(handle);
  const host = options.host ?? '127.0.0.1';
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port } = addressOf(server.address());
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    requests,
    pause: () => gates.gate(PAUSE).shut(),
    resume: () => gates.gate(PAUSE).open(),
    gate: (name) => gates.gate(`hold ${name}`),
    async close() {
      const closed = new Promise<void>((resolve, reject) =>
        server.close((error) => (error ? reject(error) : resolve())),
      );
      server.closeAllConnections();
      gates.openAll();
      await closed;
      await log?.close();
    },
  };
}

function addressOf(address: string | AddressInfo | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('The server listens on no TCP port.');
  return address;
}
