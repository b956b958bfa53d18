// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of compose files
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CHECKOUT, refusedAt, vet } from './support.ts';

const FILE = `${CHECKOUT}/.devcontainer/docker-compose.yml`;
const config = { dockerComposeFile: 'docker-compose.yml', service: 'app', workspaceFolder: '/workspace' };
const vetCompose = (document: unknown, links: Record<string, string> = {}) =>
  vet({ config, compose: [{ file: FILE, document }], links });
const vetService = (service: object) => refusedAt(vetCompose({ services: { app: service } }));

test('an ordinary project passes', () => {
  const document = {
    version: '3.8',
    services: {
      app: {
        build: { context: '..', dockerfile: '.devcontainer/Dockerfile', args: { A: 'b' } },
        volumes: ['..:/workspace:cached', { type: 'volume', source: 'cache', target: '/cache' }],
        command: 'sleep infinity',
        network_mode: 'service:db',
        environment: ['A=b', 'TZ'],
        env_file: ['.env'],
        depends_on: ['db'],
        init: true,
      },
      db: {
        image: 'postgres:${PG:-16}',
        restart: 'unless-stopped',
        volumes: ['postgres-data:/var/lib/postgresql/data'],
        environment: { POSTGRES_PASSWORD: '${PASSWORD:-postgres}' },
        networks: { default: { aliases: ['database'] } },
        ports: ['127.0.0.1:5432:5432'],
      },
    },
    volumes: { 'postgres-data': null, cache: {} },
    networks: { default: { driver: 'bridge' } },
  };
  assert.equal(vetCompose(document).refusals, []);
});

