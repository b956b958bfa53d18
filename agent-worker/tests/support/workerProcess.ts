// A real worker in a process of its own, with a home, a state directory and a workspace that go away with it.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { until } from './until.ts';

export const TOKEN = 'a-token-for-tests';
export const TOKEN_SHA256 = createHash('sha256').update(TOKEN).digest('hex');

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** Folders that outlive one worker process, so that another one can go on with them. */
export interface Place {
  root: string;
  state: string;
  home: string;
  workspace: string;
  remove(): void;
}

export function makePlace(): Place {
  const root = mkdtempSync(join(tmpdir(), 'agent-worker-test-'));
  const place = { root, state: join(root, 'state'), home: join(root, 'home'), workspace: join(root, 'workspace') };
  for (const folder of [place.state, place.home, place.workspace]) mkdirSync(folder);
  return { ...place, remove: () => rmSync(root, { recursive: true, force: true, maxRetries: 5 }) };
}

export interface WorkerProcess {
  port: number;
  pid: number;
  log(): string;
  /** Ends it without warning. */
  kill(): Promise<void>;
  /** Asks it to stop; resolves to its exit code. */
  stop(): Promise<number | null>;
}

export interface WorkerOptions {
  place: Place;
  /** The model API; a worker that starts no agent needs none. */
  modelUrl?: string;
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Put in front of the command, e.g. a tracer. */
  wrap?: readonly string[];
}

/** Everything an agent of a test sees of the outside: nothing of the machine's own environment. */
export function testEnvironment(place: Place, modelUrl: string | undefined): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: place.home,
    CLAUDE_CONFIG_DIR: join(place.home, '.claude'),
    TMPDIR: place.root,
    ANTHROPIC_API_KEY: 'test',
    ANTHROPIC_BASE_URL: modelUrl ?? 'http://127.0.0.1:9',
    CLAUDE_CODE_MAX_RETRIES: '1',
    AGENT_WORKER_TOKEN_SHA256: TOKEN_SHA256,
  };
}

export async function startWorkerProcess(options: WorkerOptions): Promise<WorkerProcess> {
  const { place } = options;
  const portFile = join(place.root, `port-${Date.now()}-${Math.random().toString(36).slice(2)}`);
  const logFile = join(place.root, 'worker.log');
  const [command = process.execPath, ...args] = [
    ...(options.wrap ?? []),
    process.execPath,
    '--import',
    TSX,
    MAIN,
    '--state-dir',
    place.state,
    '--port-file',
    portFile,
    '--log-file',
    logFile,
    ...(options.args ?? []),
  ];
  const child = spawn(command, args, {
    env: { ...testEnvironment(place, options.modelUrl), ...options.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (data: string) => {
    stderr += data;
  });
  const log = () => `${existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''}${stderr}`;
  await until('the worker serves', () => {
    if (child.exitCode !== null) throw new Error(`the worker ended with ${child.exitCode}: ${log()}`);
    return existsSync(portFile) && readFileSync(portFile, 'utf8').endsWith('\n');
  });
  const pid = options.wrap ? childOf(child.pid ?? 0) : (child.pid ?? 0);
  return {
    port: Number(readFileSync(portFile, 'utf8')),
    pid,
    log,
    kill: async () => {
      await end(child, pid, 'SIGKILL');
    },
    stop: () => end(child, pid, 'SIGTERM'),
  };
}

/** A tracer does not pass signals on, so they are sent to what it runs. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
}

async function end(child: ChildProcess, pid: number, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  process.kill(pid, signal);
  return ended;
}
