/** What stands between containers and everything else, and which containers are whose. */
import type { Mutant } from './mutant.ts';

const GRANTS = 'tests/flows/firewall/grants.test.ts';
const CHECK = 'tests/flows/firewall/check.test.ts';
const HOSTS = 'tests/policy/agentHosts.test.ts';
const BENCH = 'tests/adapters/nftables/walls.test.ts';
const HOLD = 'tests/adapters/opnsense/hold.test.ts';
const LIFECYCLE = 'tests/flows/vmWorkspace/lifecycle.test.ts';

const CANARY = 'src/flows/firewall/canary.ts';
const KEEPER = 'src/flows/firewall/keeper.ts';
const JUDGE = 'src/flows/firewall/check.ts';
const RULES = 'src/adapters/nftables/ruleset.ts';
const WAYS = 'src/adapters/nftables/walls.ts';
const NAMES = 'src/adapters/nftables/memory.ts';
const RESOLVER = 'src/adapters/nftables/resolver.ts';
const OPNSENSE = 'src/adapters/opnsense/firewall.ts';
const SWEEP = 'src/flows/vmWorkspace/sweep.ts';

const REFUSE_REST = 'out counter reject with icmpx admin-prohibited`';
const ASK_CLOSED =
  "return { standing: 'ask', hosts: closed, warnings: [...warningsOf(closed), ...denied], words: '' };";

