// @limit 900
// Real podman, an image made of this machine's own programs, the real agent worker.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TOKEN } from '../../../agent-worker/tests/support/workerProcess.ts';
import { findWorker, type WorkerSpec } from '../../../src/adapters/devcontainer/index.ts';
import { workerCertificate } from '../../../src/adapters/worker/certificate.ts';
import { connectWorker } from '../../../src/adapters/worker/client.ts';
import { alone } from '../../support/alone.ts';
import { until } from '../../support/sshd.ts';
import { type Machine, startMachine } from './machine.ts';
import { API_KEY, runContainer, type TestContainer, thinBundle } from './workerContainer.ts';

alone();

const workers = suite<{ machine: Machine; bundle: readonly string[]; image: string }>('workers in containers');
const ABSENT = { running: false, version: '' };

workers.before(async (context) => {
  context.machine = await startMachine();
  context.bundle = await thinBundle(context.machine);
});
workers.after(async ({ machine }) => machine?.remove());

const idsOf = async (container: TestContainer, text: string): Promise<string[]> =>
  (await container.processes(text)).map((line) => line.split(' ')[0] ?? '');
const supervisorsOf = (container: TestContainer): Promise<string[]> =>
  idsOf(container, 'sh /csm/home/worker/supervise');
const workersOf = (container: TestContainer): Promise<string[]> => idsOf(container, 'dist/main.js --listen');
const logOf = (container: TestContainer): Promise<string> =>
  container.sh('cat /csm/home/worker/worker.log /csm/home/worker/worker.out');
const find = (container: TestContainer, identity = container.spec().identity) =>
  findWorker(container.host, container.id, identity);

async function failure(work: Promise<unknown>, what = 'it'): Promise<{ code: string; human: string; message: string }> {
  return work.then(
    () => {
      throw new Error(`${what} should fail`);
    },
    (error) => error,
  );
}

workers('a worker is started once and found', async ({ machine, bundle }) => {
  const container = await runContainer(machine, bundle);
  assert.equal(await find(container), ABSENT);
  const found = await container.start();
  assert.ok(found.running);
  assert.match(found.version, /^\d+\.\d+\.\d+/);
  const before = [await supervisorsOf(container), await workersOf(container)];
  assert.equal(await container.start(), found);
  assert.equal([await supervisorsOf(container), await workersOf(container)], before);
  assert.equal(await find(container), found);
  assert.equal(await find(container, 'acme/app@main#2'), ABSENT);
  assert.match(await logOf(container), /"msg":"serving"/);
});

workers('of many starts at once one starts a worker, and all find it', async ({ machine, bundle }) => {
  const container = await runContainer(machine, bundle);
  const found = await Promise.all([1, 2, 3, 4, 5].map(() => container.start()));
  assert.ok(found.every(({ running }) => running));
  await until('the losers are gone', async () => (await supervisorsOf(container)).length === 1);
  assert.is((await workersOf(container)).length, 1);
  assert.ok((await find(container)).running);
});

workers('a worker of another identity is ended first, with its supervisor', async (context) => {
  const container = await runContainer(context.machine, context.bundle);
  await container.start();
  const [first] = await workersOf(container);
  const [supervisor] = await supervisorsOf(container);
  await container.start({ identity: 'acme/app@main#2' });
  const second = await workersOf(container);
  assert.is(second.length, 1);
  assert.is.not(second[0], first);
  const supervisors = await supervisorsOf(container);
  assert.is(supervisors.length, 1);
  assert.is.not(supervisors[0], supervisor);
  assert.equal(await find(container), ABSENT);
  assert.ok((await find(container, 'acme/app@main#2')).running);
});

