/**
 * The internet as a VM sees it: a router on its way, and behind it hosts with public-looking addresses, a name server and
 * TLS by an authority of their own. All of it is in namespaces that are bound to this process, and nothing routes from them
 * to anywhere else.
 *
 *     VM 172.31.255.2 -- 172.31.255.1 router 172.31.254.1 -- 172.31.254.2 world (owns every address of WORLD and WORLD_6)
 *     VM 2600:3c00:1::2 -- 2600:3c00:1::1 router 2600:3c00:2::1 -- 2600:3c00:2::2 world
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Vm } from './vm.ts';

const run = promisify(execFile);
const SERVER = fileURLToPath(new URL('worldServer.ts', import.meta.url));

/** The addresses pass our own check for public ones; nobody outside is ever asked. */
export const WORLD = {
  dns: '45.33.32.53',
  model: '45.33.32.5',
  pypi: '45.33.32.10',
  crates: '45.33.32.20',
  gems: '45.33.32.30',
  /** What the start-up check of a container tries, too. */
  canary: '1.1.1.1',
} as const;

/** The same over IPv6. */
export const WORLD_6 = {
  gems: '2600:3c00::30',
  crates: '2600:3c00::20',
  canary: '2606:4700:4700::1111',
} as const;

/** Names that have an IPv6 address, too. */
const NAMES_6: Readonly<Record<string, string>> = { 'rubygems.org': WORLD_6.gems };

export const NAMES: Readonly<Record<string, string>> = {
  'api.anthropic.com': WORLD.model,
  'pypi.org': WORLD.pypi,
  'crates.io': WORLD.crates,
  'rubygems.org': WORLD.gems,
};

/** Something that a host of the world noticed. Times are of this machine's clock, in milliseconds. */
export interface Noticed {
  readonly at: number;
  readonly what: 'connected' | 'ended';
  readonly address: string;
  readonly port: number;
  /** Tells connections apart. */
  readonly id: number;
  /** When it ended: the code of the error that ended it, if one did. */
  readonly error?: string;
}

export interface World {
  /** Text of the authority's certificate. */
  readonly authority: string;
  /** In their order. */
  readonly noticed: readonly Noticed[];
  /** Of its certificates; its name is in the command line of all that serves. */
  readonly folder: string;
  /** Ids of what keeps it up. */
  readonly processes: readonly number[];
  /** What runs a program in the router's network: the place of a firewall. */
  readonly atRouter: readonly string[];
  /** Who answers at api.anthropic.com. @param url of a model API on this machine */
  serveModel(url: string): void;
  close(): Promise<void>;
}

/** Ends with this process even if that is killed. */
const BOUND = ['--pdeathsig', 'KILL'];

