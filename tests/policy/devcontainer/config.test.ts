// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the devcontainer CLI
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { refusalText } from '../../../src/policy/devcontainer/index.ts';
import { CHECKOUT, RULES, refusedAt, VOLUMES, vet } from './support.ts';

const image = 'debian:12';
/** As the devcontainer CLI calls what it builds. */
const VSC = `vsc-app-${'0123456789abcdef'.repeat(4)}-uid`;

/** What ordinary repositories say. */
const ORDINARY: readonly object[] = [
  { image },
  {
    image: 'ghcr.io/myorg/devcontainer-rust:latest',
    forwardPorts: [50051],
    postStartCommand: 'python -m agent_worker.server --port 50051 &',
    mounts: [
      'source=claude-config-shared,target=/home/vscode/.claude,type=volume',
      'source=claude-mem-shared,target=/home/vscode/.claude-mem,type=volume',
    ],
    containerEnv: { ANTHROPIC_API_KEY: '${localEnv:ANTHROPIC_API_KEY}' },
    runArgs: ['--network=isolated'],
  },
  { build: { dockerfile: 'Dockerfile', context: '..', args: { VARIANT: '20' }, target: 'dev', options: ['--pull'] } },
  { dockerFile: 'Dockerfile', context: '.' },
  { image: 'ghcr.io/acme/csm-tools:1' },
  { image: 'vsc-base' },
  { image, features: { 'ghcr.io/devcontainers/features/node:1': { version: '20' }, './local-feature': {} } },
  { image, mounts: [{ type: 'volume', source: 'cache-${devcontainerId}', target: '/cache' }] },
  { image, mounts: ['source=${localWorkspaceFolder}/data,target=/data,type=bind,consistency=cached'] },
  { image, workspaceMount: 'source=${localWorkspaceFolder},target=/app,type=bind', workspaceFolder: '/app' },
  { image, workspaceFolder: '/workspaces/${localWorkspaceFolderBasename}' },
  { image, runArgs: ['--init', '-e', 'A=b', '--add-host', 'db:10.0.0.1', '--shm-size=1g', '-it', '--cap-drop', 'ALL'] },
  {
    image,
    runArgs: ['--userns=keep-id', '--security-opt=no-new-privileges', '-v', 'cache:/cache:ro', '--tmpfs', '/tmp'],
  },
  { image, runArgs: ['--mount', 'type=volume,source=a,target=/a', '--privileged=false', '-p=127.0.0.1:3000:3000'] },
  { image, appPort: [3000, '127.0.0.1:3001:3001'], capAdd: ['CAP_CHOWN'], init: true, remoteUser: 'vscode' },
  {
    image,
    initializeCommand: undefined,
    customizations: { vscode: { extensions: ['a.b'] } },
    hostRequirements: { cpus: 4 },
  },
  { image, secrets: { TOKEN: { description: 'x' } }, remoteEnv: { PATH: '${containerEnv:PATH}:/x', GONE: null } },
  { image, containerEnv: { ZONE: '${localEnv:TZ:Europe/Berlin}' }, postCreateCommand: { a: 'x', b: ['y', 'z'] } },
];

test('ordinary configurations pass, that of the product description among them', () => {
  for (const config of ORDINARY) {
    const plain: object = JSON.parse(JSON.stringify(config));
    assert.equal(vet({ config: plain }).refusals, [], JSON.stringify(config));
  }
});