export const WALLS: readonly Mutant[] = [
  {
    of: 'RT-38',
    wrong: 'after a restart no container is known, and all are taken for left over',
    test: LIFECYCLE,
    file: SWEEP,
    find: 'liveKeys(ports, await ports.known())',
    replace: 'liveKeys(ports, [])',
  },
  {
    of: 'RT-38',
    wrong: 'what a person has made of a container is swept away',
    test: LIFECYCLE,
    file: SWEEP,
    find: '    if (await isFromCopy(host, orphan, signal)) continue;\n',
    replace: '',
  },
  {
    of: 'RT-38',
    wrong: 'containers of another installation on the VM are swept away',
    test: LIFECYCLE,
    file: 'src/adapters/devcontainer/containers.ts',
    find: `container.labels['csm.managed'] === 'true' && container.labels['csm.instance'] === instance;
}

/** Every container of this installation, running or not. */
export function listOurs(host: Host, instance: string, signal?: AbortSignal): Promise<readonly Container[]> {
  return listWith(host, { 'csm.managed': 'true', 'csm.instance': instance }, instance, signal);`,
    replace: `container.labels['csm.managed'] === 'true';
}

/** Every container of this installation, running or not. */
export function listOurs(host: Host, instance: string, signal?: AbortSignal): Promise<readonly Container[]> {
  return listWith(host, { 'csm.managed': 'true' }, instance, signal);`,
  },
  {
    of: 'RT-40',
    wrong: 'what was made for a port that somebody took stays, and is found again',
    test: LIFECYCLE,
    file: 'src/flows/vmWorkspace/build.ts',
    find: "    if (failureOf(error).code !== 'PORT_TAKEN') throw error;\n",
    replace: '    if (failureOf(error)) throw error;\n',
  },
  {
    of: 'RT-40',
    wrong: 'a port that somebody took stays reserved for the container',
    test: LIFECYCLE,
    file: 'src/adapters/devcontainer/ports.ts',
    find: 'rm -f -- "$mine" ;;',
    replace: 'echo "$mine"; exit 0 ;;',
  },
  {
    of: 'RT-53',
    wrong: 'a single address is tried',
    test: GRANTS,
    file: CANARY,
    find: 'Promise.all(CANARIES.map(',
    replace: 'Promise.all(CANARIES.slice(0, 1).map(',
  },
  {
    of: 'RT-53',
    wrong: 'a container that cannot be asked is taken to be behind walls',
    test: GRANTS,
    file: CANARY,
    find: '=> reaches(host, port))',
    replace: '=> reaches(host, port).catch(() => false))',
  },
  {
    of: 'RT-54',
    wrong: 'nobody looks at IPv6',
    test: BENCH,
    file: RULES,
    find: REFUSE_REST,
    replace: 'out meta nfproto ipv4 counter reject with icmpx admin-prohibited`',
  },
  {
    of: 'RT-54',
    wrong: 'only TCP is refused',
    test: BENCH,
    file: RULES,
    find: REFUSE_REST,
    replace: 'out meta l4proto tcp counter reject with icmpx admin-prohibited`',
  },
  {
    of: 'RT-54',
    wrong: 'private networks are taken to be inside of the walls',
    test: BENCH,
    file: RULES,
    find: 'add rule ${table} out ct direction reply accept`',
    replace:
      'add rule ${table} out ct direction reply accept`,\n    `add rule ${table} out ip daddr { 10.0.0.0/8, 169.254.0.0/16 } accept`',
  },
  {
    of: 'RT-54',
    wrong: 'the VM itself is open to its containers',
    test: BENCH,
    file: RULES,
    find: '    ...bridges.map((bridge) => `add rule ${table} input iifname ${bridge} jump host`),\n',
    replace: '',
  },
  {
    of: 'RT-55',
    wrong: 'names may be asked for everywhere',
    test: BENCH,
    file: RULES,
    find: 'add rule ${table} out ct direction reply accept`',
    replace:
      'add rule ${table} out ct direction reply accept`,\n    `add rule ${table} out meta l4proto { tcp, udp } th dport 53 accept`',
  },
  {
    of: 'RT-56',
    wrong: 'a name is resolved once',
    test: BENCH,
    name: 'addresses that change',
    file: WAYS,
    find: 'memory.learn(await resolveOn(shell, hosts, signal), now());',
    replace: `const isNew = hosts.some((host) => memory.addressesOf(host).length === 0);
    if (hosts.length === 0 || isNew) memory.learn(await resolveOn(shell, hosts, signal), now());`,
  },
  {
    of: 'RT-56',
    wrong: 'only the latest answer is open',
    test: BENCH,
    name: 'addresses that change',
    file: NAMES,
    find: 'if (at - last > KEEP_MS)',
    replace: 'if (last < at)',
  },
  {
    of: 'RT-56',
    wrong: 'one look-up that fails stops them all',
    test: BENCH,
    name: 'a look-up that fails',
    file: RESOLVER,
    find: '  return found;\n}\n\n/** Read by',
    replace: `  const lost = hosts.find((host) => found.get(host)?.length === 0);
  if (lost !== undefined) throw nftError(\`resolve \${lost}\`, result);
  return found;
}

/** Read by`,
  },
  {
    of: 'RT-56',
    wrong: 'a look-up that fails makes a name unknown',
    test: BENCH,
    name: 'a look-up that fails',
    file: NAMES,
    find: '        if (addresses.length === 0) continue;\n',
    replace: '',
  },
  {
    of: 'RT-57',
    wrong: 'a name leads wherever its owner says',
    test: BENCH,
    file: RESOLVER,
    find: 'if (isPublic(address) && !found',
    replace: "if (address !== '' && !found",
  },
  {
    of: 'RT-58',
    wrong: 'what agents need is looked at when the program starts, and never again',
    test: GRANTS,
    file: KEEPER,
    find: 'if (at - lookedAt < neededEveryMs) return;',
    replace: 'if (lookedAt > 0) return;',
  },
  {
    of: 'RT-58',
    wrong: 'it is told with every look',
    test: GRANTS,
    file: KEEPER,
    find: '    if (lacking === told) return;\n',
    replace: '',
  },
  {
    of: 'RT-58',
    wrong: 'what comes a second time is not told any more',
    test: GRANTS,
    file: KEEPER,
    find: "    told = lacking;\n    if (lacking === '') return;",
    replace: "    if (lacking === '') return;\n    told = lacking;",
  },
  {
    of: 'RT-58',
    wrong: 'nobody has looked at a host that Claude Code names',
    test: HOSTS,
    file: HOSTS,
    find: "'platform.claude.com', ",
    replace: '',
  },
  {
    of: 'RT-58',
    wrong: 'what every agent needs is not open by itself',
    test: HOSTS,
    file: 'src/config/table/network.ts',
    find: "hosts, 'api.anthropic.com', {",
    replace: "hosts, 'console.anthropic.com', {",
  },
  {
    of: 'RT-59',
    wrong: 'what was granted last takes the place of what was granted before',
    test: BENCH,
    file: WAYS,
    find: 'const key = `${source} ${address}`;',
    replace: 'const key = source;',
  },
  {
    of: 'RT-59',
    wrong: 'only the first ten domains come into force',
    test: BENCH,
    file: RESOLVER,
    find: 'args: hosts }',
    replace: 'args: hosts.slice(0, 10) }',
  },
  {
    of: 'RT-60',
    wrong: 'only what was granted here counts as open',
    test: CHECK,
    name: 'a host that answers already',
    file: JUDGE,
    find: "if (grants.enforcer.kind === 'none') return granted;",
    replace: "if (grants.enforcer.kind !== 'opnsense') return granted;",
  },
  {
    of: 'RT-60',
    wrong: 'the agent is not told that the refusal comes from the server',
    test: CHECK,
    name: 'a host that answers already',
    file: JUDGE,
    find: "return answer('granted', OPEN_ALREADY);",
    replace: "return answer('granted', 'It is open.');",
  },
  {
    of: 'RT-60',
    wrong: 'people are asked about what is open, too',
    test: CHECK,
    name: 'of several hosts',
    file: JUDGE,
    find: ASK_CLOSED,
    replace: ASK_CLOSED.replace('hosts: closed', 'hosts'),
  },
  {
    of: 'RT-61',
    wrong: 'what the firewall has taken counts as in force',
    test: HOLD,
    file: OPNSENSE,
    find: 'return { ...change, late };',
    replace: 'return { ...change, late: [] };',
  },
  {
    of: 'RT-61',
    wrong: 'the firewall is asked to refresh once',
    test: HOLD,
    file: OPNSENSE,
    find: '          await apply(signal);\n          askedAt',
    replace: '          askedAt',
  },
  {
    of: 'RT-61',
    wrong: 'nobody waits for the firewall',
    test: HOLD,
    file: OPNSENSE,
    find: 'const until = now() + times.patienceMs;',
    replace: 'const until = now();',
  },
];
