// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a Dockerfile has variables
// What programs print, and what becomes of it. No machine needed.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RetryableError, TerminalError } from '../../../src/actors/index.ts';
import {
  baseImages,
  type Container,
  chooseConfig,
  createLogReader,
  createScrub,
  findOrphans,
  idLabelOf,
  keyOf,
  labelsOf,
  parseConfigText,
  parseConfiguration,
  parseInspect,
  parseLogLine,
  parseYaml,
  readResult,
  StartCommandError,
  sentenceOf,
  upError,
  volumesOf,
} from '../../../src/adapters/devcontainer/index.ts';

const ID = 'a'.repeat(64);
const OTHER_ID = 'b'.repeat(64);

function thrown(act: () => unknown): TerminalError | RetryableError {
  try {
    act();
  } catch (error) {
    if (error instanceof TerminalError || error instanceof RetryableError) return error;
    throw error;
  }
  throw new Error('It did not fail');
}

test('JSON with comments, trailing commas, a byte order mark and any script is read', () => {
  const text = '\uFEFF// ä\n{ "a": [1, 2,], /* 漢字 */ "b": "ü // no comment", }\n';
  assert.equal(parseConfigText(text, 'f'), { a: [1, 2], b: 'ü // no comment' });
});

test('what cannot be read is told by its place, not by its text', () => {
  const error = thrown(() => parseConfigText('{\n  "a": SECRET\n}', 'devcontainer.json'));
  assert.is(error.code, 'DEVCONTAINER_SYNTAX');
  assert.match(error.human ?? '', /line 2, column 8/);
  assert.not.match(`${error.message} ${error.human}`, /SECRET/);
  for (const text of ['', '[]', 'null', '"x"', '{', '{"a":1} x']) {
    assert.is(thrown(() => parseConfigText(text, 'f')).code, 'DEVCONTAINER_SYNTAX', text);
  }
});

test('the usual configuration wins; of several others one must be chosen', () => {
  const usual = '.devcontainer/devcontainer.json';
  const [a, b] = ['.devcontainer/a/devcontainer.json', '.devcontainer/b/devcontainer.json'];
  assert.is(chooseConfig([a, '.devcontainer.json', usual], ''), usual);
  assert.is(chooseConfig([a, '.devcontainer.json'], ''), '.devcontainer.json');
  assert.is(chooseConfig([a], ''), a);
  assert.is(chooseConfig([usual, a, b], 'b'), b);
  assert.is(chooseConfig([], ''), undefined);
  const several = thrown(() => chooseConfig([b, a], ''));
  assert.is(several.code, 'DEVCONTAINER_CHOICE');
  assert.match(several.human ?? '', /There are: a, b\./);
  assert.is(thrown(() => chooseConfig([a], 'c')).code, 'DEVCONTAINER_CHOICE');
});

test('compose files are read as data, and what is odd about them is not read at all', () => {
  assert.equal(parseYaml('a: &x {b: 1}\nc: {<<: *x, d: 2}\n'), { a: { b: 1 }, c: { b: 1, d: 2 } });
  assert.equal(parseYaml('a: {ports: !reset [], privileged: !override true}'), { a: { ports: [], privileged: true } });
  for (const text of ['a: !!js/function x', 'a: !evil x', 'a: 1\na: 2', 'a: *nowhere', '{', 'a: 1\n---\nb: 2']) {
    assert.is(parseYaml(text), undefined, text);
  }
});

test('what the CLI logs becomes short sentences, each once', () => {
  const said: string[] = [];
  const reader = createLogReader((sentence) => said.push(sentence));
  const log = (entry: object): void => reader.take(JSON.stringify({ level: 3, timestamp: 1, ...entry }));
  log({ type: 'start', text: 'Run: podman pull ghcr.io/acme/dev:1' });
  log({ type: 'start', text: 'Run: podman build -t x --build-arg TOKEN=abc .' });
  log({ type: 'raw', text: 'STEP 1/3: FROM debian\n' });
  log({ type: 'raw', text: 'STEP 1/3: FROM debian\n' });
  log({ type: 'raw', text: '[2/3] STEP 4/12: RUN x\n' });
  log({ type: 'raw', text: '#8 [dev 2/5] RUN x\n' });
  log({ type: 'start', text: 'Starting container' });
  log({ type: 'progress', name: 'Running postCreateCommand...', status: 'running', stepDetail: 'echo' });
  log({ type: 'progress', name: 'Running postCreateCommand...', status: 'succeeded' });
  reader.take('plain \u001b[31mwords\u001b[0m of another program');
  assert.equal(said, [
    'Fetching the image ghcr.io/acme/dev:1.',
    'Building the image.',
    'Building the image: step 1 of 3.',
    'Building the image: step 4 of 12.',
    'Building the image: step 2 of 5.',
    'Starting the container.',
    "Running the repository's postCreateCommand.",
  ]);
  assert.ok(reader.lastLines().includes('[2/3] STEP 4/12: RUN x'));
  assert.is(parseLogLine('no json'), undefined);
  assert.is(parseLogLine('{"broken'), undefined);
  assert.is(sentenceOf({ type: 'text', text: 'whatever', name: '', status: '' }), undefined);
});