/** One hostile property each, and where it must be found. */
const HOSTILE: readonly (readonly [object, string])[] = [
  [{ initializeCommand: 'touch /tmp/owned' }, 'initializeCommand'],
  [{ initializeCommand: ['touch', '/tmp/owned'] }, 'initializeCommand'],
  [{ initializeCommand: { a: 'touch /tmp/owned' } }, 'initializeCommand'],
  [{ initializeCommand: '' }, 'initializeCommand'],
  [{ privileged: true }, 'privileged'],
  [{ privileged: 'false' }, 'privileged'],
  [{ capAdd: ['SYS_ADMIN'] }, 'capAdd[0]'],
  [{ capAdd: ['chown', 'cap_sys_ptrace'] }, 'capAdd[1]'],
  [{ capAdd: { a: 1 } }, 'capAdd'],
  [{ securityOpt: ['seccomp=unconfined'] }, 'securityOpt[0]'],
  [{ securityOpt: ['apparmor:unconfined'] }, 'securityOpt[0]'],
  [{ mounts: ['type=bind,source=/,target=/host'] }, 'mounts[0]'],
  [{ mounts: ['type=bind,source=/var/run/docker.sock,target=/var/run/docker.sock'] }, 'mounts[0]'],
  [{ mounts: [{ type: 'bind', source: '/run/user/1000/podman/podman.sock', target: '/s' }] }, 'mounts[0]'],
  [{ mounts: ['type=volume,type=bind,source=/,target=/host'] }, 'mounts[0]'],
  [{ mounts: ['type=bind,source=/etc,target=/x,source=${localWorkspaceFolder}'] }, 'mounts[0]'],
  [{ mounts: ['TYPE=bind,SRC=/etc,DST=/host'] }, 'mounts[0]'],
  [{ mounts: ['source=/etc,target=/host'] }, 'mounts[0]'],
  [{ mounts: ['type=bind,"source=/etc",target=/host'] }, 'mounts[0]'],
  [
    { mounts: ['type=volume,source=x,target=/x,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/'] },
    'mounts[0]',
  ],
  [{ mounts: [{ type: 'volume', source: 'x,volume-driver=evil', target: '/x' }] }, 'mounts[0]'],
  [{ mounts: ['type=bind,source=${localWorkspaceFolder}/../../other,target=/x'] }, 'mounts[0]'],
  [{ mounts: ['type=bind,source=${localEnv:HOME}/.ssh,target=/x'] }, 'mounts[0]'],
  [
    {
      mounts: ['type=bind,source=${localWorkspaceFolder}${containerWorkspaceFolder},target=/x'],
      workspaceFolder: '/x',
    },
    'mounts[0]',
  ],
  [{ mounts: ['type=bind,source=relative,target=/x'] }, 'mounts[0]'],
  [{ mounts: ['type=bind,source=~/x,target=/x'] }, 'mounts[0]'],
  [{ mounts: ['type=volume,source=csm-home-ffffffffffff,target=/stolen'] }, 'mounts[0]'],
  [{ mounts: ['type=volume,source=x,target=/csm/worker'] }, 'mounts[0]'],
  [{ mounts: ['type=image,source=x,target=/x'] }, 'mounts[0]'],
  [{ mounts: ['type=bind,source=${localWorkspaceFolder},target=/x,bind-propagation=rshared'] }, 'mounts[0]'],
  [{ mounts: 'type=bind,source=/,target=/host' }, 'mounts'],
  [{ mounts: [null] }, 'mounts[0]'],
  [{ workspaceMount: 'type=bind,source=/home,target=/workspace' }, 'workspaceMount'],
  [{ workspaceMount: 'type=volume,target=/x,readonly=${containerWorkspaceFolder}' }, 'workspaceMount'],
  [{ workspaceFolder: '/x,type=bind,source=/' }, 'workspaceFolder'],
  [{ workspaceFolder: '/a/../../csm' }, 'workspaceFolder'],
  [{ workspaceFolder: '/csm/worker' }, 'workspaceFolder'],
  [{ appPort: '8080:8080' }, 'appPort'],
  [{ appPort: ['0.0.0.0:80:80'] }, 'appPort[0]'],
  [{ appPort: [50051] }, 'appPort[0]'],
  [{ appPort: ['127.0.0.1:0:80'] }, 'appPort[0]'],
  [{ appPort: ['127.0.0.1:80'] }, 'appPort[0]'],
  [{ image: '71f7' }, 'image'],
  [{ image: 'sha256:71f7' }, 'image'],
  [{ appPort: ['127.0.0.1:50000-50060:50000-50060'] }, 'appPort[0]'],
  [{ appPort: '8080' }, 'appPort'],
  [{ appPort: { a: 1 } }, 'appPort'],
  [{ image: '--privileged' }, 'image'],
  [{ image: '-v=/:/host' }, 'image'],
  [{ containerUser: '--privileged' }, 'containerUser'],
  [{ image: 'localhost/csm-0123456789ab-1:app' }, 'image'],
  [{ image: VSC }, 'image'],
  [{ build: { dockerfile: 'Dockerfile', args: { BASE: VSC } } }, 'build.args.BASE'],
  [{ build: { dockerfile: 'Dockerfile', cacheFrom: [VSC] } }, 'build.cacheFrom[0]'],
  [{ build: { dockerfile: '/etc/passwd' } }, 'build.dockerfile'],
  [{ build: { dockerfile: 'Dockerfile', context: '../..' } }, 'build.context'],
  [{ build: { dockerfile: 'Dockerfile', options: ['--network=host'] } }, 'build.options[0]'],
  [{ build: { dockerfile: 'Dockerfile', options: ['--volume', '/:/host'] } }, 'build.options[0]'],
  [{ build: { dockerfile: 'Dockerfile', options: ['--build-arg', 'GH_TOKEN'] } }, 'build.options[0]'],
  [{ build: { dockerfile: 'Dockerfile', options: ['--secret=id=x,src=/etc/shadow'] } }, 'build.options[0]'],
  [{ build: { dockerfile: 'Dockerfile', cacheFrom: 'type=local,src=/home' } }, 'build.cacheFrom'],
  [{ build: { dockerfile: 'Dockerfile', args: { T: '${localEnv:GH_TOKEN}' } } }, 'build.args.T'],
  [{ build: { dockerfile: 'Dockerfile', hooks: 'x' } }, 'build.hooks'],
  [{ dockerFile: '../../Dockerfile' }, 'dockerFile'],
  [{ dockerComposeFile: '../../compose.yml', service: 'a' }, 'dockerComposeFile'],
  [{ dockerComposeFile: [], service: 'a' }, 'dockerComposeFile'],
  [{ dockerComposeFile: 'c.yml', service: '--privileged' }, 'service'],
  [{ runServices: ['-f/etc/passwd'] }, 'runServices[0]'],
  [{ features: { '../../evil': {} } }, 'features.../../evil'],
  [{ features: { 'http://evil.example/f.tgz': {} } }, 'features.http://evil.example/f.tgz'],
  [{ containerEnv: { T: '${localEnv:GH_TOKEN}' } }, 'containerEnv.T'],
  [{ containerEnv: { T: '${env:GH_TOKEN}' } }, 'containerEnv.T'],
  [{ containerEnv: { T: 'a${localEnv:GH_TOKEN:none}b' } }, 'containerEnv.T'],
  [{ containerEnv: { T: '${localEnv:TZ:$}{localEnv:GH_TOKEN}' } }, 'containerEnv.T'],
  [{ containerEnv: { T: '${localEnv}' } }, 'containerEnv.T'],
  [{ containerEnv: { '--privileged': 'x' } }, 'containerEnv.--privileged'],
  [{ remoteEnv: { T: '${localEnv:AWS_SECRET_ACCESS_KEY}' } }, 'remoteEnv.T'],
  [{ customizations: { x: ['${localEnv:GH_TOKEN}'] } }, 'customizations.x[0]'],
  [{ name: '${localHomeFolder:x}' }, 'name'],
  [{ hostCommandOfTheFuture: 'x' }, 'hostCommandOfTheFuture'],
];

