// @limit 400
// A command that has to end does: with all its children, and whatever breaks meanwhile. Looked up in the process table.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { failureOf } from '../../../src/actors/index.ts';
import {
  AbortedError,
  ConnectionLostError,
  KilledError,
  TimeoutError,
  type Vm,
} from '../../../src/adapters/ssh/index.ts';
import { type BlackHole, startBlackHole } from '../../support/blackHole.ts';
import { connectTo, processesWith, startSshd, type TestSshd, until } from '../../support/sshd.ts';

const test = suite<{ sshd: TestSshd; vm: Vm }>('ending commands on the VM');
const timeoutMs = 120_000;

test.before.each(async (context) => {
  context.sshd = await startSshd();
  context.vm = connectTo(context.sshd);
});
test.after.each(async ({ vm, sshd }) => {
  await vm.close();
  await sshd.remove();
});

/** A length of sleep that no other process has. */
function newMark(): string {
  return `${7000 + Math.floor(Math.random() * 900)}.${randomBytes(4).readUInt32BE()}`;
}

/**
 * Children and grandchildren: in other process groups, in the background, deaf to TERM. All of them sleep for the mark;
 * there are six.
 */
const TREE = `
sleep "$1" & (sleep "$1" & sleep "$1") & timeout "$1" sleep "$1" &
sh -c 'trap "" TERM; sleep "$1"; sleep "$1"' sh "$1" &
echo ready; trap "" TERM; sleep "$1"; sleep "$1"`;
const TREE_SIZE = 6;

interface Grown {
  readonly mark: string;
  /** What it rejects with. */
  readonly failure: Promise<unknown>;
}

async function grow(
  vm: Vm,
  options: { signal?: AbortSignal; timeoutMs?: number; stdin?: Uint8Array } = {},
): Promise<Grown> {
  const mark = newMark();
  const running = vm.exec({ script: TREE, args: [mark] }, { timeoutMs, ...options });
  const failure = running.then(
    (result) => new Error(`it ended by itself: ${JSON.stringify(result)}`),
    (error: unknown) => error,
  );
  await until('the tree has grown', () => sleepers(mark) >= TREE_SIZE);
  return { mark, failure };
}

function sleepers(mark: string): number {
  return processesWith(`sleep ${mark}`).filter((line) => !line.includes('sh -c')).length;
}

/** Nothing of the command now; the wrapper's own helpers have been told to go, and may need a moment. */
async function nothingLeft(mark: string): Promise<void> {
  const ofCommand = processesWith(mark).filter((line) => !line.includes('in_bytes=$3'));
  assert.equal(ofCommand, []);
  await until('the wrapper is gone', () => processesWith(mark).length === 0);
}

test('past its time a command ends with all its grandchildren', async ({ vm }) => {
  const { mark, failure } = await grow(vm, { timeoutMs: 3000 });
  const error = await failure;
  assert.instance(error, TimeoutError);
  assert.ok(error instanceof TimeoutError && error.ended, 'the VM confirmed it');
  await nothingLeft(mark);
  assert.is((await vm.exec(['echo', 'next'], { timeoutMs })).stdout, 'next\n');
});

test('a command that names no limit has the one of short commands, and is told which setting that is', async ({
  sshd,
}) => {
  const vm = connectTo(sshd, { times: { shortMs: 1000 } });
  const mark = newMark();
  const error = await vm.exec(['sleep', mark]).catch((cause: unknown) => cause);
  assert.instance(error, TimeoutError);
  assert.match(failureOf(error).human, /longer than 1 seconds.*SM_SSH_TIMEOUT_SECS/);
  assert.equal(processesWith(mark), []);
  assert.is((await vm.exec(['sleep', '1.5'], { timeoutMs })).code, 0, 'another limit counts where it is named');
  await vm.close();
});

test('a command that is given up ends with all its grandchildren', async ({ vm }) => {
  const controller = new AbortController();
  const { mark, failure } = await grow(vm, { signal: controller.signal });
  controller.abort(new Error('no longer wanted'));
  const error = await failure;
  assert.instance(error, AbortedError);
  assert.ok(error instanceof AbortedError && error.ended);
  await nothingLeft(mark);
});

test('also while it does not read a large input', async ({ vm }) => {
  const { mark, failure } = await grow(vm, { timeoutMs: 3000, stdin: randomBytes(5_000_000) });
  const error = await failure;
  assert.instance(error, TimeoutError);
  await nothingLeft(mark);
});

test('a signal that was given before it began means that nothing begins', async ({ vm }) => {
  const mark = newMark();
  const failed = await vm.exec(['sleep', mark], { timeoutMs, signal: AbortSignal.abort(new Error('stop')) }).then(
    () => false,
    () => true,
  );
  assert.ok(failed);
  assert.equal(processesWith(mark), []);
});

