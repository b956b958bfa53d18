/**
 * Which interfaces of the VM its walls stand at, and at which of them containers are. A project's compose file makes networks of
 * its own, each with a bridge of its own: walls that do not stand there hold nobody.
 */
import { RetryableError } from '../../actors/index.ts';
import type { Shell } from './shell.ts';

const TIMEOUT_MS = 30_000;

/** The way to each address, and whether one was found. */
const ROUTES = `
for address; do
  ip -o route get "$address" 2>/dev/null | sed -n 's/^.* dev \\([^ ]*\\).*$/\\1/p' | grep . || exit 1
done`;

/**
 * @param addresses of containers
 * @param bridges names of interfaces, or their beginnings with a `*`
 * @returns interfaces of the VM that lead to these addresses and have no walls
 * @throws RetryableError if the VM knows no way to one of them
 */
export async function unwalled(
  shell: Shell,
  addresses: readonly string[],
  bridges: readonly string[],
  signal?: AbortSignal,
): Promise<readonly string[]> {
  if (addresses.length === 0) return [];
  const { code, stdout } = await shell.exec({ script: ROUTES, args: addresses }, { timeoutMs: TIMEOUT_MS, signal });
  if (code !== 0) throw new RetryableError('NFT_ROUTE', `no way to one of ${addresses.join(', ')}`);
  const interfaces = [...new Set(stdout.split('\n').filter((line) => line !== ''))];
  return interfaces.filter((name) => !bridges.some((bridge) => names(bridge, name)));
}

/** As nft reads it: a `*` at the end stands for the rest. */
function names(bridge: string, name: string): boolean {
  return bridge.endsWith('*') ? name.startsWith(bridge.slice(0, -1)) : name === bridge;
}
