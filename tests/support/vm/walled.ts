/**
 * A VM as docs/firewall.md sets one up, between agents and a world of its own: a network for containers whose names come from
 * the resolver of `deploy/vm`, and repositories whose containers trust the world's authority.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isIPv4, isIPv6 } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startVmEnvironment, type VmEnvironment } from './environment.ts';
import { STOCK } from './images.ts';
import type { Repositories } from './repositories.ts';
import type { Vm, VmOptions } from './vm.ts';
import { openWorld, type World } from './world.ts';

const RESOLVER_CONF = fileURLToPath(new URL('../../../deploy/vm/resolver.conf', import.meta.url));
const NETWORK = 'walled';
/** Both get a devcontainer here. */
export const REPOS = ['acme/web', 'acme/plain'] as const;

export interface WalledEnvironment extends VmEnvironment {
  readonly world: World;
}

export interface Place {
  readonly vm: Vm;
  readonly world: World;
  /** Of the containers' network. */
  readonly bridge: { readonly name: string; readonly address: string; readonly address6: string };
}

/** @param settings of the firewall. The address of whom containers ask for names comes with them. */
export async function startWalledEnvironment(
  settings: (place: Place) => Promise<{ readonly env: Readonly<Record<string, string>>; readonly resolver: string }>,
  options: VmOptions = {},
): Promise<WalledEnvironment> {
  let world: World | undefined;
  try {
    const environment = await startVmEnvironment({
      ...options,
      prepare: async (vm, repositories) => {
        world = await openWorld(vm);
        const bridge = await makeNetwork(vm);
        const { env, resolver } = await settings({ vm, world, bridge });
        const conf = join(vm.folder, 'etc/containers/containers.conf');
        const text = readFileSync(conf, 'utf8').replace(
          '[containers]\n',
          `[containers]\ndns_servers = ["${resolver}"]\n`,
        );
        writeFileSync(conf, text);
        for (const repo of REPOS) fillRepository(repositories, repo, world.authority);
        return { SM_CONTAINER_NETWORK: NETWORK, ANTHROPIC_BASE_URL: 'https://api.anthropic.com', ...env };
      },
    });
    if (!world) throw new Error('There is no world.');
    world.serveModel(environment.model?.url ?? '');
    const closeWorld = world.close;
    return {
      ...environment,
      world,
      stop: async () => {
        await environment.stop();
        await closeWorld();
      },
    };
  } catch (error) {
    await world?.close();
    throw error;
  }
}

/** The settings of `SM_FIREWALL=nftables` for such a VM, whose resolver runs. */
export async function nftablesOn({ vm, bridge }: Place) {
  const names = '/run/csm/names';
  const conf = readFileSync(RESOLVER_CONF, 'utf8').replace(/^listen-address=.*$/m, `listen-address=${bridge.address}`);
  await vm.sh(
    'mkdir -p "$1" && printf %s "$2" >/run/csm/resolver.conf && dnsmasq --conf-file=/run/csm/resolver.conf --user=root --pid-file=',
    names,
    conf,
  );
  return {
    resolver: bridge.address,
    env: {
      SM_FIREWALL: 'nftables',
      SM_NFT_COMMAND: 'nft',
      SM_NFT_BRIDGES: bridge.name,
      SM_NFT_RESOLVERS: bridge.address,
      SM_NFT_NAMES_FOLDER: names,
      // Repositories may join it, and no walls stand around it: somebody's mistake.
      SM_ALLOWED_NETWORKS: 'isolated',
    },
  };
}

async function makeNetwork(vm: Vm): Promise<Place['bridge']> {
  await vm.podman('network', 'create', '--disable-dns', '--ipv6', NETWORK);
  const format = '{{.NetworkInterface}}{{range .Subnets}} {{.Gateway}}{{end}}';
  const [name = '', ...addresses] = (await vm.podman('network', 'inspect', '--format', format, NETWORK))
    .trim()
    .split(' ');
  const address = addresses.find((each) => isIPv4(each)) ?? '';
  const address6 = addresses.find((each) => isIPv6(each)) ?? '';
  return { name, address, address6 };
}

function fillRepository(repositories: Repositories, name: string, authority: string): void {
  const repository = repositories.of(name);
  const file = `/workspaces/${name.split('/')[1]}/authority.pem`;
  const files = {
    'authority.pem': authority,
    '.devcontainer/devcontainer.json': JSON.stringify({
      image: STOCK,
      remoteUser: 'vscode',
      containerEnv: { NODE_EXTRA_CA_CERTS: file, CURL_CA_BUNDLE: file },
    }),
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(repository.work, path)), { recursive: true });
    writeFileSync(join(repository.work, path), text);
  }
  repository.commit('Trust the authority of the world');
  repository.push();
}
