/** A firewall for simulated workers: the OPNsense stand-in, and what a container behind it can reach. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type OpnsenseSimulator, startOpnsense } from '../../simulator/src/opnsense/index.ts';

export interface Firewalled {
  readonly firewall: OpnsenseSimulator;
  /** For the gateway behind it. */
  readonly env: Readonly<Record<string, string>>;
  /** Hosts that are open, but for the one every agent needs. */
  opened(): readonly string[];
  /** How often somebody has changed the alias. */
  writes(): number;
  close(): Promise<void>;
}

const ALIAS = 'llm_approved_domains';
const BASE = 'api.anthropic.com';

export async function startFirewalled(): Promise<Firewalled> {
  const firewall = await startOpnsense({ resolve: async (name) => [addressOf(name)] });
  firewall.addUser({ key: 'key', secret: 'secret' });
  await firewall.addAlias({ name: ALIAS, content: [BASE] });
  const outside = createServer((request, response) => {
    const host = (request.url ?? '').slice(1);
    response.writeHead(firewall.live(ALIAS).includes(addressOf(host)) ? 200 : 403).end();
  });
  await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
  return {
    firewall,
    env: {
      SM_FIREWALL: 'opnsense',
      SM_OPNSENSE_URL: firewall.url,
      SM_OPNSENSE_KEY: 'key',
      SM_OPNSENSE_SECRET: 'secret',
      SM_OPNSENSE_ALIAS: ALIAS,
      CSM_CRASH_NO_NAMES: 'true',
      CSM_CRASH_PROBE: `http://127.0.0.1:${(outside.address() as AddressInfo).port}`,
    },
    opened: () => (firewall.alias(ALIAS)?.content ?? []).filter((host) => host !== BASE),
    writes: () => firewall.requests.filter(({ path }) => path.includes('setItem')).length,
    async close() {
      outside.closeAllConnections();
      await new Promise((resolve) => outside.close(resolve));
      await firewall.close();
    },
  };
}

/** One of its own for each of the first names of hosts, `t17.pypi.org`. */
function addressOf(host: string): string {
  const number = Number(/^t(\d+)\./.exec(host)?.[1] ?? 0);
  return `198.18.${number >> 8}.${number & 255}`;
}
