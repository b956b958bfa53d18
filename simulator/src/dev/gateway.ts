/** The gateway as a process of its own, just as people would start it, configured by its environment alone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
export const WORKER_MAIN = fileURLToPath(new URL('../../../agent-worker/dist/main.js', import.meta.url));

export interface Gateway {
  readonly pid: number;
  readonly url: string;
  /** Resident memory in bytes. */
  memory(): Promise<number>;
  /** Resolves when the process has ended, with what it last said. */
  readonly ended: Promise<string>;
  /** SIGTERM, and SIGKILL if that is not enough. */
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

export interface GatewayOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  readonly logFile: string;
}

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 20_000;

/** Starts the gateway and waits until it says that it is healthy. */
export async function startGateway({ env, port, logFile }: GatewayOptions): Promise<Gateway> {
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(process.execPath, [MAIN, 'serve'], { env, stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  const ended = once(child, 'exit').then(async ([code, signal]) => {
    const said = await readFile(logFile, 'utf8').catch(() => '');
    return `gateway ended (${signal ?? `exit code ${code}`})\n${said.trim().split('\n').slice(-15).join('\n')}`;
  });
  const url = `http://127.0.0.1:${port}`;
  const gateway: Gateway = {
    pid: child.pid ?? 0,
    url,
    ended,
    memory: async () => {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
    },
    stop: () => stop(child, ended),
    kill: (signal) => child.kill(signal),
  };
  const failure = await Promise.race([healthy(url), ended]);
  if (failure === true) return gateway;
  await gateway.stop();
  throw new Error(typeof failure === 'string' ? failure : `The gateway did not become healthy; see ${logFile}`);
}

async function healthy(url: string): Promise<boolean> {
  for (const end = Date.now() + START_LIMIT_MS; Date.now() < end; ) {
    const answer = await fetch(`${url}/health`).catch(() => undefined);
    if (answer?.ok) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

async function stop(child: ChildProcess, ended: Promise<string>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await ended;
  clearTimeout(timer);
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no free port');
  return address.port;
}
