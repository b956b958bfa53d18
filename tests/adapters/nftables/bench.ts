/**
 * A VM with two bridges, a container on each, and the world behind it, in network namespaces of their own: real routing,
 * real nftables, real resolvers (dnsmasq), and no way out of this machine. Needs root.
 *
 *     agent 10.88.5.2 -- br0 10.88.5.1 --+
 *                                        +-- vm -- 45.33.32.1 == 45.33.32.2 world (and everything else, see WORLD)
 *     other 10.88.6.2 -- br1 10.88.6.1 --+
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type NftWalls, nftWalls, type Shell } from '../../../src/adapters/nftables/index.ts';
import { localShell } from '../../support/localShell.ts';
import { until } from '../../support/sshd.ts';

const run = promisify(execFile);
let benches = 0;

export const AGENT = ['10.88.5.2', 'fd00:88:5::2'];
export const OTHER = ['10.88.6.2'];
export const RESOLVER = '10.88.5.1';
/** Upstream of the VM's resolver: knows all names of the world. */
export const WORLD_DNS = '45.33.32.53';
export const WORLD = {
  pypi: '45.33.32.10',
  pypiLater: '45.33.32.11',
  crates: '45.33.32.20',
  pypi6: '2600:3c00::10',
  metadata: '169.254.169.254',
  intranet: '10.50.0.5',
} as const;

type Space = 'vm' | 'agent' | 'other' | 'world';

export interface Bench {
  /** Epoch milliseconds as the walls see them; move it at will. */
  clock: { now: number };
  readonly walls: NftWalls;
  /** Commands on the VM. */
  readonly shell: Shell;
  /** Such walls, with others in their place. */
  wallsAt(bridges: readonly string[]): NftWalls;
  /** What the world's name server answers from now on. */
  names(names: Readonly<Record<string, readonly string[]>>): Promise<void>;
  /** Every query that has reached the world's name server. */
  queries(): Promise<string>;
  /** `open`, or the error code. */
  tcp(from: Space, host: string, port?: number, servername?: string): Promise<string>;
  /** `answered`, or `silent` when nothing came back. */
  udp(from: Space, host: string, port: number): Promise<string>;
  /** What the container's resolver (or another) says, sorted; or the error code. */
  lookUp(from: Space, name: string, type?: 'A' | 'AAAA' | 'TXT', server?: string): Promise<string>;
  /** Echoes all the time. @returns resolves with the reason when the connection has ended */
  keepOpen(from: Space, host: string): Promise<{ ended: Promise<string>; isOpen(): boolean; close(): void }>;
  ip(space: Space, ...words: string[]): Promise<string>;
  nft(...words: string[]): Promise<string>;
  close(): Promise<void>;
}