test('a hostile property is refused, at its place', () => {
  for (const [config, path] of HOSTILE) {
    const refused = refusedAt(vet({ config: { image, ...config } }));
    assert.ok(refused.includes(path), `${JSON.stringify(config)}: ${refused.join(' ')}`);
  }
});

const HOSTILE_ARGS: readonly (readonly string[])[] = [
  ['--privileged'],
  ['--privileged=true'],
  ['--cap-add=ALL'],
  ['--cap-add', 'NET_ADMIN'],
  ['--security-opt', 'seccomp=unconfined'],
  ['--security-opt=label=type:container_runtime_t'],
  ['--device=/dev/kvm'],
  ['--device', '/dev/sda'],
  ['--device-cgroup-rule=c 1:1 rwm'],
  ['--gpus', 'all'],
  ['--network=host'],
  ['--network', 'host'],
  ['--net=host'],
  ['--network=container:db'],
  ['--network=ns:/run/netns/x'],
  ['--network=isolated,host'],
  ['--network=bridge'],
  ['--network=isolated:ip=10.0.0.9'],
  ['--network'],
  ['--pid', 'host'],
  ['--pid=container:x'],
  ['--ipc=host'],
  ['--uts=host'],
  ['--userns=host'],
  ['--userns', 'ns:/proc/1/ns/user'],
  ['--cgroupns=host'],
  ['--cgroup-parent=/'],
  ['--volumes-from', 'db'],
  ['--volumes-from=db'],
  ['-v', '/:/host'],
  ['-v/:/host'],
  ['-v=/:/host'],
  ['-itv', '/:/host'],
  ['-itv/:/host'],
  ['--volume=/etc:/etc:ro'],
  ['--volume', '../../x:/x'],
  ['-v', '${localWorkspaceFolder}/../..:/x'],
  ['-v', '${containerWorkspaceFolder}:/x'],
  ['-v', '${localWorkspaceFolder}:/x:rshared'],
  ['-v', 'vol:/x:upperdir=/etc'],
  ['--mount', 'type=bind,src=/var/run/docker.sock,dst=/s'],
  ['--mount=type=glob,src=/home/*,dst=/x'],
  ['--mount=type=devpts,target=/x'],
  ['-p', '8080:8080'],
  ['-p8080:80'],
  ['--publish=0.0.0.0:22:22'],
  ['--publish', '50060'],
  ['-P'],
  ['--publish-all'],
  ['-e', 'GH_TOKEN'],
  ['--env=GH_TOKEN'],
  ['--env', 'AWS_*'],
  ['--env-file=/home/claude/.env'],
  ['--env-host'],
  ['--label-file', '/etc/passwd'],
  ['--label', 'csm.managed=true'],
  ['-l', 'devcontainer.metadata=[]'],
  ['--annotation=run.oci.keep_original_groups=1'],
  ['--group-add=keep-groups'],
  ['--sysctl', 'kernel.x=1'],
  ['--ip=10.0.0.5'],
  ['--mac-address', '00:11:22:33:44:55'],
  ['--link', 'db'],
  ['--pod', 'x'],
  ['--replace', '--name', 'other'],
  ['--rootfs'],
  ['--runtime=/tmp/evil'],
  ['--hooks-dir', '/tmp'],
  ['--cidfile=/home/claude/.ssh/rc'],
  ['--secret=token'],
  ['--log-driver=syslog'],
  ['--log-opt', 'path=/etc/cron.d/x'],
  ['--oom-score-adj=-1000'],
  ['--use-api-socket'],
  ['--option-of-the-future'],
  ['--tty=${localEnv:X}', 'evil/image'],
  ['evil/image'],
  ['--'],
  ['-'],
  [''],
  ['-Z'],
  ['-x'],
  ['--e', 'x'],
];

