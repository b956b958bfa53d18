// @limit 420
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the devcontainer CLI
// Real podman, the real devcontainer CLI, an image made of this machine's own programs.
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  devcontainerUp,
  findOrphans,
  inspectOurs,
  keyOf,
  listOurs,
  removeOurs,
  type Shell,
  StartCommandError,
} from '../../../src/adapters/devcontainer/index.ts';
import { alone } from '../../support/alone.ts';
import { IMAGE, type Machine, startMachine } from './machine.ts';
import { failure, lastHostPort, project, SECRET } from './project.ts';

alone();

const machineTests = suite<{ machine: Machine }>('devcontainer');

machineTests.before(async (context) => {
  context.machine = await startMachine({ GH_TOKEN: 'gh-token-of-the-vm' });
});
machineTests.after(async ({ machine }) => machine?.remove());

machineTests('an ordinary repository comes up, with its own settings and ours', async ({ machine }) => {
  const app = await project(machine, 'ordinary', {
    '.devcontainer/devcontainer.json': `\uFEFF{
      // Grüße: trailing commas, comments, and more than ASCII
      "name": "Über-Projekt ✓",
      "image": "${IMAGE}",
      "remoteUser": "root",
      "containerEnv": { "GREETING": "grüß dich 日本", "KEY": "\${localEnv:ANTHROPIC_API_KEY}", },
      "runArgs": ["--network=isolated", "--hostname", "own-name", "--name", "fixed", "--memory=1t",],
      "mounts": ["source=cache,target=/cache,type=volume",],
      /* runs in the container */
      "postCreateCommand": "echo created > /created",
      "postStartCommand": "echo started > /started",
    }`,
  });
  const up = await app.up();
  assert.match(up.containerId, /^[0-9a-f]{64}$/);
  assert.equal([up.remoteUser, up.workspaceFolder], ['root', '/workspaces/ordinary']);

  const [details] = JSON.parse(await machine.podman('container', 'inspect', up.containerId));
  assert.is(details.Config.Hostname, 'own-name');
  assert.is.not(details.Name, 'fixed');
  assert.ok(details.Config.Env.includes('GREETING=grüß dich 日本'));
  assert.ok(details.Config.Env.includes(`KEY=${SECRET}`));
  assert.is(details.HostConfig.Memory, 256 * 1024 ** 2);
  assert.is(details.HostConfig.PidsLimit, 200);
  assert.is(details.HostConfig.NanoCpus, 1_000_000_000);
  assert.equal(Object.keys(details.NetworkSettings.Networks), ['isolated']);
  const labels = details.Config.Labels;
  assert.equal(
    [labels['csm.managed'], labels['csm.instance'], labels['csm.repo'], labels['csm.branch'], labels['csm.generation']],
    ['true', 'test', 'acme/ordinary', 'main', '1'],
  );
  const mounted: { Name?: string; Destination: string }[] = details.Mounts;
  const volume = (target: string) => mounted.find(({ Destination }) => Destination === target)?.Name ?? '';
  assert.match(volume('/csm/home'), /^csm-home-[0-9a-f]{12}$/);
  assert.match(volume('/cache'), /^csm-[0-9a-f]{12}-cache$/);
  assert.is(await machine.podman('exec', up.containerId, 'cat', '/created', '/started'), 'created\nstarted\n');

  const [ours] = await listOurs({ shell: machine.shell, runtime: 'podman' }, 'test');
  assert.is(ours?.id, up.containerId);
  assert.equal(ours?.mounts, [{ source: app.checkout, target: '/workspaces/ordinary' }]);
  assert.ok(app.progress.includes('Starting the container.'), app.progress.join(' '));
  assert.ok(app.progress.includes("Running the repository's postCreateCommand."), app.progress.join(' '));
  assert.equal(readdirSync(app.checkout), ['.devcontainer'], 'nothing was written into the checkout');
  assert.equal(readdirSync(join(app.checkout, '.devcontainer')), ['devcontainer.json']);

  await machine.podman('exec', up.containerId, 'rm', '/started');
  const again = await app.up();
  assert.is(again.containerId, up.containerId, 'a second one finds the first');
  assert.is(
    await machine.podman('exec', up.containerId, 'ls', '/started').catch(() => 'not run again'),
    'not run again',
  );
});

