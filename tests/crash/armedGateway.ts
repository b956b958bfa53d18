/**
 * The gateway as people run it, compiled, that kills itself at a fault point of the turn under way: a file that appears
 * (`CSM_CRASH_ARM`, its content `<point>:<n>`) makes it count from then on. The file is gone before it dies, so whoever looks
 * for it knows, and the process that comes next is not armed.
 *
 * It runs transpiled, in a folder of its own (see gatewayProgram.ts): nothing may be imported here but types and what Node
 * brings.
 */
import dns from 'node:dns/promises';
import { readFileSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { FaultPoint } from '../../src/actors/index.ts';

const { CSM_CRASH_DIST = '', CSM_CRASH_ARM = '', CSM_CRASH_NO_NAMES, ...env } = process.env;
if (CSM_CRASH_NO_NAMES !== undefined) {
  // Hosts that only the stand-ins know: a machine without a resolver takes seconds to say that there are none.
  Object.assign(dns, { lookup: () => Promise.reject(new Error('ENOTFOUND')) });
  syncBuiltinESMExports();
}
const compiled = (file: string) => new URL(file, CSM_CRASH_DIST).href;
const { loadConfig, problemText }: typeof import('../../src/config.ts') = await import(compiled('config.js'));
const { createLog }: typeof import('../../src/log.ts') = await import(compiled('log.js'));
const { serve }: typeof import('../../src/serve.ts') = await import(compiled('serve.js'));

const loaded = loadConfig(env, (path) => readFileSync(path, 'utf8'));
if (!loaded.ok) throw new Error(loaded.problems.map(problemText).join('\n'));

let passed = 0;
function faults(at: FaultPoint): void {
  const [point, nth] = armed().split(':');
  if (at !== point) return;
  passed += 1;
  if (passed < Number(nth)) return;
  rmSync(CSM_CRASH_ARM);
  process.kill(process.pid, 'SIGKILL');
}

function armed(): string {
  try {
    return readFileSync(CSM_CRASH_ARM, 'utf8');
  } catch {
    // Nobody has armed it.
    return '';
  }
}

const service = await serve(loaded.config, createLog(loaded.config.server.logLevel), { faults });
await new Promise<void>((resolve) => {
  process.on('SIGTERM', () => resolve());
});
await service.stop();
process.exit(0);