test('a wrapper that is killed takes its command along', async ({ vm }) => {
  const { mark, failure } = await grow(vm);
  const wrappers = processesWith('csm-').filter((line) => line.includes(mark) && line.includes('setsid='));
  assert.ok(wrappers.length >= 2, wrappers.join('\n'));
  for (const line of wrappers) process.kill(Number(line.trim().split(' ')[0]), 'SIGKILL');
  const error = await failure;
  // exec tells it as a result; the tree is gone either way.
  assert.match(String(error), /"signal":"SIGKILL"/);
  await nothingLeft(mark);
  const killed = await vm.run({ script: 'kill -KILL $$' }, { timeoutMs }).catch((cause: unknown) => cause);
  assert.instance(killed, KilledError);
});

test('sshd killed in the middle of a command: its outcome is unknown, it is gone, the next one runs', async ({
  vm,
  sshd,
}) => {
  const { mark, failure } = await grow(vm);
  await sshd.stop();
  assert.instance(await failure, ConnectionLostError);
  await until('nothing is left', () => processesWith(mark).length === 0);
  await sshd.start();
  assert.is((await vm.exec(['echo', 'next'], { timeoutMs })).stdout, 'next\n');
});

test('the process that serves the session killed: likewise', async ({ vm, sshd }) => {
  const { mark, failure } = await grow(vm);
  for (const pid of sshd.servers()) process.kill(pid, 'SIGKILL');
  assert.instance(await failure, ConnectionLostError);
  await until('nothing is left', () => processesWith(mark).length === 0);
  assert.is((await vm.exec(['echo', 'next'], { timeoutMs })).stdout, 'next\n');
});

test('an input that is cut off is never taken for a whole one', async ({ vm, sshd }) => {
  const target = join('/tmp', `csm-cut-${randomBytes(6).toString('hex')}`);
  const through = await startBlackHole(sshd.port);
  const cut = connectTo(sshd, { port: through.port, times: { keepaliveMs: 200 } });
  await cut.ready();
  // Deaf to TERM: only that its input stays open keeps it from going on.
  const script = 'trap "" TERM; echo started; sleep 1; cat >"$1.new" && mv "$1.new" "$1"';
  const failure = cut
    .exec({ script, args: [target] }, { timeoutMs, stdin: randomBytes(20_000_000), onLine: () => through.swallow() })
    .catch((error: unknown) => error);
  assert.instance(await failure, ConnectionLostError);
  // The VM's side hears that the connection is over.
  for (const pid of sshd.servers()) process.kill(pid, 'SIGKILL');
  await until('the command is gone', () => processesWith(target).length === 0);
  assert.is((await vm.exec(['test', '-e', target], { timeoutMs })).code, 1);
  await vm.exec(['rm', '-f', `${target}.new`], { timeoutMs });
  await cut.close();
  await through.close();
});

test('a connection that falls silent is noticed, and what ran on it is ended with the next one', async ({ sshd }) => {
  const through: BlackHole = await startBlackHole(sshd.port);
  const vm = connectTo(sshd, { port: through.port, times: { keepaliveMs: 300 } });
  const { mark, failure } = await grow(vm);
  through.swallow();
  assert.instance(await failure, ConnectionLostError);
  assert.is(vm.state().up, false);
  assert.ok(sleepers(mark) >= TREE_SIZE, 'the VM has noticed nothing yet');
  through.heal();
  await until('the lost command is ended', () => processesWith(mark).length === 0);
  assert.is((await vm.exec(['echo', 'next'], { timeoutMs })).stdout, 'next\n');
  await vm.close();
  await through.close();
});

test('a silent connection is noticed within 30 seconds by default', async ({ sshd }) => {
  const through = await startBlackHole(sshd.port);
  const states: number[] = [];
  const vm = connectTo(sshd, { port: through.port, onState: ({ up }) => states.push(up ? 1 : 0) });
  await vm.ready();
  const silentSince = Date.now();
  through.swallow();
  await until('it is down', () => !vm.state().up);
  assert.ok(vm.state().since - silentSince < 30_000, `after ${vm.state().since - silentSince} ms`);
  await vm.close();
  await through.close();
});

test('a gateway that dies leaves nothing running', async ({ sshd }) => {
  const mark = newMark();
  const script = join(sshd.folder, 'gateway.mts');
  writeFileSync(
    script,
    `import { connectVm } from ${JSON.stringify(new URL('../../../src/adapters/ssh/index.ts', import.meta.url).href)};
    import { silentLog } from ${JSON.stringify(new URL('../../../src/actors/index.ts', import.meta.url).href)};
    const options = JSON.parse(process.argv[2]);
    await connectVm({ ...options, log: silentLog }).exec({ script: ${JSON.stringify(TREE)}, args: ['${mark}'] }, { timeoutMs: 100_000 });`,
  );
  const options = {
    host: '127.0.0.1',
    port: sshd.port,
    user: sshd.user,
    key: { text: sshd.key },
    hostKey: { pins: [{ fingerprint: sshd.fingerprint('ed25519') }] },
  };
  const gateway = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script, JSON.stringify(options)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await until('the tree has grown', () => sleepers(mark) >= TREE_SIZE);
  gateway.kill('SIGKILL');
  await once(gateway, 'exit');
  await until('nothing is left', () => processesWith(mark).length === 0);
});

test.run();
