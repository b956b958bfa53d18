/**
 * A gateway that dies: leads on the database of `CSM_TEST_DATABASE`, appends a line to `CSM_TEST_WORLD` for every effect it
 * carries out, and kills itself the n-th time it passes the fault point of `CSM_TEST_FAULT` (`<point>:<n>`; empty: never).
 * Delivers the events that its standard input names, as a source would: until acknowledged. Says `ready` and `done`.
 */
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createRuntime } from '../../src/actors/index.ts';
import { acquireLeadership, createStore, openDatabase } from '../../src/adapters/postgres/index.ts';
import { KINDS, untilAborted } from './support.ts';

const { CSM_TEST_DATABASE = '', CSM_TEST_WORLD = '', CSM_TEST_FAULT = '' } = process.env;
const [point, nth] = CSM_TEST_FAULT.split(':');
let passed = 0;

const db = openDatabase({ url: CSM_TEST_DATABASE });
const leadership = await acquireLeadership(db);
const runtime = createRuntime({
  kinds: KINDS,
  tasks: { link: untilAborted },
  store: createStore(db),
  handlers: {
    'chat.reply': async ({ key, params }) => {
      appendFileSync(CSM_TEST_WORLD, `${key} ${params.message}\n`);
      return { result: 'posted' };
    },
  },
  faults(at) {
    if (at !== point) return;
    passed += 1;
    if (passed === Number(nth)) process.kill(process.pid, 'SIGKILL');
  },
});
await runtime.start({ term: leadership.term });
process.stdout.write('ready\n');

for await (const line of createInterface({ input: process.stdin })) {
  const { to, event, dedupKey } = JSON.parse(line);
  await runtime.deliver([{ to, event, dedupKey }]);
  process.stdout.write(`ack ${dedupKey}\n`);
}
await runtime.stop();
await leadership.release();
await db.close();
