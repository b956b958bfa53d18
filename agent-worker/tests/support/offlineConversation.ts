// Run inside a network namespace of its own: one conversation that uses tools, with the worker and all it starts under
// strace. Prints one line of JSON for the test that started it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startModelApi } from '../../../simulator/src/model/index.ts';
import { attach, connect, options } from './client.ts';
import { makePlace, startWorkerProcess, type WorkerProcess } from './workerProcess.ts';

const place = makePlace();
let worker: WorkerProcess | undefined;
try {
  const api = await startModelApi();
  const trace = join(place.root, 'connects');
  const wrap = ['strace', '-f', '-qq', '-e', 'trace=connect', '-e', 'signal=none', '-o', trace];
  worker = await startWorkerProcess({ place, modelUrl: api.url, wrap });
  const client = connect(worker.port);
  const stream = attach(client, { create: options(place.workspace) });
  stream.prompt('p1', 'create offline.txt with the word alone, then run: cat offline.txt');
  const turn = await stream.ended('p1');
  stream.send({ $case: 'compact', value: { inputId: 'c1', hint: '' } });
  await stream.ended('c1');
  client.close();
  await worker.stop();
  await api.close();
  const connects = readFileSync(trace, 'utf8')
    .split('\n')
    .filter((line) => line.includes('connect('));
  const output = stream.all('toolResult').at(-1)?.summary;
  process.stdout.write(
    `${JSON.stringify({ outcome: turn.outcome, output, api: api.port, worker: worker.port, connects })}\n`,
  );
} finally {
  await worker?.kill();
  place.remove();
}
process.exit(0);
