// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the devcontainer CLI
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../../src/machines/json.ts';
import {
  type Additions,
  builtServices,
  bytesOf,
  composeAdditions,
  mergeConfig,
} from '../../../src/policy/devcontainer/index.ts';
import { refusedAt, VOLUMES, vet } from './support.ts';

const ADDITIONS: Additions = {
  labels: { 'csm.managed': 'true', 'csm.repo': 'acme/app' },
  publish: { address: '127.0.0.1', hostPort: 50_051, containerPort: 50_051 },
  volumes: VOLUMES,
  worktrees: null,
  workerMount: '/opt/csm/worker',
  limits: { memoryBytes: 8 * 1024 ** 3, cpus: 2, pids: 4096 },
  network: 'isolated',
  userns: null,
  env: { CSM: '1' },
};

const OURS = [
  '--publish=127.0.0.1:50051:50051',
  '--label=csm.managed=true',
  '--label=csm.repo=acme/app',
  `--mount=type=volume,source=${VOLUMES.home},target=/csm/home`,
  '--mount=type=bind,source=/opt/csm/worker,target=/csm/worker,readonly',
  '--memory=8589934592',
  '--cpus=2',
  '--pids-limit=4096',
  '--cap-drop=NET_RAW',
];

const runArgsOf = (runArgs: readonly string[], additions: Partial<Additions> = {}) =>
  mergeConfig({ image: 'a', runArgs }, { ...ADDITIONS, ...additions }).config.runArgs;

test("the product description's configuration keeps what is its own and gets what is ours", () => {
  const repo: JsonObject = {
    image: 'ghcr.io/myorg/devcontainer-rust:latest',
    forwardPorts: [50_051],
    postStartCommand: 'python -m agent_worker.server --port 50051 &',
    mounts: [
      'source=claude-config-shared,target=/home/vscode/.claude,type=volume',
      'source=claude-mem-shared,target=/home/vscode/.claude-mem,type=volume',
    ],
    containerEnv: { ANTHROPIC_API_KEY: '${localEnv:ANTHROPIC_API_KEY}' },
    runArgs: ['--network=isolated'],
  };
  const merged = mergeConfig(repo, ADDITIONS);
  assert.equal(merged.config, {
    ...repo,
    postStartCommand:
      '(\npython -m agent_worker.server --port 50051 &\n) </dev/null >/tmp/csm-postStartCommand.log 2>&1; code=$?; cat /tmp/csm-postStartCommand.log; exit $code',
    mounts: [
      `source=${VOLUMES.home},target=/home/vscode/.claude,type=volume`,
      `source=${VOLUMES.prefix}claude-mem-shared,target=/home/vscode/.claude-mem,type=volume`,
    ],
    containerEnv: { ANTHROPIC_API_KEY: '${localEnv:ANTHROPIC_API_KEY}', CSM: '1' },
    runArgs: ['--network=isolated', ...OURS],
  });
  assert.equal(merged.ownRunArgs, OURS);
  assert.equal(
    merged.notes.map(({ path }) => path),
    ['mounts[0]', 'mounts[1]', 'postStartCommand'],
  );
  assert.equal(vet({ config: merged.config, ownRunArgs: merged.ownRunArgs }).refusals, []);
});

test('ours are right only where we put them', () => {
  const { config } = mergeConfig({ image: 'a', runArgs: OURS }, { ...ADDITIONS, network: 'isolated' });
  const refused = refusedAt(vet({ config, ownRunArgs: ['--network=isolated', ...OURS] }));
  assert.ok(refused.includes('runArgs[0]') && refused.includes('runArgs[1]'), refused.join(' '));
});

test('a repository that names no network gets ours', () => {
  assert.equal(runArgsOf(['--init']), ['--init', '--network=isolated', ...OURS]);
  assert.equal(runArgsOf(['--net', 'none']), ['--net', 'none', ...OURS]);
});