machineTests('a repository without a configuration gets the default one, outside its checkout', async ({ machine }) => {
  const app = await project(machine, 'plain', { 'README.md': 'hello' });
  const { own } = await app.prepare();
  assert.is(own, false);
  const up = await app.up();
  assert.equal(readdirSync(app.checkout), ['README.md']);
  assert.is(await machine.podman('exec', up.containerId, 'cat', '/workspaces/plain/README.md'), 'hello');
});

machineTests("the product description's configuration comes up, its `&` included", async ({ machine }) => {
  const app = await project(machine, 'described', {
    '.devcontainer/devcontainer.json': `{
    "image": "ghcr.io/myorg/devcontainer-rust:latest",
    "forwardPorts": [50051],
    "postStartCommand": "while sleep 1; do echo alive || exit 1; done &",
    "mounts": [
        "source=claude-config-shared,target=/home/vscode/.claude,type=volume",
        "source=claude-mem-shared,target=/home/vscode/.claude-mem,type=volume"
    ],
    "containerEnv": {
        "ANTHROPIC_API_KEY": "\${localEnv:ANTHROPIC_API_KEY}"
    },
    "runArgs": ["--network=isolated"]
}`,
  });
  const up = await app.up();
  const log = () => machine.podman('exec', up.containerId, 'cat', '/tmp/csm-postStartCommand.log').catch(() => 'none');
  for (let seen = await log(); seen !== 'none' && !seen.includes('alive\nalive'); ) seen = await log();
  assert.match(await log(), /alive\nalive/, 'what it started in the background runs on, and prints where it may');
  const [details] = JSON.parse(await machine.podman('container', 'inspect', up.containerId));
  const names: string[] = details.Mounts.map(({ Name = '' }) => Name);
  assert.ok(!names.includes('claude-config-shared') && !names.includes('claude-mem-shared'), names.join(' '));
});

machineTests('a failing start command is told, and its container is kept', async ({ machine }) => {
  const app = await project(machine, 'failing', {
    '.devcontainer/devcontainer.json': JSON.stringify({
      image: IMAGE,
      containerEnv: { KEY: '${localEnv:ANTHROPIC_API_KEY}' },
      postCreateCommand: 'echo "the key is $KEY"; echo no such package; exit 3',
    }),
  });
  const { code, human, error } = await failure(app.up());
  assert.is(code, 'DEVCONTAINER_COMMAND_FAILED');
  assert.match(human, /postCreateCommand failed/);
  assert.match(human, /no such package/);
  assert.match(human, /the key is \*\*\*/);
  assert.not.match(human, new RegExp(SECRET));
  assert.ok(error instanceof StartCommandError);
  const host = { shell: machine.shell, runtime: 'podman' as const };
  const kept = error instanceof StartCommandError ? await inspectOurs(host, error.containerId, 'test') : undefined;
  assert.is(kept?.running, true);
});

machineTests('a Dockerfile is built, and its failure is told by its last lines', async ({ machine }) => {
  const files = (command: string) => ({
    '.devcontainer/devcontainer.json': JSON.stringify({ build: { dockerfile: 'Dockerfile', context: '..' } }),
    '.devcontainer/Dockerfile': `FROM ${IMAGE}\nRUN ${command}\n`,
  });
  const good = await project(machine, 'built', files('echo built > /built'));
  const up = await good.up();
  assert.is(await machine.podman('exec', up.containerId, 'cat', '/built'), 'built\n');
  assert.ok(
    good.progress.some((sentence) => /step 2 of 2/.test(sentence)),
    good.progress.join(' '),
  );
  const bad = await project(machine, 'broken', files('echo this is why; exit 7'));
  const { code, human } = await failure(bad.up());
  assert.is(code, 'DEVCONTAINER_BUILD_FAILED');
  assert.match(human, /this is why/);
});