test('secrets are taken out, by value and by look', () => {
  const scrub = createScrub(['top-secret-value', 'a', 'top-secret']);
  assert.is(scrub('-e KEY2=top-secret-value -e B=a top-secret'), '-e KEY2=*** -e B=a ***');
  assert.is(scrub('https://user:pw@host/x ghp_abcdefghijklmnop'), 'https://***@host/x ***');
  assert.is(scrub('ANTHROPIC_API_KEY=sk-ant-x PATH=/bin'), 'ANTHROPIC_API_KEY=*** PATH=/bin');
});

test('a success is an id, a user and a folder', () => {
  const stdout = JSON.stringify({
    outcome: 'success',
    containerId: ID,
    remoteUser: 'vscode',
    remoteWorkspaceFolder: '/workspaces/a',
    somethingNew: 1,
  });
  assert.equal(
    readResult({ code: 0, stdout: `${stdout}\n`, stderr: '' }, [], (text) => text),
    {
      containerId: ID,
      remoteUser: 'vscode',
      workspaceFolder: '/workspaces/a',
    },
  );
  for (const odd of ['', 'x', '{"outcome":"success","containerId":"abc"}']) {
    assert.is(
      thrown(() => readResult({ code: 0, stdout: odd, stderr: '' }, [], (text) => text)).code,
      'DEVCONTAINER_UP_FAILED',
    );
  }
});

test('a failure is told without the command line that failed', () => {
  const scrub = createScrub([]);
  const stdout = JSON.stringify({
    outcome: 'error',
    message: 'Command failed: podman run -e KEY=hunter22222 image',
    description: 'An error occurred setting up the container.',
  });
  const error = thrown(() => readResult({ code: 1, stdout, stderr: '' }, ['Error: something odd'], scrub));
  assert.is(error.code, 'DEVCONTAINER_UP_FAILED');
  assert.match(error.human ?? '', /something odd/);
  assert.not.match(`${error.human} ${error.message}`, /hunter/);
});

test('failures are told apart by what programs say', () => {
  const failed = { description: '', containerId: '', lines: [] as string[], message: '', exitCode: 1 };
  const cases: readonly (readonly [Partial<typeof failed>, string])[] = [
    [{ exitCode: 127, message: 'devcontainer: not found' }, 'DEVCONTAINER_CLI_MISSING'],
    [{ message: 'spawn podman ENOENT' }, 'CONTAINER_RUNTIME_MISSING'],
    [{ lines: ['Cannot connect to the Docker daemon at unix:///x.'] }, 'CONTAINER_RUNTIME_MISSING'],
    [{ lines: ['write /x: no space left on device'] }, 'VM_DISK_FULL'],
    [{ lines: ['cannot listen on the TCP port: listen tcp4 127.0.0.1:1: bind: address already in use'] }, 'PORT_TAKEN'],
    [{ lines: ['Bind for 127.0.0.1:1 failed: port is already allocated'] }, 'PORT_TAKEN'],
    [{ lines: ['Error: unable to find network with name or ID x: network not found'] }, 'NETWORK_MISSING'],
    [{ lines: ['reading manifest 1 in x: manifest unknown'] }, 'IMAGE_NOT_FOUND'],
    [{ lines: ['pull access denied for x, repository does not exist'] }, 'IMAGE_NOT_FOUND'],
    [{ message: 'Command failed: docker pull x' }, 'IMAGE_UNREACHABLE'],
    [{ message: 'Command failed: podman build -t x' }, 'DEVCONTAINER_BUILD_FAILED'],
    [
      { description: 'The postStartCommand in the devcontainer.json failed.', containerId: ID },
      'DEVCONTAINER_COMMAND_FAILED',
    ],
    [{ lines: ['Error: OCI runtime error: the requested cgroup controller `cpu` is not available'] }, 'LIMITS_REFUSED'],
    [{ lines: ['Error: opening file `cpu.max` for writing: Permission denied: OCI runtime'] }, 'LIMITS_REFUSED'],
    [{ exitCode: 137 }, 'DEVCONTAINER_KILLED'],
    [{ exitCode: 143, lines: ['whatever'] }, 'DEVCONTAINER_KILLED'],
    [{ lines: ['whatever'] }, 'DEVCONTAINER_UP_FAILED'],
  ];
  for (const [parts, code] of cases) {
    const error = upError({ ...failed, ...parts });
    assert.is(error.code, code, JSON.stringify(parts));
    assert.ok((error.human ?? '').length > 20);
  }
  for (const line of ['Killed', 'postCreateCommand from devcontainer.json failed with exit code 137. Skipping']) {
    const error = upError({ ...failed, description: 'postCreateCommand failed', containerId: ID, lines: [line] });
    assert.match(error.human ?? '', /want of memory.*SM_CONTAINER_MEMORY/);
  }
  const kept = upError({ ...failed, description: 'postCreateCommand failed', containerId: ID, lines: ['```\n@all'] });
  assert.ok(kept instanceof StartCommandError && kept.containerId === ID);
  assert.is((kept.human ?? '').split('```').length, 3, 'output cannot leave its block');
});

