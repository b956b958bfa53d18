// @limit 120
// Ports of the VM for workers: reserved on the VM itself, so that they hold whatever becomes of gateways.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { failureOf } from '../../../src/actors/index.ts';
import {
  type PortRequest,
  releasePort,
  reservedKeys,
  reservePort,
  WORKER_PORTS,
} from '../../../src/adapters/devcontainer/index.ts';
import { localShell } from './localShell.ts';

interface World {
  folder: string;
  strangers: Server[];
}
const test = suite<World>('worker ports');
const shell = localShell({ PATH: process.env.PATH ?? '' });
const FIRST = 41_200;

test.before.each((context) => {
  context.folder = join(mkdtempSync(join(tmpdir(), 'csm-ports-')), 'ports');
  context.strangers = [];
});
test.after.each(async ({ folder, strangers }) => {
  for (const stranger of strangers) stranger.close();
  rmSync(join(folder, '..'), { recursive: true, force: true });
});

function reserve({ folder }: World, key: string, more: Partial<PortRequest> = {}): Promise<number> {
  return reservePort(shell, { folder, instance: 'me', key, first: FIRST, avoid: [], ...more });
}

async function takenBy(context: World, port: number, host: string): Promise<void> {
  const stranger = createServer().listen(port, host);
  context.strangers.push(stranger);
  await new Promise((resolve, reject) => stranger.once('listening', resolve).once('error', reject));
}

test('a container gets the lowest free port, and the same one however often it asks', async (context) => {
  assert.is(await reserve(context, 'a-1'), FIRST);
  assert.is(await reserve(context, 'b-1'), FIRST + 1);
  assert.is(await reserve(context, 'a-1'), FIRST);
});

test('what somebody listens on is left out, on whatever address', async (context) => {
  await takenBy(context, FIRST, '127.0.0.1');
  await takenBy(context, FIRST + 1, '0.0.0.0');
  await takenBy(context, FIRST + 2, '::1');
  assert.is(await reserve(context, 'a-1'), FIRST + 3);
});

test('of many at once no two get the same', async (context) => {
  const ports = await Promise.all(Array.from({ length: 20 }, (_, index) => reserve(context, `${index}-1`)));
  assert.equal(
    [...new Set(ports)].sort(),
    Array.from({ length: 20 }, (_, index) => FIRST + index),
  );
});

test('installations that share a VM do not share ports', async (context) => {
  assert.is(await reserve(context, 'a-1'), FIRST);
  assert.is(await reserve(context, 'a-1', { instance: 'other' }), FIRST + 1);
});

test('a port that turned out to be taken is given up for another', async (context) => {
  assert.is(await reserve(context, 'a-1'), FIRST);
  assert.is(await reserve(context, 'a-1', { avoid: [FIRST] }), FIRST + 1);
  assert.is(await reserve(context, 'a-1', { avoid: [FIRST] }), FIRST + 1);
  assert.is(await reserve(context, 'a-1', { avoid: [FIRST, FIRST + 1] }), FIRST + 2);
  assert.is(await reserve(context, 'b-1'), FIRST, 'given back');
});

test('it is told which containers have one, and of other installations nothing; one is given back by itself', async (context) => {
  await reserve(context, 'a-1');
  await reserve(context, 'b-1');
  await reserve(context, 'a-1', { instance: 'other' });
  assert.equal([...(await reservedKeys(shell, { folder: context.folder, instance: 'me' }))].sort(), ['a-1', 'b-1']);
  await releasePort(shell, { folder: context.folder, instance: 'me', key: 'b-1' });
  assert.equal(readdirSync(context.folder).sort(), [String(FIRST), String(FIRST + 2), 'lock']);
});

test('when all are taken that is said', async (context) => {
  for (let index = 0; index < WORKER_PORTS; index += 1) await reserve(context, `${index}-1`);
  const error = await reserve(context, 'late-1').catch((cause: unknown) => cause);
  assert.is(failureOf(error).code, 'PORTS_EXHAUSTED');
  assert.match(failureOf(error).human, /Stop a container/);
});

test.run();