machineTests('hostile configurations make no container and run nothing on the machine', async ({ machine }) => {
  const mark = join(machine.folder, 'ran-on-the-host');
  const before = await machine.podman('ps', '--all', '--quiet');
  await machine.podman(
    'build',
    '--quiet',
    '--tag',
    'localhost/hostile:1',
    '--label',
    `devcontainer.metadata=${JSON.stringify([{ privileged: true, mounts: ['type=bind,source=/,target=/host'] }])}`,
    '--file',
    await dockerfile(machine),
    machine.folder,
  );
  const feature = { id: 'f', version: '1.0.0', name: 'f', privileged: true, capAdd: ['SYS_ADMIN'] };
  const hostile: Readonly<Record<string, { config: object; files?: Record<string, string>; path: RegExp }>> = {
    command: { config: { image: IMAGE, initializeCommand: `touch ${mark}` }, path: /initializeCommand/ },
    privileged: { config: { image: IMAGE, runArgs: ['--privileged'] }, path: /runArgs\[0\]/ },
    mount: { config: { image: IMAGE, mounts: ['type=bind,source=/,target=/host'] }, path: /mounts\[0\]/ },
    secret: { config: { image: IMAGE, containerEnv: { T: '${localEnv:GH_TOKEN}' } }, path: /SM_ALLOWED_LOCAL_ENV/ },
    label: { config: { image: 'localhost/hostile:1' }, path: /image localhost\/hostile:1: devcontainer\.metadata/ },
    base: {
      config: { build: { dockerfile: 'Dockerfile' } },
      files: { '.devcontainer/Dockerfile': 'ARG BASE=localhost/hostile:1\nFROM $BASE\n' },
      path: /merged configuration\.privileged/,
    },
    feature: {
      config: { image: IMAGE, features: { './f': {} } },
      files: {
        '.devcontainer/f/devcontainer-feature.json': JSON.stringify(feature),
        '.devcontainer/f/install.sh': `#!/bin/sh\ntouch ${mark}\n`,
      },
      path: /Feature \.\/f\.privileged/,
    },
    compose: {
      config: { dockerComposeFile: 'compose.yml', service: 'app' },
      files: { '.devcontainer/compose.yml': `services: { app: { image: "${IMAGE}", network_mode: host } }` },
      path: /services\.app\.network_mode/,
    },
    yaml: {
      config: { dockerComposeFile: 'compose.yml', service: 'app' },
      files: { '.devcontainer/compose.yml': 'services: { app: { privileged: !!js true } }' },
      path: /is not a compose file/,
    },
  };
  for (const [name, { config, files = {}, path }] of Object.entries(hostile)) {
    const app = await project(machine, name, { ...files, '.devcontainer/devcontainer.json': JSON.stringify(config) });
    const { code, human, message } = await failure(app.up());
    assert.is(code, 'DEVCONTAINER_REFUSED', `${name}: ${message}`);
    assert.match(human, path, name);
  }
  assert.is(existsSync(mark), false);
  assert.is(await machine.podman('ps', '--all', '--quiet'), before);
});

async function dockerfile(machine: Machine): Promise<string> {
  const folder = await machine.checkout('hostile-image', { Dockerfile: `FROM ${IMAGE}\n` });
  return join(folder, 'Dockerfile');
}

machineTests('the same command runs once it is allowed', async ({ machine }) => {
  const mark = join(machine.folder, 'allowed-on-the-host');
  const app = await project(machine, 'allowed', {
    '.devcontainer/devcontainer.json': JSON.stringify({ image: IMAGE, initializeCommand: `touch ${mark}` }),
  });
  const { call, notes } = await app.prepare({ allowHostCommands: true });
  assert.is(existsSync(mark), false, 'preparing runs nothing');
  assert.ok(notes.some(({ path }) => path === 'initializeCommand'));
  await devcontainerUp(machine.shell, { ...call, localEnv: {}, project: 'x', timeoutMs: 120_000 });
  assert.is(existsSync(mark), true);
});

machineTests("the machine's variables do not reach the repository", async ({ machine }) => {
  const app = await project(machine, 'curious', {
    '.devcontainer/devcontainer.json': JSON.stringify({ image: IMAGE, containerEnv: { T: 'x${localEnv:GH_TOKEN}x' } }),
  });
  const { call } = await app.prepare({ allowedLocalEnv: ['GH_TOKEN'] });
  const up = await devcontainerUp(machine.shell, { ...call, localEnv: {}, project: 'x', timeoutMs: 120_000 });
  const env = await machine.podman('exec', up.containerId, 'env');
  assert.match(env, /^T=xx$/m, 'allowed, but not handed over: the environment is clean');
});