const HOSTILE: readonly (readonly [string, object])[] = [
  ['privileged', { privileged: true }],
  ['image', { image: 'localhost/csm-0123456789ab-1:app' }],
  ['image', { image: '${BASE:-csm-0123456789ab-1_app}' }],
  ['image', { image: '${BASE}' }],
  ['image', { image: '${BASE:-debian}:12' }],
  ['image', { image: 'localhost/v${REST}' }],
  ['image', { image: '71f7' }],
  ['image', { image: 'sha256:${REST}' }],
  ['build.args.BASE', { build: { args: { BASE: 'localhost/csm-0123456789ab-1:app' } } }],
  ['build.args[0]', { build: { args: ['BASE=localhost/csm-0123456789ab-1:app'] } }],
  ['privileged', { privileged: '${X}' }],
  ['volumes[0]', { volumes: ['/:/host'] }],
  ['volumes[0]', { volumes: ['/var/run/docker.sock:/var/run/docker.sock'] }],
  ['volumes[0]', { volumes: ['../..:/workspaces:cached'] }],
  ['volumes[0]', { volumes: ['${HOME}/.ssh:/x'] }],
  ['volumes[0]', { volumes: ['$SRC:/x'] }],
  ['volumes[0]', { volumes: ['~/.ssh:/x'] }],
  ['volumes[0]', { volumes: ['./${SRC}:/x'] }],
  ['volumes[0]', { volumes: [{ type: 'bind', source: './$SRC', target: '/x' }] }],
  ['volumes[0]', { volumes: [{ type: 'bind', source: '/etc', target: '/x' }] }],
  ['volumes[0]', { volumes: [{ type: 'bind', source: '..', target: '/x', bind: { propagation: 'shared' } }] }],
  ['volumes[0]', { volumes: ['./data:/data'] }],
  ['volumes[0]', { volumes: ['../data:/data:ro'] }],
  ['volumes[0]', { volumes: [`${CHECKOUT}/data:/data`] }],
  ['volumes[0]', { volumes: [{ type: 'bind', source: '../a/../b', target: '/x', read_only: true }] }],
  ['volumes[0]', { volumes: [{ type: 'npipe', source: 'x', target: '/x' }] }],
  ['volumes[0]', { volumes: [{ type: 'volume', source: 'csm-home-x', target: '/x' }] }],
  ['volumes_from', { volumes_from: ['container:other'] }],
  ['network_mode', { network_mode: 'host' }],
  ['network_mode', { network_mode: 'container:other' }],
  ['network_mode', { network_mode: '${N:-host}' }],
  ['pid', { pid: 'host' }],
  ['ipc', { ipc: 'host' }],
  ['uts', { uts: 'host' }],
  ['userns_mode', { userns_mode: 'host' }],
  ['cgroup', { cgroup: 'host' }],
  ['cgroup_parent', { cgroup_parent: '/' }],
  ['devices', { devices: ['/dev/kvm'] }],
  ['gpus', { gpus: 'all' }],
  ['deploy', { deploy: { resources: { reservations: { devices: [{}] } } } }],
  ['cap_add[0]', { cap_add: ['SYS_ADMIN'] }],
  ['cap_add[0]', { cap_add: ['${CAP}'] }],
  ['security_opt[0]', { security_opt: ['seccomp:unconfined'] }],
  ['env_file[0]', { env_file: ['/home/claude/.env'] }],
  ['env_file[0]', { env_file: [{ path: '../../.env' }] }],
  ['environment[0]', { environment: ['GH_TOKEN'] }],
  ['environment.GH_TOKEN', { environment: { GH_TOKEN: null } }],
  ['ports[0]', { ports: ['5432:5432'] }],
  ['ports[0]', { ports: [{ target: 80, published: 80 }] }],
  ['ports[0]', { ports: [80] }],
  ['ports[0]', { ports: ['127.0.0.1:50051:1'] }],
  ['build.context', { build: '../..' }],
  ['build.context', { build: { context: 'https://evil.example/x.git#${X}' } }],
  ['build.dockerfile', { build: { context: '..', dockerfile: '../../../etc/passwd' } }],
  ['build.context', { build: 'https://evil.example/x.git' }],
  ['build.context', { build: 'git@evil.example:x.git' }],
  ['build.context', { build: { context: 'github.com/evil/x' } }],
  ['build.dockerfile', { build: { context: '..', dockerfile: '/etc/passwd' } }],
  ['build.dockerfile_inline', { build: { dockerfile_inline: 'FROM a\nRUN --network=host id' } }],
  ['build.dockerfile_inline', { build: { dockerfile_inline: 'FROM a\nR${X}UN --network=host id' } }],
  ['build.labels[0]', { build: { context: '.', labels: ['csm.id=x'] } }],
  ['build.labels', { build: { context: '.', labels: { 'csm.id': 'x' } } }],
  ['build.tags', { build: { context: '.', tags: ['debian:12'] } }],
  ['build.network', { build: { context: '.', network: 'host' } }],
  ['build.ssh', { build: { context: '.', ssh: ['default'] } }],
  ['build.secrets', { build: { context: '.', secrets: ['x'] } }],
  ['build.additional_contexts', { build: { context: '.', additional_contexts: { a: '/' } } }],
  ['build.privileged', { build: { context: '.', privileged: true } }],
  ['build.args[0]', { build: { context: '.', args: ['GH_TOKEN'] } }],
  ['extends', { extends: { file: '/etc/compose.yml', service: 'x' } }],
  ['extends', { extends: { file: 'other.yml', service: 'x' } }],
  ['sysctls', { sysctls: { 'net.x': 1 } }],
  ['external_links', { external_links: ['other'] }],
  ['runtime', { runtime: 'evil' }],
  ['provider', { provider: { type: 'evil' } }],
  ['labels', { labels: { 'csm.managed': 'true' } }],
  ['labels[0]', { labels: ['csm.managed=true'] }],
  ['labels[0]', { labels: ['${X:-csm}.id=0123456789ab-1'] }],
  ['container_name', { container_name: 'csm-x' }],
  ['container_name', { container_name: '${NAME}' }],
  ['logging', { logging: { driver: 'syslog' } }],
  ['networks.default.ipv4_address', { networks: { default: { ipv4_address: '10.0.0.9' } } }],
  ['use_api_socket', { use_api_socket: true }],
  ['post_start', { post_start: [{ command: 'x', privileged: true }] }],
  ['future_power', { future_power: true }],
  ['x-podman.rootfs', { 'x-podman.rootfs': '/' }],
  ['X-Podman.uidmaps', { 'X-Podman.uidmaps': ['0:0:1'] }],
  ['build.x-podman', { build: { context: '.', 'x-podman': {} } }],
];