test('a hostile argument for the container runtime is refused, however it is written', () => {
  for (const runArgs of HOSTILE_ARGS) {
    const refused = refusedAt(vet({ config: { image, runArgs: ['--init', ...runArgs] } }));
    assert.ok(
      refused.some((path) => path.startsWith('runArgs[')),
      runArgs.join(' '),
    );
  }
  assert.equal(refusedAt(vet({ config: { image, runArgs: '--privileged' } })), ['runArgs']);
  assert.equal(refusedAt(vet({ config: { image, runArgs: [['--privileged']] } })), ['runArgs[0]']);
});

test('a link out of the checkout leads nowhere', () => {
  const links = { [`${CHECKOUT}/data`]: '/etc', [`${CHECKOUT}/.devcontainer/Dockerfile`]: '/home/claude/.ssh/id' };
  const config = {
    build: { dockerfile: 'Dockerfile' },
    mounts: ['type=bind,source=${localWorkspaceFolder}/data/x,target=/x'],
  };
  assert.equal(refusedAt(vet({ config, links })), ['mounts[0]', 'build.dockerfile']);
});

test('images and Features may not ask for more than the repository', () => {
  const label = JSON.stringify([{ id: 'x' }, { privileged: true, mounts: ['type=bind,source=/,target=/h'] }]);
  assert.equal(refusedAt(vet({ imageLabels: [{ image: 'base', label }] })), [
    'image base: devcontainer.metadata[1].privileged',
    'image base: devcontainer.metadata[1].mounts[0]',
  ]);
  const leak = JSON.stringify({ remoteEnv: { T: '${localEnv:GH_TOKEN}' } });
  assert.is(vet({ imageLabels: [{ image: 'base', label: leak }] }).refusals.length, 1);
  assert.is(vet({ imageLabels: [{ image: 'base', label: '{' }] }).refusals.length, 1);
  const feature = { capAdd: ['SYS_PTRACE'], securityOpt: ['seccomp=unconfined'], containerEnv: { A: '${localEnv:B}' } };
  assert.equal([...refusedAt(vet({ features: [{ id: 'dind', feature }] }))].sort(), [
    'Feature dind.capAdd[0]',
    'Feature dind.containerEnv.A',
    'Feature dind.securityOpt[0]',
  ]);
});

