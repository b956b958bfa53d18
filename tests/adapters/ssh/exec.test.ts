// Commands: what they are given, what comes back, and what does not show.

import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { failureOf } from '../../../src/actors/index.ts';
import { ExitError, KilledError, type Vm } from '../../../src/adapters/ssh/index.ts';
import { connectTo, processesWith, startSshd, type TestSshd, until } from '../../support/sshd.ts';

const test = suite<{ sshd: TestSshd; bashd: TestSshd; vm: Vm; bash: Vm }>('commands on the VM');
const timeoutMs = 60_000;

test.before(async (context) => {
  context.sshd = await startSshd();
  context.vm = connectTo(context.sshd);
  // A VM whose `sh` is bash, and whose start files talk.
  const bin = join(context.sshd.folder, 'bin');
  mkdirSync(bin);
  symlinkSync('/bin/bash', join(bin, 'sh'));
  context.bashd = await startSshd([`SetEnv PATH=${bin}:/usr/bin:/bin`]);
  context.bash = connectTo(context.bashd);
});
test.after(async ({ sshd, bashd, vm, bash }) => {
  await Promise.all([vm.close(), bash.close()]);
  await Promise.all([sshd.remove(), bashd.remove()]);
});

test('code, stdout and stderr come back, with dash and with bash as sh', async ({ vm, bash }) => {
  for (const shell of [vm, bash]) {
    const result = await shell.exec({ script: 'echo out; echo err >&2; exit 7' }, { timeoutMs });
    assert.equal(result, { code: 7, signal: null, stdout: 'out\n', stderr: 'err\n', truncated: false });
  }
  assert.match((await bash.run({ script: 'echo "$BASH_VERSION"' }, { timeoutMs })).stdout, /^\d/);
  assert.is((await vm.run({ script: 'echo "$BASH_VERSION"' }, { timeoutMs })).stdout, '\n');
});

test('a failed command is an error where success is needed, with the end of its stderr', async ({ vm }) => {
  let failure: unknown;
  await vm.run({ script: 'echo first >&2; echo the reason >&2; exit 3' }, { timeoutMs }).catch((error: unknown) => {
    failure = error;
  });
  assert.instance(failure, ExitError);
  assert.ok(failure instanceof ExitError && failure.exitCode === 3 && failure.stderrTail === 'first\nthe reason');
  assert.match(failureOf(failure).human, /exit code 3: the reason/);
});

test('a command that is killed from outside is told apart from one that fails', async ({ vm, bash }) => {
  for (const shell of [vm, bash]) {
    let failure: unknown;
    await shell.run({ script: 'kill -KILL $$' }, { timeoutMs }).catch((error: unknown) => {
      failure = error;
    });
    assert.instance(failure, KilledError);
    assert.is(failure instanceof KilledError && failure.signal, 'SIGKILL');
  }
});

test('a command that does not exist is exit code 127', async ({ vm, bash }) => {
  for (const shell of [vm, bash]) assert.is((await shell.exec(['no-such-thing'], { timeoutMs })).code, 127);
});

test('binary input arrives whole, and input nobody reads does no harm', async ({ vm, bash }) => {
  const bytes = randomBytes(3_000_001);
  for (const shell of [vm, bash]) {
    const { stdout } = await shell.run(['sha256sum'], { stdin: bytes, timeoutMs });
    assert.is(stdout, `${createHash('sha256').update(bytes).digest('hex')}  -\n`);
    assert.is((await shell.run(['true'], { stdin: bytes, timeoutMs })).code, 0);
    assert.is((await shell.run(['head', '-c', '3'], { stdin: 'abcdef', timeoutMs })).stdout, 'abc');
    assert.is((await shell.run(['cat'], { timeoutMs })).stdout, '');
  }
});

test('of too much output the beginning and the end are kept, with a mark between', async ({ vm }) => {
  const script = 'echo begin; head -c 2000000 /dev/zero | tr "\\0" x; echo; echo end';
  const result = await vm.run({ script }, { timeoutMs, maxOutputBytes: 10_000 });
  assert.is(result.truncated, true);
  assert.match(result.stdout, /^begin\nx+\n\[\.\.\. 1990011 bytes left out \.\.\.\]\nx+\nend\n$/);
  assert.ok(result.stdout.length < 10_100);
  const whole = await vm.run({ script }, { timeoutMs, maxOutputBytes: 3_000_000 });
  assert.is(whole.truncated, false);
  assert.is(whole.stdout.length, 2_000_011);
});

test('lines are told while the command runs; a carriage return ends one, characters are not cut', async ({ vm }) => {
  const lines: string[] = [];
  const gate = join('/tmp', `csm-gate-${randomBytes(6).toString('hex')}`);
  const script = `printf 'eins\\rz\\303'; sleep 0.1; printf '\\274wei\\n'; echo drei >&2
    while [ ! -e "$1" ]; do sleep 0.05; done; rm "$1"; printf vier`;
  const running = vm.run(
    { script, args: [gate] },
    { timeoutMs, onLine: (line, stream) => lines.push(`${stream} ${line}`) },
  );
  await until('three lines are there', () => lines.length === 3);
  assert.equal([...lines].sort(), ['stderr drei', 'stdout eins', 'stdout züwei']);
  await vm.run(['touch', gate], { timeoutMs });
  await running;
  assert.is(lines.at(-1), 'stdout vier');
});

