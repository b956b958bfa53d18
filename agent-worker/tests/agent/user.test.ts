// @limit 300
// Claude Code as another user than the worker: it works, and the worker's state is out of its reach.
import assert from 'node:assert/strict';
import { chmodSync, chownSync } from 'node:fs';
import { test } from 'uvu';
import { startModelApi } from '../../../simulator/src/model/index.ts';
import { attach, connect, options } from '../support/client.ts';
import { makePlace, startWorkerProcess } from '../support/workerProcess.ts';

test('an agent run as another user cannot read what the worker keeps', async () => {
  const root = process.getuid?.() === 0;
  const [uid, gid] = root ? [1000, 1000] : [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const place = makePlace();
  const api = await startModelApi();
  chmodSync(place.root, 0o755);
  for (const folder of [place.home, place.workspace]) chownSync(folder, uid, gid);
  const env = { TMPDIR: place.home };
  const args = ['--run-as', `${uid}:${gid}`];
  const worker = await startWorkerProcess({ place, modelUrl: api.url, args, env });
  const client = connect(worker.port);
  try {
    const stream = attach(client, { create: options(place.workspace) });
    stream.prompt('p1', `run: id -u; cat ${place.state}/sessions/*/* 2>&1; cat /proc/${worker.pid}/environ 2>&1; true`);
    assert.equal((await stream.ended('p1')).outcome, 'TURN_OUTCOME_COMPLETED');
    const seen = stream.all('toolResult')[0]?.summary ?? '';
    assert.equal(seen.split('\n')[0], String(uid));
    // Without root there is no other user to be, and only the user itself can be checked.
    if (root) assert.equal(seen.match(/Permission denied/g)?.length, 2, seen);
  } finally {
    client.close();
    await worker.stop();
    await api.close();
    place.remove();
  }
});

test.run();