test("a Feature's variables cannot become instructions of the build", () => {
  const feature = { containerEnv: { A: 'x"\nRUN --network=host id' } };
  assert.equal(refusedAt(vet({ features: [{ id: 'f', feature }] })), ['Feature f.containerEnv']);
});

test('what the devcontainer CLI makes of it is vetted once more', () => {
  assert.equal(refusedAt(vet({ merged: { image: 'a', init: false, privileged: true, entrypoints: [] } })), [
    'merged configuration.privileged',
  ]);
  assert.equal(refusedAt(vet({ merged: { image: 'a', init: false, privileged: false, mounts: undefined } })), []);
});

test('a Dockerfile cannot leave the build', () => {
  const text =
    'FROM debian\nRUN apt-get update && \\\n  true\nRUN --mount=type=cache,target=/x \\\n --network=host curl x\n';
  assert.equal(refusedAt(vet({ dockerfiles: [{ file: 'Dockerfile', text }] })), ['Dockerfile']);
  assert.equal(refusedAt(vet({ dockerfiles: [{ file: 'Dockerfile', text: 'FROM debian\nRUN echo hi' }] })), []);
});

test('however the flag of a Dockerfile is hidden, it is found; what stays within the build passes', () => {
  const refused = (text: string): boolean => refusedAt(vet({ dockerfiles: [{ file: 'D', text }] })).length > 0;
  for (const text of [
    'RUN \\\n# a comment\n --network=host id',
    'RUN \\\n\n  --network=host id',
    'ARG N=host\nRUN --network=$N id',
    'RUN --network="host" id',
    'RUN --mount="type=cache --network=host" id',
    'FROM a AS b\nONBUILD RUN --network=host id\nFROM b',
    'onbuild run --security=insecure id',
    'RUN --device=/dev/kvm id',
    'RUN --future=power id',
    '# escape=`\nRUN `\n --network=host id',
    'RUN --mount=type=bind,target=/x --network=host id',
    '\uFEFFRUN --network=host id',
    '# x \\\nRUN --network=host id',
    'RUN true \\\n# x \\\n && true\nRUN --network=host id',
  ]) {
    assert.ok(refused(text), JSON.stringify(text));
  }
  for (const text of [
    'RUN --mount=type=cache,target=/x,id=$TARGETPLATFORM --network=none id --network=host',
    'RUN echo `date` \\\n && curl --network=host',
    'RUN npm install --device=x\nRUN --network=default id',
    '# escape=\\\nRUN id',
  ]) {
    assert.not(refused(text), JSON.stringify(text));
  }
});

test('images and Features mount volumes of this container only', () => {
  const mount = (source: string) => ({ mounts: [{ type: 'volume', source, target: '/x' }] });
  const id = '0'.repeat(20) + 'v'.repeat(32);
  const label = (source: string) => JSON.stringify([mount(source)]);
  for (const source of ['shared', `dind-${id}`, `dind-var-lib-docker`]) {
    assert.is(vet({ features: [{ id: 'f', feature: mount(source) }] }).refusals.length, 1, source);
    assert.is(vet({ imageLabels: [{ image: 'a', label: label(source) }] }).refusals.length, 1, source);
  }
  assert.is(vet({ merged: mount('shared') }).refusals.length, 1);
  for (const source of ['dind-${devcontainerId}', VOLUMES.home, `${VOLUMES.prefix}x`, '']) {
    assert.equal(refusedAt(vet({ features: [{ id: 'f', feature: mount(source) }] })), [], source);
  }
  assert.equal(refusedAt(vet({ merged: mount(`dind-${id}`) })), []);
});