workers(
  'a worker that is killed is started again, and one without supervisor is replaced',
  async ({ machine, bundle }) => {
    const container = await runContainer(machine, bundle);
    await container.start();
    const [worker] = await workersOf(container);
    await container.sh(`kill -9 ${worker}`);
    await until(
      'another worker serves',
      async () => (await find(container)).running && (await workersOf(container))[0] !== worker,
    );
    assert.match(await logOf(container), /has ended and is started again/);

    const [supervisor] = await supervisorsOf(container);
    const [orphan] = await workersOf(container);
    await container.sh(`kill -9 ${supervisor}`);
    assert.equal(await find(container), ABSENT);
    await container.start();
    assert.is((await supervisorsOf(container)).length, 1);
    const left = await workersOf(container);
    assert.is(left.length, 1);
    assert.is.not(left[0], orphan);
  },
);

workers('after its container was stopped and started a worker is started again', async ({ machine, bundle }) => {
  const container = await runContainer(machine, bundle);
  await container.start();
  await machine.podman('stop', '--time', '1', container.id);
  assert.equal(await find(container), ABSENT);
  assert.is((await failure(container.start())).code, 'CONTAINER_NOT_RUNNING');
  await machine.podman('start', container.id);
  assert.equal(await find(container), ABSENT);
  assert.ok((await container.start()).running);
  await machine.podman('rm', '--force', '--time', '0', container.id);
  assert.equal(await find(container), ABSENT);
});

workers('two containers never have workers on one volume', async ({ machine, bundle }) => {
  const args = [...bundle, '--volume', '/usr/bin/flock:/usr/bin/flock:ro'];
  const older = await runContainer(machine, args, { volume: 'shared' });
  const newer = await runContainer(machine, args, { volume: 'shared' });
  await older.start();
  const refused = await failure(newer.start({ identity: 'acme/app@main#2' }));
  assert.is(refused.code, 'WORKER_VOLUME_HELD');
  assert.ok((await find(older)).running);
  // Killed without a chance to clear up.
  await older.sh('kill -9 $(pidof node) 1').catch(() => '');
  await machine.podman('rm', '--force', '--time', '0', older.id);
  assert.ok((await newer.start({ identity: 'acme/app@main#2' })).running);
});

workers('the agent’s files stay when the container is made anew with another user', async ({ machine, bundle }) => {
  const older = await runContainer(machine, bundle, { volume: 'kept' });
  await older.start();
  await older.sh('echo remembered >/csm/home/agent/.claude/memory', 'vscode');
  await machine.podman('rm', '--force', '--time', '0', older.id);
  const newer = await runContainer(machine, bundle, { volume: 'kept' });
  await newer.sh('echo dev:x:2000:2001::/home/dev:/bin/sh >>/etc/passwd; chown -R 1000 /csm/home');
  await newer.start({ identity: 'acme/app@main#2' }, 'dev');
  assert.is(await newer.sh('cat /csm/home/agent/.claude/memory', '2000:2001'), 'remembered\n');
  assert.is(
    await newer.sh('stat -c %u:%g:%a /csm/home /csm/home/agent /csm/home/worker'),
    '0:0:755\n2000:2001:700\n0:0:700\n',
  );
});