/** Connects the VM to a world of its own; it asks the world's name server from then on. */
export async function openWorld(vm: Vm): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'csm-world-'));
  const children: ChildProcess[] = [];
  let model: Server | undefined;
  const close = async (): Promise<void> => {
    model?.close();
    for (const child of children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  };
  const space = async (): Promise<string> => {
    const script = 'echo made; exec sleep infinity';
    const holder = spawn('setpriv', [...BOUND, 'unshare', '--net', 'sh', '-c', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(holder);
    // Until then it is in this machine's own network.
    await once(holder.stdout, 'data');
    return `/proc/${holder.pid}/ns/net`;
  };
  try {
    const [router, world] = [await space(), await space()];
    await connectAll({ vm: vm.network(), router, world });
    makeAuthority(folder);
    const noticed: Noticed[] = [];
    const socket = join(folder, 'model');
    const inWorld = ['setpriv', ...BOUND, 'nsenter', `--net=${world}`];
    // Other names below these do not exist, as the internet's servers would say.
    const zones = ['com', 'org', 'io'].map((zone) => `--local=/${zone}/`);
    const names = [
      ...zones,
      ...Object.entries(NAMES).map(
        ([name, address]) => `--host-record=${[name, address, NAMES_6[name] ?? []].flat().join(',')}`,
      ),
    ];
    const quiet = ['--keep-in-foreground', '--user=root', '--conf-file=/dev/null', '--no-resolv', '--no-hosts'];
    const [first = '', ...more] = inWorld;
    const dns = ['dnsmasq', ...quiet, `--pid-file=${folder}/dns`, `--listen-address=${WORLD.dns}`, ...names];
    // It changes its rights, and by that forgets whom it is bound to; so it is bound to a shell that does not.
    const bound = ['unshare', '--pid', '--fork', '--kill-child', 'sh', '-c', '"$@" & wait', 'sh', ...dns];
    children.push(spawn(first, [...more, ...bound], { stdio: 'ignore' }));
    const server = spawn(first, [...more, process.execPath, '--import', 'tsx', SERVER, folder, socket, WORLD.model], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(server);
    await listenTo(server, (line) => noticed.push(JSON.parse(line) as Noticed));
    const resolvers = `nameserver ${WORLD.dns}\noptions timeout:2 attempts:2\n`;
    await vm.sh(
      'printf %s "$1" >/run/resolv.conf; mount --bind /run/resolv.conf "$(readlink -f /etc/resolv.conf)"',
      resolvers,
    );
    await vm.sh('until getent ahostsv4 "$1" >/dev/null; do sleep 0.1; done', 'api.anthropic.com');
    return {
      authority: await readFile(join(folder, 'ca.pem'), 'utf8'),
      noticed,
      folder,
      processes: children.flatMap(({ pid }) => pid ?? []),
      atRouter: ['nsenter', `--net=${router}`],
      serveModel(url) {
        const { hostname, port } = new URL(url);
        model = createServer((near) => {
          const far = connect(Number(port), hostname);
          for (const each of [near, far]) {
            each.on('error', () => undefined);
            each.on('close', () => (each === near ? far : near).destroy());
          }
          near.pipe(far).pipe(near);
        }).listen(socket);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Resolves when the server is up: what it prints first. Every further line is one thing noticed. */
function listenTo(server: ChildProcess, onLine: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let rest = '';
    let isUp = false;
    server.stdout?.on('data', (data: Buffer) => {
      const lines = `${rest}${data.toString()}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (isUp) onLine(line);
        isUp = true;
        resolve();
      }
    });
    server.once('exit', (code) => reject(new Error(`The world's server ended with ${code}.`)));
  });
}

async function connectAll(spaces: Readonly<Record<'vm' | 'router' | 'world', string>>): Promise<void> {
  const at = (space: keyof typeof spaces, program: string, ...args: string[]) =>
    run('nsenter', [`--net=${spaces[space]}`, program, ...args]);
  const ip = (space: keyof typeof spaces, words: string) => at(space, 'ip', ...words.split(' '));
  // Made in the router's network, so that no name of this machine's own is taken.
  await ip('router', `link add vm type veth peer name wan netns ${spaces.vm}`);
  await ip('router', `link add world type veth peer name eth0 netns ${spaces.world}`);
  for (const [space, device, address] of [
    ['vm', 'wan', '172.31.255.2/30'],
    ['router', 'vm', '172.31.255.1/30'],
    ['router', 'world', '172.31.254.1/30'],
    ['world', 'eth0', '172.31.254.2/30'],
    ...Object.values(WORLD).map((address) => ['world', 'lo', `${address}/32`] as const),
    ['vm', 'wan', '2600:3c00:1::2/64 nodad'],
    ['router', 'vm', '2600:3c00:1::1/64 nodad'],
    ['router', 'world', '2600:3c00:2::1/64 nodad'],
    ['world', 'eth0', '2600:3c00:2::2/64 nodad'],
    ...Object.values(WORLD_6).map((address) => ['world', 'lo', `${address}/128 nodad`] as const),
  ] as const) {
    await ip(space, `address add ${address} dev ${device}`);
    await ip(space, `link set ${device} up`);
  }
  await ip('vm', 'route add default via 172.31.255.1');
  await ip('world', 'route add default via 172.31.254.1');
  for (const address of Object.values(WORLD)) await ip('router', `route add ${address} via 172.31.254.2`);
  await ip('vm', '-6 route add default via 2600:3c00:1::1');
  await ip('world', '-6 route add default via 2600:3c00:2::1');
  for (const address of Object.values(WORLD_6)) await ip('router', `-6 route add ${address} via 2600:3c00:2::2`);
  // Containers' networks, whether the VM hides their addresses or not.
  await ip('router', '-6 route add fd00::/8 via 2600:3c00:1::2');
  const forwarding = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'];
  for (const space of ['vm', 'router'] as const) await at(space, 'sysctl', '-qw', ...forwarding);
}

/** `ca.pem`, and `cert.pem` with `key.pem` for every name. */
function makeAuthority(folder: string): void {
  const openssl = (words: string, ...more: string[]) =>
    execFileSync('openssl', [...words.split(' '), ...more], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';
  openssl(`req -x509 ${key} -days 2 -subj /CN=test-authority -keyout ca.key -out ca.pem`);
  openssl(`req ${key} -subj /CN=world -keyout key.pem -out cert.csr`);
  const alternatives = Object.keys(NAMES).map((name) => `DNS:${name}`);
  const extensions = join(folder, 'cert.ext');
  execFileSync('tee', [extensions], {
    input: `subjectAltName=${alternatives.join(',')}\n`,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  openssl(
    'x509 -req -in cert.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out cert.pem',
    '-extfile',
    extensions,
  );
}