test('a label whose name a variable completes is refused', () => {
  const config = { image, runArgs: ['--label=${localWorkspaceFolderBasename}=0123456789ab-1', '--label=a=${x}'] };
  assert.equal(refusedAt(vet({ config })), ['runArgs[0]']);
});

test('a setting allows exactly what it names, and the thread is still told', () => {
  const config = {
    image,
    initializeCommand: 'make',
    privileged: true,
    containerEnv: { T: '${localEnv:GH_TOKEN}' },
    runArgs: ['--network=lan'],
    mounts: ['type=bind,source=/srv/models/a,target=/m'],
  };
  const paths = (rules: Parameters<typeof vet>[1]): readonly string[] => [...refusedAt(vet({ config }, rules))].sort();
  const all = ['containerEnv.T', 'initializeCommand', 'mounts[0]', 'privileged', 'runArgs[0]'];
  assert.equal(paths({}), all);
  assert.equal(
    paths({ allowHostCommands: true }),
    all.filter((path) => path !== 'initializeCommand'),
  );
  assert.equal(paths({ allowPrivileged: true }), ['containerEnv.T', 'initializeCommand']);
  assert.equal(
    paths({ allowedLocalEnv: ['GH_TOKEN'] }),
    all.filter((path) => path !== 'containerEnv.T'),
  );
  assert.equal(
    paths({ allowedNetworks: ['lan'] }),
    all.filter((path) => path !== 'runArgs[0]'),
  );
  assert.equal(
    paths({ allowedMounts: ['/srv/models'] }),
    all.filter((path) => path !== 'mounts[0]'),
  );
  assert.equal(paths({ allowedMounts: ['/srv/mod'] }), all);
  assert.ok(vet({ config }, { allowPrivileged: true }).notes.some(({ path }) => path === 'privileged'));
});

test('host network is never a network one may list', () => {
  const verdict = vet({ config: { image, runArgs: ['--network=host'] } }, { allowedNetworks: ['host'] });
  assert.equal(refusedAt(verdict), ['runArgs[0]']);
});

test('a refusal says what, why and which setting, and cannot draw on the page', () => {
  const config = { image, initializeCommand: 'curl `x`\n# @all', containerEnv: { T: '${localEnv:GH_TOKEN}' } };
  const text = refusalText(vet({ config }).refusals);
  assert.is(
    text,
    [
      'This devcontainer configuration is not allowed here. Nothing was started.',
      '- `containerEnv.T`: it reads the variable `GH_TOKEN` of the VM; variables of the VM may be secrets that are not for this repository. To allow it, whoever runs this bot sets `SM_ALLOWED_LOCAL_ENV=ANTHROPIC_API_KEY,TZ,GH_TOKEN`.',
      '- `initializeCommand`: it runs a command (`curl  x  # @all`); that runs on the VM itself, with the rights of its user. To allow it, whoever runs this bot sets `SM_ALLOW_HOST_COMMANDS=true`.',
    ].join('\n'),
  );
});

test('anything but an object is refused', () => {
  for (const config of [null, [], 'x', 1, undefined]) assert.is(vet({ config }).refusals.length, 1);
});