test('names, restarts and detaching are left out; limits may be lower than ours and not higher', () => {
  const merged = mergeConfig(
    {
      image: 'a',
      runArgs: [
        '--name',
        'x',
        '--restart=always',
        '-itd',
        '--rm',
        '-m',
        '512m',
        '--cpus=64',
        '--pids-limit',
        '-1',
        '--network=none',
      ],
    },
    ADDITIONS,
  );
  const expected = OURS.map((arg) => (arg.startsWith('--memory') ? '--memory=536870912' : arg));
  assert.equal(merged.config.runArgs, ['--interactive', '--tty', '--network=none', ...expected]);
  assert.equal(
    merged.notes.map(({ text }) => text.split(' ')[0]),
    ['--name', '--restart', '--detach', '--rm', '--cpus', '--pids-limit'],
  );
});

test('limits, worker mount, port and user namespace are there only if they are set', () => {
  const additions = { publish: null, workerMount: null, limits: { memoryBytes: 0, cpus: 0, pids: 0 }, userns: 'host' };
  assert.equal(runArgsOf(['--network=none', '--memory=1g'], additions), [
    '--network=none',
    '--label=csm.managed=true',
    '--label=csm.repo=acme/app',
    `--mount=type=volume,source=${VOLUMES.home},target=/csm/home`,
    '--memory=1073741824',
    '--userns=host',
    '--cap-drop=NET_RAW',
  ]);
});

test('named volumes are of one repository, however they are asked for', () => {
  const args = ['--network=none', '-v', 'db:/var/db:ro', '--mount', 'type=volume,src=x,dst=/x', '-v/repos/a:/b'];
  const merged = runArgsOf(args);
  assert.equal(Array.isArray(merged) ? merged.slice(0, 4) : merged, [
    '--network=none',
    `--volume=${VOLUMES.prefix}db:/var/db:ro`,
    `--mount=type=volume,src=${VOLUMES.prefix}x,dst=/x`,
    '-v/repos/a:/b',
  ]);
  const { config } = mergeConfig(
    { image: 'a', mounts: [{ type: 'volume', source: 'c-${devcontainerId}', target: '/c' }, 'type=tmpfs,target=/t'] },
    ADDITIONS,
  );
  assert.equal(config.mounts, [
    { type: 'volume', source: `${VOLUMES.prefix}c-\${devcontainerId}`, target: '/c' },
    'type=tmpfs,target=/t',
  ]);
});

test('a command that ends with its last line is kept as it is', () => {
  for (const command of [
    'npm ci && npm test',
    'a 2>&1',
    'a &> b',
    'a >& b',
    'a |& b',
    ['sleep 9 &'],
    { x: ['a', '&'] },
  ]) {
    assert.equal(mergeConfig({ image: 'a', postStartCommand: command }, ADDITIONS).config.postStartCommand, command);
  }
  for (const command of ['a&', 'a & b', 'a 2>&1 &', 'a && b &']) {
    assert.is.not(mergeConfig({ image: 'a', postStartCommand: command }, ADDITIONS).config.postStartCommand, command);
  }
});

test('what is no known property does not come along', () => {
  const merged = mergeConfig({ image: 'a', hostCommandOfTheFuture: 'x' }, ADDITIONS);
  assert.is('hostCommandOfTheFuture' in merged.config, false);
  assert.equal(merged.notes, [{ path: 'hostCommandOfTheFuture', text: 'Not a property known here; left out.' }]);
});

test('a volume as the workspace is the repository’s own, too', () => {
  const given = 'type=volume,source=postgres_data,target=/workspace';
  const { config, notes } = mergeConfig({ image: 'debian', workspaceMount: given }, ADDITIONS);
  assert.is(config.workspaceMount, `type=volume,source=${VOLUMES.prefix}postgres_data,target=/workspace`);
  assert.equal(
    notes.map(({ path }) => path),
    ['workspaceMount'],
  );
  const bound = 'source=${localWorkspaceFolder},target=/workspace,type=bind';
  assert.is(mergeConfig({ image: 'debian', workspaceMount: bound }, ADDITIONS).config.workspaceMount, bound);
});