const REFUSALS: readonly {
  readonly what: string;
  readonly setUp?: string;
  readonly spec?: Partial<WorkerSpec>;
  readonly user?: string;
  readonly bundle?: 'none';
  readonly code: string;
  readonly human: RegExp;
}[] = [
  {
    what: 'no worker in the image',
    spec: { bundled: false },
    code: 'WORKER_MISSING',
    human: /SM_WORKER_MOUNT.*install `agent-worker`/,
  },
  { what: 'no bundle in the container', bundle: 'none', code: 'WORKER_BUNDLE_MISSING', human: /stop --container/ },
  {
    what: 'an image with musl',
    setUp: 'mkdir -p /lib && touch /lib/ld-musl-x86_64.so.1 /etc/alpine-release',
    code: 'WORKER_BUNDLE_VARIANT',
    human: /x64 with musl \(Alpine\).*only linux-x64-glibc/,
  },
  {
    what: 'an unknown user',
    user: 'nobody-here',
    code: 'WORKER_USER_MISSING',
    human: /no user `nobody-here`.*remoteUser/,
  },
  {
    what: 'a program of the repository on the worker’s port',
    setUp: `${process.execPath} -e 'require("net").createServer().listen(50051, "0.0.0.0")' </dev/null >/dev/null 2>&1 & until bash -c ': </dev/tcp/127.0.0.1/50051' 2>/dev/null; do sleep 0.2; done`,
    code: 'WORKER_PORT_TAKEN',
    human: /Port 50051 inside the container is taken/,
  },
  {
    what: 'a worker that ends at once',
    setUp:
      'mkdir -p /csm/home/worker && touch /csm/home/worker/worker.log && mkdir -p /csm/home/worker/state/sessions/x && mkdir /csm/home/worker/state/sessions/x/session.json',
    code: 'WORKER_FAILED',
    human: /ended as soon as it was started \(exit code 1\)/,
  },
  {
    what: 'an old Node in the image',
    setUp:
      'mkdir -p /usr/local/bin && cd /usr/local/bin && printf "#!/bin/sh\\necho v18.20.1" >node && cp node agent-worker && chmod 755 *',
    spec: { bundled: false },
    code: 'WORKER_NODE_TOO_OLD',
    human: /v18\.20\.1.*20\.18/,
  },
  {
    what: 'a worker that the agent could change',
    setUp:
      'mkdir -p /usr/local/bin && cd /usr/local/bin && printf "#!/bin/sh\\necho v20.20.1" >agent-worker && chmod 755 agent-worker && chown 1000 /usr/local/bin',
    spec: { bundled: false },
    code: 'WORKER_NOT_TRUSTED',
    human: /where the agent could change it/,
  },
  {
    what: 'a program for another machine',
    setUp:
      'mkdir -p /usr/local/bin && cd /usr/local/bin && printf "\\177ELFgarbage" >agent-worker && chmod 755 agent-worker',
    spec: { bundled: false },
    code: 'WORKER_ARCHITECTURE',
    human: /another architecture/,
  },
];

workers(
  'what keeps a worker from starting is told with the next step, and nothing is left running',
  async (context) => {
    for (const { what, setUp = 'true', spec, user, bundle, code, human } of REFUSALS) {
      const container = await runContainer(context.machine, bundle === 'none' ? [] : context.bundle);
      await container.sh(setUp);
      const refused = await failure(container.start(spec, user), what);
      assert.is(refused.code, code, `${what}: ${refused.message}`);
      assert.match(refused.human, human, what);
      assert.not.ok(`${refused.human}${refused.message}`.includes(API_KEY), what);
      assert.equal(await container.processes('agent-worker'), [], what);
      await context.machine.podman('rm', '--force', '--time', '0', container.id);
    }
  },
);

workers('a worker in a container serves with the certificate it was given, and with no other', async (context) => {
  const container = await runContainer(context.machine, context.bundle);
  const tls = workerCertificate('secret', 'acme/app@main', 1);
  await container.start({ tls });
  const ask = (certificate?: string): Promise<string> => {
    const client = connectWorker(`127.0.0.1:${container.port}`, TOKEN, certificate);
    return new Promise<string>((resolve) =>
      client.stub.describe({}, client.metadata(), { deadline: Date.now() + 20_000 }, (error, answer) =>
        resolve(error ? 'refused' : answer.identity),
      ),
    ).finally(() => client.close());
  };
  assert.is(await ask(tls.certificate), container.spec().identity);
  assert.is(await ask(workerCertificate('secret', 'acme/app@main', 2).certificate), 'refused');
  assert.is(await ask(), 'refused');
  assert.is(await container.sh('stat -c %u:%a /csm/home/worker/tls.key'), '0:600\n');
});

workers('an environment variable that none can be is refused', async ({ machine, bundle }) => {
  const container = await runContainer(machine, bundle);
  const refused = await failure(container.start({ secrets: { 'A B': 'x' } }));
  assert.is(refused.code, 'WORKER_ENVIRONMENT');
});

workers.run();
