/**
 * The gateway as people run it, compiled, configured by its environment, with three additions: it kills itself when it passes
 * a fault point for the n-th time (`CSM_CRASH_FAULT=<point>:<n>`), and it can be sabotaged (`CSM_CRASH_SABOTAGE=<name>`; the
 * point `sabotage` is then where that does its harm). Asked by SIGUSR2 it collects its garbage and writes the bytes that are
 * left of its heap to the file `CSM_CRASH_HEAP`, a line each time.
 *
 * It runs transpiled, in a folder of its own (see gatewayProgram.ts): nothing may be imported here but types, what Node brings
 * and files that are transpiled with it.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { FaultPoint } from '../../src/actors/index.ts';
import { isSabotage, sabotaged } from './sabotage.ts';

const { CSM_CRASH_DIST = '', CSM_CRASH_FAULT = '', CSM_CRASH_SABOTAGE = '', CSM_CRASH_HEAP = '', ...env } = process.env;
const compiled = (file: string) => new URL(file, CSM_CRASH_DIST).href;
const { loadConfig, problemText }: typeof import('../../src/config.ts') = await import(compiled('config.js'));
const { createLog }: typeof import('../../src/log.ts') = await import(compiled('log.js'));
const { serve }: typeof import('../../src/serve.ts') = await import(compiled('serve.js'));

const loaded = loadConfig(env, (path) => readFileSync(path, 'utf8'));
if (!loaded.ok) throw new Error(loaded.problems.map(problemText).join('\n'));
const log = createLog(loaded.config.server.logLevel);

const [point, nth] = CSM_CRASH_FAULT.split(':');
let passed = 0;
function faults(at: FaultPoint | 'sabotage'): void {
  if (at !== point) return;
  passed += 1;
  if (passed === Number(nth)) process.kill(process.pid, 'SIGKILL');
}

/** Wide enough to be hit by chance, too. */
const WINDOW_MS = 120;
async function window(): Promise<void> {
  faults('sabotage');
  await sleep(WINDOW_MS);
}

if (CSM_CRASH_HEAP !== '') {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  process.on('SIGUSR2', () => {
    collect();
    appendFileSync(CSM_CRASH_HEAP, `${process.memoryUsage().heapUsed}\n`);
  });
}

const service = await serve(loaded.config, log, {
  faults,
  ...(isSabotage(CSM_CRASH_SABOTAGE) ? { wrapStore: (store) => sabotaged(CSM_CRASH_SABOTAGE, store, window) } : {}),
});
await new Promise<void>((resolve) => {
  process.on('SIGTERM', () => resolve());
});
await service.stop();
process.exit(0);