machineTests('a missing image, a missing network and a taken port are told apart', async ({ machine }) => {
  const app = async (name: string, config: object) =>
    project(machine, name, { '.devcontainer/devcontainer.json': JSON.stringify(config) });
  const network = await app('no-network', { image: IMAGE, runArgs: ['--network=nowhere'] });
  const { call } = await network.prepare({ allowedNetworks: ['nowhere'] });
  const run = { ...call, localEnv: {}, project: 'x', timeoutMs: 120_000 };
  const missing = await failure(devcontainerUp(machine.shell, run));
  assert.is(missing.code, 'NETWORK_MISSING', missing.message);

  const port = await app('port', { image: IMAGE });
  const stranger = createServer().listen(lastHostPort(), '127.0.0.1');
  await new Promise((resolve) => stranger.once('listening', resolve));
  try {
    const taken = await failure(port.up());
    assert.is(taken.code, 'PORT_TAKEN', taken.message);
  } finally {
    stranger.close();
  }

  const image = await app('no-image', { image: 'localhost/none:1' });
  const none = await failure(image.prepare());
  assert.is(none.code, 'IMAGE_UNREACHABLE', none.message);
  assert.match(none.human, /registry does not answer/);
});

machineTests('a command that never ends is ended, with where it was', async ({ machine }) => {
  const app = await project(machine, 'endless', {
    '.devcontainer/devcontainer.json': JSON.stringify({ image: IMAGE, postCreateCommand: 'sleep 1000' }),
  });
  const { code, human } = await failure(app.up(8000));
  assert.is(code, 'DEVCONTAINER_TIMEOUT');
  assert.match(human, /longer than 8 seconds/);
  const [left] = (await listOurs({ shell: machine.shell, runtime: 'podman' }, 'test')).filter(
    ({ labels }) => labels['csm.key'] === keyOf(app.owner),
  );
  assert.ok(left, 'what is left of it is found by its labels');
});

machineTests('giving up ends it', async ({ machine }) => {
  const app = await project(machine, 'given-up', {
    '.devcontainer/devcontainer.json': JSON.stringify({ image: IMAGE, postCreateCommand: 'sleep 1000' }),
  });
  const stop = new AbortController();
  const waiting = failure(app.up(120_000, stop.signal));
  while (!app.progress.includes("Running the repository's postCreateCommand.")) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  stop.abort();
  assert.is((await waiting).code, 'SSH_ABORTED');
});

machineTests('our containers stop, start and go; those of others stay', async ({ machine }) => {
  const host = { shell: machine.shell, runtime: 'podman' as const };
  const stranger = (await machine.podman('run', '--detach', '--network=none', IMAGE, 'sleep', '1000')).trim();
  const neighbour = (
    await machine.podman(
      'run',
      '--detach',
      '--network=none',
      '--label=csm.managed=true',
      '--label=csm.instance=other',
      '--label=csm.key=k',
      IMAGE,
      'sleep',
      '1000',
    )
  ).trim();
  const ours = await listOurs(host, 'test');
  const [live, old] = ours;
  assert.ok(live && old && ours.every(({ id }) => id !== stranger && id !== neighbour));
  const orphans = findOrphans(ours, 'test', new Set([live?.labels['csm.key'] ?? '']));
  assert.ok(!orphans.some(({ id }) => id === live?.id));
  // One that somebody removes between the list and the look at it takes none of the others with it.
  const exec: Shell['exec'] = async (command, options) => {
    const result = await machine.shell.exec(command, options);
    if (Array.isArray(command) && command[1] === 'ps') await machine.podman('rm', '--force', '--time', '0', old.id);
    return result;
  };
  const racing = await listOurs({ ...host, shell: { ...machine.shell, exec } }, 'test');
  assert.equal(
    racing.map(({ id }) => id),
    ours.filter((each) => each !== old).map(({ id }) => id),
  );
  for (const { id } of orphans) await removeOurs(host, id, 'test');
  assert.equal(
    (await listOurs(host, 'test')).map(({ id }) => id),
    [live?.id],
  );
  assert.is(await inspectOurs(host, old?.id ?? '', 'test'), undefined);
  await removeOurs(host, old?.id ?? '', 'test');

  const id = live?.id ?? '';
  await machine.podman('stop', '--time', '1', id);
  assert.is((await inspectOurs(host, id, 'test'))?.running, false);
  await machine.podman('start', id);
  assert.is((await inspectOurs(host, id, 'test'))?.running, true);

  for (const other of [stranger, neighbour]) {
    for (const act of [removeOurs, inspectOurs]) {
      assert.is((await failure(act(host, other, 'test'))).code, 'CONTAINER_NOT_OURS');
    }
    assert.is((await machine.podman('inspect', '--format', '{{.State.Running}}', other)).trim(), 'true');
  }
  assert.is((await failure(removeOurs(host, stranger.slice(0, 12), 'test'))).code, 'CONTAINER_ID');
});

machineTests.run();
