// @limit 600
// Real podman, an image made of this machine's own programs, the real agent worker.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findWorker, readWorkerLog, stopWorker } from '../../../src/adapters/devcontainer/index.ts';
import { type Machine, startMachine } from './machine.ts';
import { runContainer, thinBundle } from './workerContainer.ts';

const workers = suite<{ machine: Machine; bundle: readonly string[] }>('workers in containers');

workers.before(async (context) => {
  context.machine = await startMachine();
  context.bundle = await thinBundle(context.machine);
});
workers.after(async ({ machine }) => machine?.remove());

workers('a worker is started once, found, and stopped with its supervisor', async ({ machine, bundle }) => {
  const container = await runContainer(machine, bundle);
  assert.equal(await findWorker(container.host, container.id, container.spec().identity), {
    running: false,
    version: '',
  });
  const found = await container.start();
  assert.ok(found.running);
  assert.match(found.version, /^\d+\.\d+\.\d+/);
  const before = await container.processes('agent-worker');
  console.log(before.join('\n'));
  assert.equal(await container.start(), found);
  assert.equal(await container.processes('agent-worker'), before);
  assert.equal(await findWorker(container.host, container.id, container.spec().identity), found);
  assert.equal(await findWorker(container.host, container.id, 'acme/app@main#2'), { running: false, version: '' });
  console.log(await readWorkerLog(container.host, container.id, 10));
  console.log(await container.sh('ls -lanR /csm/home; ps; cat /csm/home/worker/supervisor.out'));
  await stopWorker(container.host, container.id);
  assert.equal(await container.processes('agent-worker'), []);
});

workers.run();
