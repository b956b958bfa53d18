/**
 * A place where a gateway runs, as a pod is one: a process that ends is started again, at once the first time and with a
 * growing pause when it keeps ending.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultPoint } from '../../src/actors/index.ts';

const PAUSE_MS = { first: 100, most: 5_000 };
/** A process that lived this long did start: the next end of it is no crash loop. */
const STABLE_MS = 5_000;

export interface Fault {
  readonly point: FaultPoint | 'sabotage';
  /** Which passing of the point kills. */
  readonly nth: number;
}

export interface Pod {
  readonly port: number;
  readonly logFile: string;
  /** Processes started so far. */
  starts(): number;
  /** Ends by SIGKILL, by whomever. */
  kills(): number;
  /** Ends that nobody here asked for and no fault point made. */
  deaths(): number;
  /** Kills the process without warning; resolves when it is gone. The next one is started with this fault. */
  kill(next?: Fault): Promise<void>;
  /** Asks the process for something. */
  signal(name: NodeJS.Signals): void;
  /** Asks the process to end (SIGTERM) and starts no other. */
  retire(): Promise<void>;
  /** Resolves when the present process has ended, or after this time, with whether it has. */
  endsWithin(ms: number): Promise<boolean>;
  /** Answers /health with 200. */
  healthy(): Promise<boolean>;
}

export interface PodOptions {
  readonly program: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
}

export function startPod({ program, port, env, logFile }: PodOptions): Pod {
  let counts = { starts: 0, kills: 0, deaths: 0 };
  let fault: Fault | undefined;
  let retired = false;
  let asked = false;
  let pause = 0;
  let ended: Promise<void>;
  let child = launch();

  function launch(): ChildProcess {
    counts = { ...counts, starts: counts.starts + 1 };
    const log = openSync(logFile, 'a', 0o600);
    const startedAt = Date.now();
    const spec = fault === undefined ? '' : `${fault.point}:${fault.nth}`;
    fault = undefined;
    const started = spawn(process.execPath, [program], {
      env: { ...env, CSM_CRASH_FAULT: spec },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    ended = once(started, 'exit').then(() => {
      const killed = started.signalCode === 'SIGKILL';
      counts = {
        ...counts,
        kills: counts.kills + (killed ? 1 : 0),
        deaths: counts.deaths + (killed || asked ? 0 : 1),
      };
      pause = killed || Date.now() - startedAt > STABLE_MS ? 0 : Math.min(PAUSE_MS.most, pause * 2 || PAUSE_MS.first);
      asked = false;
      if (!retired) {
        restart().catch((error: unknown) => {
          throw error;
        });
      }
    });
    return started;
  }

  async function restart(): Promise<void> {
    if (pause > 0) await sleep(pause);
    if (!retired) child = launch();
  }

  return {
    port,
    logFile,
    starts: () => counts.starts,
    kills: () => counts.kills,
    deaths: () => counts.deaths,
    async kill(next) {
      fault = next;
      child.kill('SIGKILL');
      await ended;
    },
    signal(name) {
      child.kill(name);
    },
    async retire() {
      retired = true;
      asked = true;
      child.kill('SIGTERM');
      await ended;
    },
    endsWithin: (ms) => Promise.race([ended.then(() => true), sleep(ms, false)]),
    async healthy() {
      const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined);
      return answer?.ok === true;
    },
  };
}
