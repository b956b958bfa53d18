/**
 * The worker of a local workspace: a detached process that outlives the gateway. Its folder holds `worker.json` (pid, start
 * time, identity), `port`, its log and its state; a worker that still runs is found again by it.
 */
import { spawn } from 'node:child_process';
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TerminalError } from '../../actors/index.ts';

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 15_000;

/**
 * The process writes down who it is before it becomes the worker, whole and at once: a gateway that dies at any moment leaves
 * no worker behind that the next one cannot find. Its parameters: the file, the identity as JSON, the command.
 */
const RECORD_AND_RUN = `
(umask 077
 printf '{"pid":%s,"startTime":"%s","identity":%s}' $$ "$(cut -d ' ' -f 22 /proc/$$/stat)" "$2" > "$1.new") &&
mv "$1.new" "$1" && shift 2 && exec "$@"`;

export interface WorkerSpec {
  readonly folder: string;
  /** Program and leading arguments. */
  readonly command: readonly string[];
  readonly identity: string;
  /** SHA-256 of the bearer token; the token itself stays in the gateway. */
  readonly tokenHash: string;
  readonly env: Readonly<Record<string, string>>;
  readonly agentIdleSeconds: number;
}

interface WorkerRecord {
  readonly pid: number;
  /** Field 22 of /proc/<pid>/stat: two processes that share a pid never share it. */
  readonly startTime: string;
  readonly identity: string;
}

/** @returns the endpoint of the running worker, started if need be. */
export async function ensureWorker(spec: WorkerSpec, signal: AbortSignal): Promise<string> {
  const running = await findWorker(spec.folder, spec.identity);
  if (running) return running;
  await stopWorker(spec.folder);
  for (const file of ['port', 'worker.json']) await rm(join(spec.folder, file), { force: true });
  const pid = await launch(spec);
  return waitForPort(spec.folder, pid, signal);
}

/** The endpoint of a worker that runs with this identity; undefined if there is none. */
export async function findWorker(folder: string, identity: string): Promise<string | undefined> {
  const record = await readRecord(folder);
  if (record?.identity !== identity || !(await isAlive(record))) return undefined;
  return readEndpoint(folder);
}

/** Ends the worker of this folder, agents and all. Resolves when it is gone. */
export async function stopWorker(folder: string): Promise<void> {
  const record = await readRecord(folder);
  if (!record || !(await isAlive(record))) return;
  process.kill(record.pid, 'SIGTERM');
  for (const end = Date.now() + STOP_LIMIT_MS; await isAlive(record); await sleep(50)) {
    if (Date.now() > end) process.kill(-record.pid, 'SIGKILL');
  }
}

async function launch(spec: WorkerSpec): Promise<number> {
  if (spec.command.length === 0) throw new TerminalError('NO_WORKER', 'The worker command is empty');
  const output = await open(join(spec.folder, 'worker.out'), 'a', 0o600);
  try {
    const child = spawn(
      '/bin/sh',
      [
        ...['-c', RECORD_AND_RUN, 'sh', join(spec.folder, 'worker.json'), JSON.stringify(spec.identity)],
        ...spec.command,
        ...['--listen', '127.0.0.1:0'],
        ...['--port-file', join(spec.folder, 'port')],
        ...['--state-dir', join(spec.folder, 'state')],
        ...['--identity', spec.identity],
        ...['--agent-idle', `${spec.agentIdleSeconds}s`],
        ...['--log-file', join(spec.folder, 'worker.log')],
      ],
      {
        cwd: spec.folder,
        detached: true,
        stdio: ['ignore', output.fd, output.fd],
        env: { ...spec.env, AGENT_WORKER_TOKEN_SHA256: spec.tokenHash },
      },
    );
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) =>
        reject(
          new TerminalError('NO_WORKER', 'Cannot start a shell', {
            human: 'The agent worker cannot be started.',
            cause: error,
          }),
        ),
      );
    });
    child.unref();
    return child.pid ?? 0;
  } finally {
    await output.close();
  }
}

async function waitForPort(folder: string, pid: number, signal: AbortSignal): Promise<string> {
  const end = Date.now() + START_LIMIT_MS;
  for (;;) {
    const endpoint = await readEndpoint(folder);
    if (endpoint) return endpoint;
    if ((await startTimeOf(pid)) === undefined || Date.now() > end) {
      const said = (await readFile(join(folder, 'worker.out'), 'utf8').catch(() => '')).trim().split('\n').at(-1) ?? '';
      throw new TerminalError('WORKER_FAILED', `The worker did not start: ${said}`, {
        human: `The agent worker did not start: ${said}`,
      });
    }
    await sleep(20, undefined, { signal });
  }
}

async function readEndpoint(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, 'port'), 'utf8').catch(() => '');
  // Whole only with its newline.
  const port = /^(\d+)\n$/.exec(text)?.[1];
  return port === undefined ? undefined : `127.0.0.1:${port}`;
}

async function readRecord(folder: string): Promise<WorkerRecord | undefined> {
  const text = await readFile(join(folder, 'worker.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as WorkerRecord);
}

async function isAlive(record: WorkerRecord): Promise<boolean> {
  return record.startTime !== '' && (await startTimeOf(record.pid)) === record.startTime;
}

/** Undefined when there is no such process, or only its remains. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}
