// Who is spoken to and who is let in, with a real sshd.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { failureOf } from '../../../src/actors/index.ts';
import {
  AuthError,
  HostKeyError,
  type HostKeyMemory,
  type HostPin,
  parseHostPins,
  UnreachableError,
  type Vm,
  type VmOptions,
  type VmState,
} from '../../../src/adapters/ssh/index.ts';
import { connectTo, freePort, keygen, startSshd, type TestSshd, until } from '../../support/sshd.ts';

const test = suite<{ sshd: TestSshd; open: Vm[] }>('connecting to the VM');

test.before(async (context) => {
  context.sshd = await startSshd();
  context.open = [];
});
test.after.each(async ({ open }) => {
  for (const vm of open.splice(0)) await vm.close();
});
test.after(({ sshd }) => sshd.remove());

function pins(text: string): readonly HostPin[] {
  const parsed = parseHostPins(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.pins;
}

/** What `ready` rejects with; undefined if it does not. */
async function refusal(open: Vm[], sshd: TestSshd, options: Partial<VmOptions>): Promise<Error | undefined> {
  const vm = connectTo(sshd, { ...options, times: { connectMs: 5000 } });
  open.push(vm);
  return vm.ready().then(
    () => undefined,
    (error: Error) => error,
  );
}

function memory(first?: string): HostKeyMemory & { kept: string | undefined } {
  const kept = {
    kept: first,
    load: async () => kept.kept,
    save: async (key: string) => {
      kept.kept ??= key;
      return kept.kept;
    },
  };
  return kept;
}

test('a pinned fingerprint lets the VM in, whichever type its key has', async ({ sshd, open }) => {
  for (const type of ['ed25519', 'rsa'] as const) {
    assert.is(await refusal(open, sshd, { hostKey: { pins: pins(sshd.fingerprint(type)) } }), undefined, type);
  }
});

test('lines of known_hosts pin the key for their host alone: plain, hashed, with a port', async ({ sshd, open }) => {
  const line = `[127.0.0.1]:${sshd.port} ${sshd.hostKey('rsa')} a comment`;
  const file = join(sshd.folder, 'known_hosts');
  execFileSync('sh', ['-c', 'printf "%s\\n" "$1" >"$2"; ssh-keygen -q -H -f "$2"', 'sh', line, file]);
  const hashed = readFileSync(file, 'utf8');
  assert.match(hashed, /^\|1\|/);
  for (const text of [line, hashed, sshd.hostKey('ed25519'), `# first\n${line}\n\n${sshd.hostKey('ed25519')}`]) {
    assert.is(await refusal(open, sshd, { hostKey: { pins: pins(text) } }), undefined, text);
  }
  // A whole file: the key of another host does not decide which type this one is asked for.
  const whole = `other.example.com ${sshd.hostKey('ed25519')}\n${line}`;
  assert.is(await refusal(open, sshd, { hostKey: { pins: pins(whole) } }), undefined);
  const foreign = `other.example.com ${sshd.hostKey('ed25519')}`;
  assert.instance(await refusal(open, sshd, { hostKey: { pins: pins(foreign) } }), HostKeyError);
});

test('a hashed line is for its host however the name is written', async ({ sshd, open }) => {
  const file = join(sshd.folder, 'known_hosts_name');
  const line = `[localhost]:${sshd.port} ${sshd.hostKey('ed25519')}`;
  execFileSync('sh', ['-c', 'printf "%s\\n" "$1" >"$2"; ssh-keygen -q -H -f "$2"', 'sh', line, file]);
  const hostKey = { pins: pins(readFileSync(file, 'utf8')) };
  assert.is(await refusal(open, sshd, { host: 'LocalHost', hostKey }), undefined);
});

test('another host key is refused, and people are told both what was shown and what to check', async ({
  sshd,
  open,
}) => {
  const wrong = `SHA256:${'A'.repeat(43)}`;
  const error = await refusal(open, sshd, { hostKey: { pins: pins(wrong) } });
  assert.instance(error, HostKeyError);
  const { human } = failureOf(error);
  assert.match(human, /SM_VM_HOST_KEY/);
  const shown = error instanceof HostKeyError ? error.shown : [];
  assert.ok(shown.includes(sshd.fingerprint('ed25519')) && shown.includes(sshd.fingerprint('rsa')), shown.join());
});

test('without a pin nothing is trusted, and the fingerprint to compare is told', async ({ sshd, open }) => {
  const error = await refusal(open, sshd, { hostKey: { pins: [] } });
  assert.instance(error, HostKeyError);
  assert.ok(failureOf(error).human.includes(`SM_VM_HOST_KEY=${sshd.fingerprint('ed25519')}`));
  assert.match(failureOf(error).human, /SM_VM_TRUST_ON_FIRST_USE=true/);
});

test('trust on first use keeps the first key for ever; a changed one is refused', async ({ sshd, open }) => {
  const trustOnFirstUse = memory();
  assert.is(await refusal(open, sshd, { hostKey: { pins: [], trustOnFirstUse } }), undefined);
  const first = trustOnFirstUse.kept;
  assert.is(first, sshd.hostKey('ed25519'));
  await sshd.stop();
  sshd.renewHostKeys();
  await sshd.start();
  const error = await refusal(open, sshd, { hostKey: { pins: [], trustOnFirstUse } });
  assert.instance(error, HostKeyError);
  assert.match(failureOf(error).human, /has changed from SHA256:\S+ .*to SHA256:\S+/);
  assert.is(trustOnFirstUse.kept, first);
});

test('of two that trust at the same time the one that saved first decides', async ({ sshd, open }) => {
  const elsewhere = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
  const raced: HostKeyMemory = { load: async () => undefined, save: async () => elsewhere };
  assert.instance(await refusal(open, sshd, { hostKey: { pins: [], trustOnFirstUse: raced } }), HostKeyError);
});

test('a key that cannot be kept is not trusted, and it is tried again', async ({ sshd, open }) => {
  let saves = 0;
  const flaky: HostKeyMemory = {
    load: async () => undefined,
    save: async (key) => {
      saves += 1;
      if (saves === 1) throw new Error('the database is away');
      return key;
    },
  };
  assert.is(await refusal(open, sshd, { hostKey: { pins: [], trustOnFirstUse: flaky } }), undefined);
  assert.is(saves, 2);
});

test('closing does not wait for the place where the trusted key is kept', async ({ sshd }) => {
  let asked = (): void => {};
  const begun = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const silent: HostKeyMemory = {
    load: () => {
      asked();
      return new Promise(() => {});
    },
    save: async (key) => key,
  };
  const vm = connectTo(sshd, { hostKey: { pins: [], trustOnFirstUse: silent } });
  await begun;
  await vm.close();
  assert.is(vm.state().reason, 'closed');
});

test('a user key the VM does not know is an authentication error that names the variables', async ({ sshd, open }) => {
  keygen(join(sshd.folder, 'stranger'), 'ed25519');
  const error = await refusal(open, sshd, { key: { path: join(sshd.folder, 'stranger') } });
  assert.instance(error, AuthError);
  assert.match(failureOf(error).human, /SM_VM_USER.*SM_VM_SSH_KEY.*authorized_keys/);
});

test('a key that is missing, public, garbled or locked is told apart before anything is sent', async ({
  sshd,
  open,
}) => {
  keygen(join(sshd.folder, 'locked'), 'ed25519', 'a phrase');
  const cases: readonly [VmOptions['key'], RegExp][] = [
    [{ path: join(sshd.folder, 'nowhere') }, /nowhere \(SM_VM_SSH_KEY_PATH\) cannot be read/],
    [{ path: join(sshd.folder, 'id.pub') }, /public key; the private one is needed/],
    [{ path: join(sshd.folder, 'locked') }, /has a passphrase/],
    [{ text: 'hunter2 is not a key' }, /SM_VM_SSH_KEY holds no usable private key/],
  ];
  for (const [key, words] of cases) {
    const error = await refusal(open, sshd, { key });
    assert.instance(error, AuthError);
    assert.match(failureOf(error).human, words);
    assert.not.match(`${error?.message} ${failureOf(error).human}`, /hunter2/);
  }
});

test('a key that went through an environment variable still works', async ({ sshd, open }) => {
  const pinned = { hostKey: { pins: pins(sshd.fingerprint('ed25519')) } };
  for (const text of [sshd.key.trim().replaceAll('\n', '\\n'), sshd.key.replaceAll('\n', '\r\n'), sshd.key.trim()]) {
    assert.is(await refusal(open, sshd, { ...pinned, key: { text } }), undefined);
  }
});

test('a closed port and an unknown name are unreachable, each with its own words', async ({ sshd, open }) => {
  const closed = await refusal(open, sshd, { port: await freePort(), times: {} });
  assert.instance(closed, UnreachableError);
  assert.match(failureOf(closed).human, /Is sshd running there/);
  const unknown = await refusal(open, sshd, { host: 'no-such-host.invalid' });
  assert.instance(unknown, UnreachableError);
  assert.match(failureOf(unknown).human, /SM_VM_HOST/);
});

test('the state says since when and why it is down, and comes up by itself', async ({ sshd, open }) => {
  const states: VmState[] = [];
  const vm = connectTo(sshd, { onState: (state) => states.push(state) });
  open.push(vm);
  await vm.ready();
  assert.is(vm.state().up, true);
  await sshd.stop();
  await until('it is down', () => !vm.state().up);
  await until('the reason is the refused connection', () => /Is sshd running/.test(vm.state().reason));
  const { since } = vm.state();
  await sshd.start();
  await until('it is up again', () => vm.state().up);
  assert.ok(vm.state().since >= since);
  assert.equal(
    states.map(({ up }) => up).filter((up, index, all) => up !== all[index - 1]),
    [true, false, true],
  );
  assert.is((await vm.exec(['echo', 'again'], { timeoutMs: 10_000 })).stdout, 'again\n');
});

test('a VM that hangs up as soon as it has let us in is asked less and less often', async ({ sshd, open }) => {
  const changes: number[] = [];
  const pauses: number[] = [];
  const vm = connectTo(sshd, {
    onState: ({ up }) => {
      if (!up) return;
      changes.push(Date.now());
      for (const pid of sshd.servers()) process.kill(pid, 'SIGKILL');
    },
    // Called once for each pause: how far the backoff has come shows in what follows from the largest value.
    random: () => {
      pauses.push(Date.now());
      return 1;
    },
    times: { firstBackoffMs: 20, maxBackoffMs: 60_000 },
  });
  open.push(vm);
  await until('it has hung up several times', () => changes.length >= 5);
  const waited = changes.slice(1).map((at, index) => at - (pauses[index] ?? 0));
  // Doubled each time; a busy machine adds to it and takes nothing away.
  assert.ok((waited[3] ?? 0) >= 8 * 20, waited.join(' '));
});

test('what cannot be a pin is refused with words', () => {
  for (const text of ['', 'MD5:00:11', 'SHA256:short', 'host ssh-ed25519 AAAAnope', '@cert-authority * ssh-rsa AAAA']) {
    assert.ok('problem' in parseHostPins(text), text);
  }
});

test.run();