/** Cut from the real programs: podman 4.3 and Docker 28. */
const PODMAN = {
  Id: ID,
  State: { Status: 'running', Running: true, StartedAt: '2026-01-02T03:04:05.6+01:00' },
  Config: { Image: 'localhost/slim:1', Labels: { 'csm.managed': 'true', 'csm.instance': 'me', 'csm.key': 'k1' } },
  HostConfig: { PortBindings: { '50051/tcp': [{ HostIp: '127.0.0.1', HostPort: '50060' }] } },
  Mounts: [
    { Type: 'volume', Name: 'v', Source: '/var/lib/v', Destination: '/csm/home' },
    { Type: 'bind', Source: '/home/claude/repos/web', Destination: '/workspaces/web' },
  ],
};
const DOCKER = {
  Id: OTHER_ID,
  State: { Status: 'created', Running: false, StartedAt: '0001-01-01T00:00:00Z' },
  Config: { Image: 'x', Labels: null },
  HostConfig: { PortBindings: { '80/tcp': null, '81/tcp': [{ HostIp: '', HostPort: '' }] } },
};

test('what Docker and Podman say of a container is the same to us', () => {
  assert.equal(parseInspect(JSON.stringify([PODMAN, DOCKER])), [
    {
      id: ID,
      running: true,
      status: 'running',
      labels: PODMAN.Config.Labels,
      published: [{ address: '127.0.0.1', port: 50_060 }],
      mounts: [{ source: '/home/claude/repos/web', target: '/workspaces/web' }],
      volumes: ['v'],
      image: 'localhost/slim:1',
      imageId: '',
      startedAt: '2026-01-02T03:04:05.6+01:00',
    },
    {
      id: OTHER_ID,
      running: false,
      status: 'created',
      labels: {},
      published: [],
      mounts: [],
      volumes: [],
      image: 'x',
      imageId: '',
      startedAt: '',
    },
  ]);
  for (const odd of ['', '{}', JSON.stringify([{ ...PODMAN, Id: ID.slice(0, 12) }])]) {
    assert.is(thrown(() => parseInspect(odd)).code, 'CONTAINER_RUNTIME_ANSWER');
  }
});

test('an orphan is ours, and nobody knows it any more', () => {
  const container = (labels: Record<string, string>): Container => ({
    id: ID,
    running: true,
    status: 'running',
    published: [],
    mounts: [],
    volumes: [],
    image: '',
    imageId: '',
    startedAt: '',
    labels,
  });
  const ours = { 'csm.managed': 'true', 'csm.instance': 'me' };
  const orphan = container({ ...ours, 'csm.key': 'old' });
  const all = [
    orphan,
    container({ ...ours, 'csm.key': 'live' }),
    container({ ...ours }),
    container({ ...ours, 'csm.instance': 'other', 'csm.key': 'old' }),
    container({ 'csm.instance': 'me', 'csm.key': 'old' }),
    container({}),
  ];
  assert.equal(findOrphans(all, 'me', new Set(['live'])), [orphan]);
});

test('names are safe whatever a branch is called, and differ where owners do', () => {
  const owner = { instance: 'i', repo: 'acme/app', branch: 'feat/ü=1 "x"', generation: 3 };
  assert.match(keyOf(owner), /^[0-9a-f]{12}-3$/);
  assert.match(idLabelOf(owner), /^csm\.id=[0-9a-f]{12}-3$/);
  assert.match(volumesOf(owner).home, /^csm-home-[0-9a-f]{12}$/);
  assert.is(labelsOf(owner)['csm.branch'], owner.branch);
  const others = [{ instance: 'j' }, { repo: 'acme/other' }, { branch: 'main' }, { generation: 4 }];
  const keys = new Set([owner, ...others.map((other) => ({ ...owner, ...other }))].map(keyOf));
  assert.is(keys.size, 5);
  assert.is(volumesOf(owner).home, volumesOf({ ...owner, generation: 4 }).home, 'the home outlives a rebuild');
  assert.is(volumesOf(owner).prefix, volumesOf({ ...owner, branch: 'main' }).prefix, 'volumes are of the repository');
});

test('what images and Features add is read from the answer of the CLI', () => {
  const answer = {
    mergedConfiguration: { privileged: true },
    featuresConfiguration: { featureSets: [{ sourceInformation: { userFeatureId: './f' }, features: [{ id: 'f' }] }] },
  };
  assert.equal(parseConfiguration(`${JSON.stringify(answer)}\n`), {
    merged: { privileged: true },
    features: [{ id: './f', feature: { id: 'f' } }],
  });
  for (const odd of ['', '{}', 'x']) assert.is(thrown(() => parseConfiguration(odd)).code, 'DEVCONTAINER_ANSWER');
});

test('base images are the ones that are written out', () => {
  const text = 'ARG X\nFROM --platform=linux/amd64 debian:12 AS a\nfrom $X\nFROM ${X}-b\nFROM alpine\n';
  assert.equal(baseImages(text), ['debian:12', 'alpine']);
});

test.run();
