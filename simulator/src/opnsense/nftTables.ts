/**
 * Live tables as real nftables sets in a network namespace, with the rule a firewall would have: what is in the table is
 * reachable on one port, answers come back, and nothing else passes. Open connections outlive the removal of their
 * address, as states do on the real firewall.
 */
import { spawn } from 'node:child_process';
import { isIP } from 'node:net';
import type { TableSink } from './world.ts';

export interface NftOptions {
  /** What runs a program in the network namespace: `['ip', 'netns', 'exec', NAME]`. It must exist. */
  readonly enter: readonly string[];
  /** `forward` in a router's namespace, `output` in that of the client itself. */
  readonly hook: 'forward' | 'output';
  /** The alias whose rule it is. */
  readonly alias: string;
  /** TCP port the rule opens. */
  readonly port: number;
  /** Address of the resolver that may be asked, if one may. */
  readonly resolver?: string;
}

const TABLE = 'inet opnsense';

/** Puts the rules in place, replacing those of an earlier run. Rejects with what nft says. */
export async function openNftTables(options: NftOptions): Promise<TableSink> {
  const { alias, hook, port, resolver } = options;
  const run = (script: string) => nft(options.enter, script);
  await run(`table ${TABLE}\ndelete table ${TABLE}\ntable ${TABLE} {
  set ${alias}_4 { type ipv4_addr; }
  set ${alias}_6 { type ipv6_addr; }
  chain guard {
    type filter hook ${hook} priority 0; policy drop;
    ct state established,related accept
    ${hook === 'output' ? 'oifname "lo" accept' : ''}
    ${resolver === undefined ? '' : `ip daddr ${resolver} meta l4proto { tcp, udp } th dport 53 accept`}
    ip daddr @${alias}_4 tcp dport ${port} accept
    ip6 daddr @${alias}_6 tcp dport ${port} accept
    reject with icmpx admin-prohibited
  }
}`);
  return {
    async set(name, addresses) {
      if (name !== alias) return;
      const lines = ([4, 6] as const).flatMap((family) => {
        const members = addresses.filter((address) => isIP(address) === family);
        const set = `${TABLE} ${alias}_${family}`;
        return [`flush set ${set}`, ...(members.length > 0 ? [`add element ${set} { ${members.join(', ')} }`] : [])];
      });
      await run(lines.join('\n'));
    },
    close: () => run(`table ${TABLE}\ndelete table ${TABLE}`),
  };
}

function nft(enter: readonly string[], script: string): Promise<void> {
  const [program = 'nft', ...words] = [...enter, 'nft', '-f', '-'];
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ['pipe', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
    });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`nft: ${said.trim()}`))));
    child.stdin.end(`${script}\n`);
  });
}