test('input and environment never show in the process table', async ({ vm }) => {
  const secret = `secret-${randomBytes(12).toString('hex')}`;
  const seen: string[] = [];
  const running = vm.run(
    { script: 'echo ready; cat >/dev/null; sleep 1; [ -n "$TOKEN" ] && echo "$TOKEN"' },
    { timeoutMs, stdin: secret, env: { TOKEN: secret }, onLine: () => seen.push(...processesWith(secret)) },
  );
  assert.is((await running).stdout, `ready\n${secret}\n`);
  assert.equal(seen, []);
});

test('a command sees only its own descriptors and leads a session of its own', async ({ vm, bash }) => {
  for (const shell of [vm, bash]) {
    // Without a pipe, which the shell itself would hold for a moment.
    const script = 'ls -m /proc/$$/fd; cut -d" " -f5,6 /proc/$$/stat; echo $$';
    const [fds = '', ids = '', pid = ''] = (await shell.run({ script }, { timeoutMs })).stdout.split('\n');
    assert.match(fds, /^0, 1, (10, )?2(, 255)?$/);
    assert.is(ids, `${pid} ${pid}`);
  }
});

test('what a command leaves behind in its session ends with it; a daemon stays and does not hold it up', async ({
  vm,
  bash,
}) => {
  for (const shell of [vm, bash]) {
    const mark = `${9000 + Math.floor(Math.random() * 900)}.${randomBytes(3).readUIntBE(0, 3)}`;
    await shell.run(
      { script: 'sleep "$1" & (trap "" TERM; sleep "$1") & timeout "$1" sleep "$1" & true', args: [mark] },
      { timeoutMs },
    );
    await until('nothing is left', () => processesWith(mark).length === 0);
    const { stdout } = await shell.run(
      { script: 'setsid sleep "$1" & sleep 0.2; echo done', args: [mark] },
      { timeoutMs },
    );
    assert.is(stdout, 'done\n');
    const [daemon = ''] = processesWith(mark);
    assert.match(daemon, /sleep/);
    process.kill(Number(daemon.trim().split(' ')[0]), 'SIGKILL');
  }
});

test('a daemon that goes on printing into the output of its command does not hold it up', async ({ vm }) => {
  const mark = `csm-talk-${randomBytes(6).toString('hex')}`;
  const script =
    'setsid sh -c \'trap "" PIPE; for i in $(seq 999); do echo on; sleep 0.2; done\' "$1" & sleep 0.5; exit 3';
  try {
    const result = await vm.exec({ script, args: [mark] }, { timeoutMs: 3000 });
    assert.is(result.code, 3, 'it ended in time, and that is told');
  } finally {
    for (const line of processesWith(mark)) process.kill(Number(line.trim().split(' ')[0]), 'SIGKILL');
  }
});

test('what start files print is not taken for output', async ({ sshd }) => {
  // As the far side sees it: a login shell that talks before it runs what it was given.
  const talking = await startSshd([`ForceCommand echo "welcome to $USER"; echo hm >&2; sh -c "$SSH_ORIGINAL_COMMAND"`]);
  const vm = connectTo(talking);
  const result = await vm.run({ script: 'echo out; echo err >&2' }, { timeoutMs });
  assert.equal([result.stdout, result.stderr], ['out\n', 'err\n']);
  await vm.close();
  await talking.remove();
  assert.ok(sshd.port > 0);
});

test('a login shell that runs nothing is named, with what it said', async () => {
  const closed = await startSshd(['ForceCommand echo This account is currently not available.; exit 1']);
  const vm = connectTo(closed);
  const told = new Set<string>();
  // It ends before the command has come to it: again and again, its last word stands in the packet of its first.
  for (let time = 0; time < 60; time += 1) {
    await vm.run(['true'], { timeoutMs }).catch((error: { human: string }) => told.add(error.human));
  }
  await vm.close();
  await closed.remove();
  assert.is(told.size, 1, [...told].join('\n'));
  assert.match([...told][0] ?? '', /cannot run commands \("This account is currently not available\."\)/);
});

test('a file is replaced whole, with its mode, and read back; a missing one is undefined', async ({ vm, sshd }) => {
  const folder = join(sshd.folder, 'files');
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  const path = join(folder, 'it');
  const bytes = randomBytes(500_000);
  assert.is(await vm.readFile(path, 1000), undefined);
  await vm.writeFile(path, bytes, 0o640);
  assert.equal(await vm.readFile(path, 600_000), bytes);
  await vm.writeFile(path, 'short', 0o600);
  assert.is((await vm.readFile(path, 1000))?.toString(), 'short');
  assert.is((await vm.run(['stat', '-c', '%a', path], { timeoutMs })).stdout, '600\n');
  assert.is((await vm.run(['ls', '-A', folder], { timeoutMs })).stdout, 'it\n');
  let tooBig = '';
  await vm.readFile(path, 3).catch((error: Error) => {
    tooBig = error.message;
  });
  assert.match(tooBig, /larger than 3 bytes/);
});

test('a command that cannot be sent is refused before it is', async ({ vm }) => {
  const cases: readonly [Parameters<Vm['exec']>[0], object][] = [
    [[], {}],
    [['x'.repeat(200_000)], {}],
    [['true'], { cwd: 'relative' }],
    [['true'], { env: { 'A B': '1' } }],
  ];
  for (const [command, options] of cases) {
    let code = '';
    await vm.exec(command, { timeoutMs, ...options }).catch((error: { code: string }) => {
      code = error.code;
    });
    assert.is(code, 'SSH_COMMAND');
  }
});

test.run();