test('what cannot be read is kept for vetting to refuse', () => {
  const { config } = mergeConfig({ image: 'a', runArgs: '--privileged', mounts: 'x' }, ADDITIONS);
  assert.equal([config.runArgs, config.mounts], ['--privileged', 'x']);
});

test('a compose project gets ours in a file of its own', () => {
  const repo = { dockerComposeFile: 'c.yml', service: 'app', runArgs: ['--init'] };
  assert.equal(mergeConfig(repo, ADDITIONS).ownRunArgs, []);
  const bounds = {
    labels: ADDITIONS.labels,
    cap_drop: ['NET_RAW'],
    restart: 'no',
    mem_limit: 8589934592,
    cpus: 2,
    pids_limit: 4096,
  };
  const project = {
    service: 'app',
    services: ['app', 'db'],
    built: [],
    deployed: ['db'],
    version: '3.8',
    isCompose1: false,
  };
  assert.equal(composeAdditions(project, ADDITIONS), {
    version: '3.8',
    services: {
      app: {
        ...bounds,
        ports: ['127.0.0.1:50051:50051'],
        volumes: ['csm-home:/csm/home', '/opt/csm/worker:/csm/worker:ro'],
      },
      // Whatever its image says, it is not the devcontainer, nor another repository's.
      db: {
        ...bounds,
        labels: { ...ADDITIONS.labels, 'csm.id': '' },
        // Compose refuses a service whose two ways to say a limit differ.
        deploy: {
          restart_policy: { condition: 'none' },
          resources: { limits: { memory: '8589934592', cpus: '2', pids: 4096 } },
        },
      },
    },
    volumes: { 'csm-home': { name: VOLUMES.home } },
  });
});

test('Compose 1 is not told of processes where it knows no such limit; it takes all limits from the other place', () => {
  const project = { service: 'app', services: ['app'], built: [], deployed: ['app'], version: null, isCompose1: true };
  const { app } = Object(composeAdditions(project, ADDITIONS).services);
  assert.equal(app.deploy.resources, { limits: { memory: '8589934592', cpus: '2' } });
  assert.equal([app.mem_limit, app.cpus, app.pids_limit], [8589934592, 2, 4096]);
});

test('what a compose project builds takes no name that another repository may ask for', () => {
  const compose = [
    {
      file: '/a.yml',
      document: { services: { app: { build: '.' }, db: { image: 'postgres' }, far: { extends: 'mid' } } },
    },
    { file: '/b.yml', document: { services: { app: { image: 'debian:12' }, base: { build: null }, none: null } } },
    {
      file: '/c.yml',
      document: { services: { mid: { extends: { file: 'd.yml', service: 'deep' }, image: 'debian:12' } } },
    },
    { file: '/d.yml', document: { services: { deep: { build: {}, extends: 'mid' } } } },
    { file: '/e.yml', document: 'text' },
  ];
  const built = builtServices(compose);
  assert.equal([...built].sort(), ['app', 'deep', 'far', 'mid']);
  const additions = { ...ADDITIONS, labels: { 'csm.key': '0123456789ab-1' } };
  const project = {
    service: 'app',
    services: ['app', 'db', 'mid'],
    built,
    deployed: [],
    version: null,
    isCompose1: false,
  };
  const services = Object(composeAdditions(project, additions).services);
  assert.is(services.app.image, 'localhost/csm-0123456789ab-1:app');
  assert.is(services.mid.image, 'localhost/csm-0123456789ab-1:mid');
  assert.is(services.db.image, undefined);
});

test('sizes are read as container runtimes read them', () => {
  assert.equal(
    ['512m', '2g', '1024', '1.5g', '1GiB', '4kb'].map(bytesOf),
    [536870912, 2147483648, 1024, 1610612736, 1073741824, 4096],
  );
  assert.ok(Number.isNaN(bytesOf('lots')));
});

test.run();