export async function openBench(): Promise<Bench> {
  benches += 1;
  const tag = `${process.pid}x${benches}`;
  const spaces: Record<Space, string> = {
    vm: `csmv${tag}`,
    agent: `csma${tag}`,
    other: `csmo${tag}`,
    world: `csmw${tag}`,
  };
  const folder = await mkdtemp(join(tmpdir(), 'csm-walls-'));
  const children: ChildProcess[] = [];
  const clock = { now: Date.now() };

  const inside = (space: Space, program: string, ...args: string[]) =>
    run('ip', ['netns', 'exec', spaces[space], program, ...args], { maxBuffer: 64 * 1024 * 1024 });
  const ip = async (space: Space, ...words: string[]) => (await run('ip', ['-n', spaces[space], ...words])).stdout;
  const node = async (space: Space, program: string, ...args: string[]): Promise<string> =>
    (await inside(space, process.execPath, '-e', program, ...args)).stdout.trim();
  const start = (space: Space, program: string, ...args: string[]): ChildProcess => {
    const child = spawn('ip', ['netns', 'exec', spaces[space], program, ...args], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    children.push(child);
    return child;
  };
  const close = async (): Promise<void> => {
    for (const child of children) child.kill('SIGKILL');
    for (const name of Object.values(spaces)) {
      await run('ip', ['netns', 'del', name]).catch(() => undefined);
      await rm(`/etc/netns/${name}`, { recursive: true, force: true });
    }
    await rm(folder, { recursive: true, force: true });
  };

  try {
    await build(spaces, folder, ip, inside);
    await names({});
    await startResolver(
      'world',
      WORLD_DNS,
      join(folder, 'world'),
      '--log-queries',
      `--log-facility=${join(folder, 'queries')}`,
    );
    await startResolver('vm', RESOLVER, join(folder, 'names'));
    const server = start('world', process.execPath, '-e', SERVER, WORLD.pypi, WORLD.crates, WORLD.pypi6);
    await new Promise((resolve) => server.stdout?.once('data', resolve));
  } catch (error) {
    await close();
    throw error;
  }

  async function startResolver(space: Space, address: string, hosts: string, ...more: string[]): Promise<void> {
    await mkdir(hosts, { recursive: true });
    const plain = [
      '--keep-in-foreground',
      '--user=root',
      '--pid-file=',
      '--conf-file=/dev/null',
      '--no-resolv',
      '--no-hosts',
    ];
    start(
      space,
      'dnsmasq',
      ...plain,
      `--listen-address=${address}`,
      '--bind-interfaces',
      `--hostsdir=${hosts}`,
      '--local-ttl=1',
      ...more,
    );
    const from = space === 'vm' ? 'agent' : 'vm';
    await until('the resolver answers', async () => (await lookUp(from, 'nobody.test', 'A', address)) !== 'ETIMEOUT');
  }

  async function names(all: Readonly<Record<string, readonly string[]>>): Promise<void> {
    const lines = Object.entries(all).flatMap(([name, addresses]) => addresses.map((address) => `${address} ${name}`));
    await mkdir(join(folder, 'world'), { recursive: true });
    await writeFile(join(folder, 'world', '.new'), `${lines.join('\n')}\n`);
    await rename(join(folder, 'world', '.new'), join(folder, 'world', 'names'));
    for (const [name, [first]] of Object.entries(all)) {
      if (first === undefined) continue;
      const type = first.includes(':') ? 'AAAA' : 'A';
      await until(`${name} is ${first}`, async () => (await lookUp('vm', name, type, WORLD_DNS)).includes(first));
    }
  }

  async function lookUp(from: Space, name: string, type = 'A', server = RESOLVER): Promise<string> {
    return node(from, LOOK_UP, name, type, server);
  }

  const shell = localShell({}, ['ip', 'netns', 'exec', spaces.vm]);
  const wallsAt = (bridges: readonly string[]): NftWalls =>
    nftWalls({
      shell,
      nft: ['nft'],
      walls: { table: 'csm_test', bridges, resolvers: [RESOLVER] },
      namesFolder: join(folder, 'names'),
      now: () => clock.now,
    });
  const walls = wallsAt(['br0', 'br1']);

  return {
    clock,
    shell,
    walls,
    wallsAt,
    names,
    lookUp,
    ip,
    close,
    queries: () => readFile(join(folder, 'queries'), 'utf8'),
    tcp: (from, host, port = 443, servername = '') => node(from, TCP, host, String(port), servername),
    udp: (from, host, port) => node(from, UDP, host, String(port)),
    nft: async (...words) => (await inside('vm', 'nft', ...words)).stdout,
    async keepOpen(from, host) {
      const child = start(from, process.execPath, '-e', KEEP_OPEN, host);
      let over = false;
      const ended = new Promise<string>((resolve) => {
        let said = '';
        child.stdout?.on('data', (chunk: Buffer) => {
          said += chunk.toString('utf8');
        });
        child.on('close', () => {
          over = true;
          resolve(said.replace('open\n', '').trim());
        });
      });
      await new Promise<void>((resolve, reject) => {
        child.stdout?.once('data', () => resolve());
        child.once('exit', () => reject(new Error('no connection')));
      });
      return { ended, isOpen: () => !over, close: () => void child.kill('SIGKILL') };
    },
  };
}

async function build(
  spaces: Readonly<Record<Space, string>>,
  folder: string,
  ip: (space: Space, ...words: string[]) => Promise<string>,
  inside: (space: Space, program: string, ...args: string[]) => Promise<unknown>,
): Promise<void> {
  for (const [space, server] of [
    ['vm', WORLD_DNS],
    ['agent', RESOLVER],
    ['other', RESOLVER],
    ['world', '127.0.0.1'],
  ] as const) {
    await run('ip', ['netns', 'add', spaces[space]]);
    await ip(space, 'link', 'set', 'lo', 'up');
    await mkdir(`/etc/netns/${spaces[space]}`, { recursive: true });
    await writeFile(`/etc/netns/${spaces[space]}/resolv.conf`, `nameserver ${server}\noptions timeout:2 attempts:2\n`);
  }
  const cables = [
    ['agent', 'br0', '10.88.5', 'fd00:88:5::'],
    ['other', 'br1', '10.88.6', 'fd00:88:6::'],
  ] as const;
  for (const [space, bridge, net, net6] of cables) {
    const port = `p-${bridge}`;
    await ip('vm', 'link', 'add', bridge, 'type', 'bridge');
    await ip('vm', 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', spaces[space]);
    await ip('vm', 'link', 'set', port, 'master', bridge, 'up');
    await ip('vm', 'addr', 'add', `${net}.1/24`, 'dev', bridge);
    await ip('vm', 'addr', 'add', `${net6}1/64`, 'dev', bridge, 'nodad');
    await ip('vm', 'link', 'set', bridge, 'up');
    await ip(space, 'addr', 'add', `${net}.2/24`, 'dev', 'eth0');
    await ip(space, 'addr', 'add', `${net6}2/64`, 'dev', 'eth0', 'nodad');
    await ip(space, 'link', 'set', 'eth0', 'up');
    await ip(space, 'route', 'add', 'default', 'via', `${net}.1`);
    await ip(space, '-6', 'route', 'add', 'default', 'via', `${net6}1`);
  }
  await ip('vm', 'link', 'add', 'wan', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', spaces.world);
  await ip('vm', 'addr', 'add', '45.33.32.1/24', 'dev', 'wan');
  await ip('vm', 'addr', 'add', '2600:3c00::1/64', 'dev', 'wan', 'nodad');
  await ip('vm', 'link', 'set', 'wan', 'up');
  const mine = ['45.33.32.2', WORLD_DNS, WORLD.pypi, WORLD.pypiLater, WORLD.crates];
  for (const address of mine) await ip('world', 'addr', 'add', `${address}/24`, 'dev', 'eth0');
  for (const address of [WORLD.metadata, WORLD.intranet])
    await ip('world', 'addr', 'add', `${address}/32`, 'dev', 'lo');
  for (const address of ['2600:3c00::2', WORLD.pypi6])
    await ip('world', 'addr', 'add', `${address}/64`, 'dev', 'eth0', 'nodad');
  await ip('world', 'link', 'set', 'eth0', 'up');
  await ip('vm', 'route', 'add', 'default', 'via', '45.33.32.2');
  await ip('vm', '-6', 'route', 'add', 'default', 'via', '2600:3c00::2');
  await ip('world', 'route', 'add', '10.88.0.0/16', 'via', '45.33.32.1');
  await ip('world', '-6', 'route', 'add', 'fd00:88::/32', 'via', '2600:3c00::1');
  await inside('vm', 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
  await mkdir(join(folder, 'names'), { recursive: true });
}

const SERVER = `
  const net = require('net');
  const ports = [443, 80, 22, 8443];
  const addresses = process.argv.slice(1);
  let left = ports.length + addresses.length;
  const up = () => { if (--left === 0) console.log('up'); };
  for (const port of ports) net.createServer((s) => { s.on('error', () => {}); s.pipe(s); }).listen(port, '::', up);
  for (const address of addresses) {
    const udp = require('dgram').createSocket(address.includes(':') ? 'udp6' : 'udp4');
    udp.on('message', (text, from) => udp.send(text, from.port, from.address));
    udp.bind(443, address, up);
  }
`;

const TCP = `
  const [host, port, servername] = process.argv.slice(1);
  const say = (text) => { console.log(text); process.exit(0); };
  const socket = servername ? require('tls').connect({ host, port: +port, servername }) : require('net').connect(+port, host);
  socket.on('connect', () => say('open'));
  socket.on('error', (error) => say(error.code ?? error.errors?.[0]?.code ?? String(error)));
  setTimeout(() => say('ETIMEDOUT'), 8000);
`;

const UDP = `
  const [host, port] = process.argv.slice(1);
  const socket = require('dgram').createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const say = (text) => { console.log(text); process.exit(0); };
  socket.on('message', () => say('answered'));
  socket.on('error', (error) => say(error.code));
  socket.connect(+port, host, () => { for (let i = 0; i < 3; i += 1) setTimeout(() => socket.send('hello', () => {}), i * 100); });
  setTimeout(() => say('silent'), 1000);
`;

const LOOK_UP = `
  const [name, type, server] = process.argv.slice(1);
  const resolver = new (require('dns').promises.Resolver)({ timeout: 1000, tries: 2 });
  resolver.setServers([server]);
  resolver.resolve(name, type).then((found) => console.log(found.flat().sort().join(' ')), (error) => console.log(error.code));
`;

/**
 * Goes on writing after the end of what it reads: libuv takes a reset that arrives together with data for such an end, and the
 * next write tells which it was.
 */
const KEEP_OPEN = `
  const to = { host: process.argv[1], port: 443, allowHalfOpen: true };
  const socket = require('net').connect(to, () => console.log('open'));
  const timer = setInterval(() => socket.write('x'), 50);
  socket.resume();
  socket.on('error', (error) => console.log(error.code));
  socket.on('close', () => { clearInterval(timer); process.exit(0); });
`;
