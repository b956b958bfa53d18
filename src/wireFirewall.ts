/** The firewall, put together: which enforcer, the grants it holds, what effects ask of it, and who looks after it. */
import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import type { EffectHandlers, Log, Runtime, StorePorts } from './actors/index.ts';
import { nftWalls, resolveOn, type Shell, unwalled, type WallsOptions } from './adapters/nftables/index.ts';
import { createOpnsenseClient, opnsenseFirewall, type ResolveHost } from './adapters/opnsense/index.ts';
import type { Config } from './config.ts';
import { outsideTheWalls } from './flows/firewall/canary.ts';
import type { Enforcer } from './flows/firewall/enforcer.ts';
import { type AddressesOf, nftablesEnforcer, noEnforcer, opnsenseEnforcer } from './flows/firewall/enforcers.ts';
import { createGrants, type Grants } from './flows/firewall/grants.ts';
import { firewallHandlers } from './flows/firewall/handlers.ts';
import { keepFirewall, lookAfter } from './flows/firewall/keeper.ts';
import type { Reply } from './flows/reply.ts';
import type { Address } from './machines/addresses.ts';
import { assertNever } from './machines/json.ts';
import { type DomainPolicy, NO_POLICY, readPolicyFile } from './policy/domains/index.ts';
import { StartError } from './start.ts';

/** What `nftables` needs of the VM. */
export interface WalledVm {
  readonly shell: Shell;
  readonly addressesOf: AddressesOf;
  /** Interfaces where the container is, or all that came up with it, such as the other services of a compose project. */
  bridgesAround(container: Address, signal?: AbortSignal): Promise<readonly string[]>;
}

export interface FirewallParts {
  readonly config: Config;
  readonly store: StorePorts;
  readonly runtime: Pick<Runtime, 'read' | 'deliver'>;
  readonly reply: Reply;
  /** Null where agents run on this machine. */
  readonly vm: WalledVm | null;
  /** Whether the session's container can connect to the host now; false if that cannot be found out. */
  readonly reaches: (session: Address, host: string) => Promise<boolean>;
  /** Whether some container can connect to the host now; undefined if none can be asked. */
  readonly someoneReaches: (host: string) => Promise<boolean | undefined>;
  readonly tell: (words: string) => Promise<void>;
  readonly log: Log;
  readonly now: () => number;
}

export interface FirewallPart {
  readonly handlers: EffectHandlers;
  readonly grants: Grants;
  /**
   * Before an agent starts in a container. Ways belong to addresses: this one's may have been another container's a moment ago,
   * and after a restart it may have a new one.
   */
  ready(signal?: AbortSignal): Promise<void>;
  /** Whether walls stand wherever the container and its companions are. @throws TerminalError WALLS_ELSEWHERE */
  coversAll(container: Address, signal?: AbortSignal): Promise<void>;
  /** Looks after it until `over` is aborted. */
  keep(over: AbortSignal): Promise<void>;
}

/** @throws StartError if the policy file is faulty, or the firewall cannot be where it is said to be */
export function wireFirewall(parts: FirewallParts): FirewallPart {
  const { config, store, runtime, reply, reaches, someoneReaches, tell, log, now } = parts;
  const enforcer = enforcerOf(config, parts.vm, now);
  if (enforcer.kind === 'none') {
    log.warn({}, 'SM_FIREWALL=none: nothing stands between agents and the network');
  }
  const grants = createGrants({ enforcer, store, now });
  const policy = policyOf(config);
  const needed = async (): Promise<readonly string[]> => {
    const hosts = config.firewall.baseHosts;
    const reached = await Promise.all(hosts.map(someoneReaches));
    return hosts.filter((_, index) => reached[index] === false);
  };
  const keeping = { grants, store, needed, tell, log, now };
  return {
    grants,
    handlers: firewallHandlers({
      grants,
      policy,
      store,
      runtime,
      reply,
      reaches,
      trigger: config.mattermost.botTrigger,
      now,
    }),
    ready: async (signal) => {
      if (enforcer.capabilities.perContainer) await lookAfter(keeping, signal);
    },
    coversAll: async (container, signal) => {
      if (config.firewall.kind !== 'nftables' || !parts.vm) return;
      const outside = unwalled(await parts.vm.bridgesAround(container, signal), config.firewall.bridges);
      if (outside.length > 0) throw outsideTheWalls(outside);
    },
    keep: (over) => (enforcer.kind === 'none' ? Promise.resolve() : keepFirewall(keeping, over)),
  };
}

function enforcerOf({ firewall }: Config, vm: WalledVm | null, now: () => number): Enforcer {
  switch (firewall.kind) {
    case 'opnsense':
      return opnsenseEnforcer(openOpnsense(firewall, vm ? resolveAt(vm.shell) : resolveHere).firewall);
    case 'nftables':
      if (!vm) {
        throw new StartError(
          'SM_FIREWALL=nftables walls in containers on a VM; there is none with SM_WORKSPACE=local.',
          { mayPass: false },
        );
      }
      return nftablesEnforcer(nftWalls(wallsOf(firewall, vm.shell, now)), vm.addressesOf, firewall.baseHosts);
    case 'none':
      return noEnforcer();
    default:
      return assertNever(firewall);
  }
}

/** @param resolve as the containers see names */
export function openOpnsense(settings: Extract<Config['firewall'], { kind: 'opnsense' }>, resolve: ResolveHost) {
  const { url, alias, key, secret, verifyTls, timeoutSecs, caFile } = settings;
  const client = createOpnsenseClient({
    url,
    key: key.reveal(),
    secret: secret.reveal(),
    timeoutMs: timeoutSecs * 1000,
    verifyTls,
    caFile: caFile ?? '',
  });
  return { firewall: opnsenseFirewall({ client, alias, resolve }), close: client.close };
}

export function wallsOf(
  settings: Extract<Config['firewall'], { kind: 'nftables' }>,
  shell: Shell,
  now: () => number,
): WallsOptions {
  const { command, bridges, resolvers, namesFolder } = settings;
  return { shell, nft: command.split(/\s+/), walls: { table: 'csm', bridges, resolvers }, namesFolder, now };
}

/** As the VM sees it, and the containers on it. */
function resolveAt(shell: Shell): ResolveHost {
  return async (host) => (await resolveOn(shell, [host])).get(host) ?? [];
}

/** As this machine sees it, which may differ from what the firewall sees. */
export const resolveHere: ResolveHost = async (host) => {
  return (await lookup(host, { all: true })).map(({ address }) => address);
};

function policyOf({ firewall: { policyFile } }: Config): DomainPolicy {
  if (policyFile === null) return NO_POLICY;
  let text: string;
  try {
    text = readFileSync(policyFile, 'utf8');
  } catch (cause) {
    throw new StartError('The file that SM_NETWORK_POLICY_FILE names cannot be read.', { mayPass: false, cause });
  }
  const read = readPolicyFile(text);
  if (read.ok) return read.policy;
  throw new StartError(`The network policy is faulty: ${read.problems.join('; ')}`, { mayPass: false });
}
