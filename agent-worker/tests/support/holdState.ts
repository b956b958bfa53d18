// Run as a process of its own: takes the lock on a state directory as soon as a file appears, says how that went, and
// keeps it until it is killed.
import { existsSync } from 'node:fs';
import { lockState, StateTaken } from '../../src/worker/stateLock.ts';
import { until } from './until.ts';

const [folder = '', go = ''] = process.argv.slice(2);
await until('the start', () => existsSync(go), 60_000);
try {
  lockState(folder);
  process.stdout.write('locked');
} catch (error) {
  if (!(error instanceof StateTaken)) throw error;
  process.stdout.write('taken');
}
setInterval(() => undefined, 60_000);