test('a service cannot reach out of its container', () => {
  for (const [key, service] of HOSTILE) {
    const path = `.devcontainer/docker-compose.yml: services.app.${key}`;
    const refused = vetService({ image: 'a', ...service });
    assert.ok(refused.includes(path), `${JSON.stringify(service)}: ${refused.join(' ')}`);
  }
});

test('volumes, networks, secrets and further files cannot either', () => {
  const hostile: readonly (readonly [string, object])[] = [
    ['volumes.v.driver_opts', { volumes: { v: { driver_opts: { type: 'none', o: 'bind', device: '/' } } } }],
    ['volumes.v.driver', { volumes: { v: { driver: 'sshfs' } } }],
    ['volumes.v.external', { volumes: { v: { external: true } } }],
    ['volumes.v.name', { volumes: { v: { name: 'csm-home-x' } } }],
    ['volumes.v.name', { volumes: { v: { name: 'shared-by-all' } } }],
    ['networks.n', { networks: { n: { external: true, name: 'lan' } } }],
    ['networks.n', { networks: { n: { external: { name: 'host' } } } }],
    ['networks.n.driver', { networks: { n: { driver: 'macvlan' } } }],
    ['networks.n.driver_opts', { networks: { n: { driver_opts: { parent: 'eth0' } } } }],
    ['secrets.s.file', { secrets: { s: { file: '/etc/shadow' } } }],
    ['secrets.s.file', { secrets: { s: { file: '../secret.txt' } } }],
    ['configs.c.file', { configs: { c: { file: 'c.conf' } } }],
    ['secrets.s.environment', { secrets: { s: { environment: 'GH_TOKEN' } } }],
    ['configs.c.file', { configs: { c: { file: '../../x' } } }],
    ['include[0]', { include: ['../../x.yml'] }],
    ['include[0]', { include: ['unread.yml'] }],
    ['include[0].project_directory', { include: [{ path: 'docker-compose.yml', project_directory: '/' }] }],
    ['models', { models: {} }],
    ['x-podman', { 'x-podman': { pod_args: ['--volume=/:/host'] } }],
    ['networks.n.x-podman.interface_name', { networks: { n: { 'x-podman.interface_name': 'eth0' } } }],
    ['services', { services: [] }],
  ];
  for (const [key, document] of hostile) {
    const refused = refusedAt(vetCompose(document));
    assert.ok(refused.includes(`.devcontainer/docker-compose.yml: ${key}`), `${key}: ${refused.join(' ')}`);
  }
  assert.is(vetCompose('text').refusals.length, 1);
});

test('what stays within the build and the project passes', () => {
  const inline = 'FROM debian AS a\nRUN --mount=type=cache,target=/c --network=none echo $$HOME';
  const app = {
    build: { dockerfile_inline: inline, labels: { a: 'b' } },
    volumes: ['..:/w', 'own:/own'],
    labels: ['a=$B'],
  };
  assert.equal(vetCompose({ services: { app }, volumes: { own: {} }, configs: { c: { content: 'x' } } }).refusals, []);
});

test('a network that is listed may be joined by its name', () => {
  const document = { networks: { n: { external: true, name: 'isolated' } } };
  assert.equal(vetCompose(document).refusals, []);
});

test('a link out of the checkout is no file of variables', () => {
  const links = { [`${CHECKOUT}/.devcontainer/.env`]: '/home/claude/.env' };
  assert.equal(refusedAt(vetCompose({ services: {} }, links)), ['.devcontainer/docker-compose.yml: .env']);
});

test('a file that is taken in is vetted itself', () => {
  const other = `${CHECKOUT}/.devcontainer/other.yml`;
  const compose = [
    { file: FILE, document: { services: { app: { extends: { file: 'other.yml', service: 'base' } } } } },
    { file: other, document: { services: { base: { privileged: true } } } },
  ];
  assert.equal(refusedAt(vet({ config, compose })), ['.devcontainer/other.yml: services.base.privileged']);
});

test.run();