test('no Dockerfile takes anything from an image that was built for a repository', () => {
  for (const text of [
    'FROM localhost/csm-0123456789ab-1:app\n',
    `FROM --platform=linux/amd64 ${VSC} AS base\n`,
    'ARG BASE="localhost/csm-0123456789ab-1:app"\nFROM ${BASE}\n',
    `FROM debian:12\nCOPY --from=${VSC} /src /src\n`,
    `# x \\\nFROM ${VSC}\n`,
    'FROM 71f7\n',
    'FROM debian:12\nCOPY --from=71f7 / /\n',
    'FROM debian:12\nCOPY --from=1 / /\n',
    'ARG P=vs\nFROM ${P}c-other-0123456789abcdef0123456789abcdef\n',
    'ARG P=sc-other-0123456789abcdef\nFROM localhost/v${P}0123456789abcdef\n',
    `FROM v"sc"${VSC.slice(3)}\n`,
    'FROM "71"f7\n',
    'ARG B=71f7\nFROM ${B}\n',
    'ARG A=71f7\nARG B=$A\nFROM $B\n',
    'FROM ${B:-71f7}\n',
    'ARG B=1\nFROM 7${B}\n',
    'ARG B=f7\nFROM sha256:${B}\n',
    'ARG A=x P=sc-other-0123456789abcdef\nFROM localhost/v${P}0123456789abcdef\n',
    'ARG A=v\nARG B=${A}sc-other-0123456789abcdef0123456789abcdef\nFROM $B\n',
    'FROM debian:12\nRUN --mount=type=bind,from=localhost/csm-0123456789ab-1:app,target=/x cp -r /x /y\n',
  ]) {
    const verdict = vet({
      config: { build: { dockerfile: 'Dockerfile' } },
      dockerfiles: [{ file: 'Dockerfile', text }],
    });
    assert.equal([...new Set(refusedAt(verdict))], ['Dockerfile'], text);
  }
});

test('what a build is given from outside is looked at where it stands for an image', () => {
  const refused = (build: object, text: string): boolean =>
    vet({ config: { build: { dockerfile: 'Dockerfile', ...build } }, dockerfiles: [{ file: 'Dockerfile', text }] })
      .refusals.length > 0;
  const from = 'ARG B\nFROM ${B}\n';
  for (const build of [
    { args: { B: '71f7' } },
    { args: { B: '${localEnv:TZ}' } },
    { options: ['--build-arg', 'B=71f7'] },
    { options: [`--build-arg=B=${VSC}`] },
    { args: { B: 'sha256:71f7' } },
  ]) {
    assert.ok(refused(build, from), JSON.stringify(build));
  }
  assert.ok(refused({ args: { P: '${localEnv:TZ}' } }, 'ARG P\nFROM localhost/${P}\n'));
  assert.not(refused({ args: { B: 'debian:12', VERSION: '20' } }, `${from}ARG VERSION\nRUN echo $VERSION\n`));
  assert.not(refused({ args: { TAG: '${localEnv:TZ}' } }, 'ARG TAG\nFROM debian:${TAG}\n'));
  const given = (args: unknown) =>
    vet({
      config: { dockerComposeFile: 'c.yml', service: 'app' },
      compose: [
        {
          file: `${CHECKOUT}/.devcontainer/c.yml`,
          document: { services: { app: { build: { context: '.', args } } } },
        },
      ],
      dockerfiles: [{ file: 'Dockerfile', text: from }],
    }).refusals.length > 0;
  assert.ok(given({ B: '${FROM_A_FILE}' }));
  assert.ok(given(['B=71f7']));
  assert.not(given({ B: 'debian:12' }));
});

test('images by name, with variables in their places, and stages of the same file may be used', () => {
  for (const text of [
    'ARG VARIANT=bookworm\nFROM mcr.microsoft.com/devcontainers/base:${VARIANT}\nRUN true\n',
    'ARG BASE=debian:12\nFROM ${BASE} AS build\nFROM build\nCOPY --from=build /a /a\nCOPY --from=0 /b /b\n',
    'ARG REGISTRY=ghcr.io\nFROM --platform=$BUILDPLATFORM ${REGISTRY:-docker.io}/acme/app:${TAG}\n',
    'FROM python:3.${MINOR}-slim AS fa\nFROM node\nARG URL=${HOST}${PATH}\nCOPY --from=fa /x /x\n',
  ]) {
    assert.equal(refusedAt(vet({ dockerfiles: [{ file: 'Dockerfile', text }] })), [], text);
  }
});

test('where no walls stand at networks that come with a project, there is no project', () => {
  const project = { config: { dockerComposeFile: 'c.yml', service: 'app' } };
  const [refusal] = vet(project, { ...RULES, unwalledNetworks: 'podman*' }).refusals;
  assert.is(refusal?.path, 'dockerComposeFile');
  assert.is(refusal?.setting, 'SM_NFT_BRIDGES=podman*');
  assert.equal(vet({}, { ...RULES, unwalledNetworks: 'podman*' }).refusals, []);
});

test.run();
