/**
 * Names are resolved here, by the VM's own resolver, and nowhere else. Containers ask a resolver that knows only these
 * answers: what it does not know it refuses without asking anybody. So
 * - a container sees exactly the addresses that are open for it, however often they change;
 * - nothing can be carried out in queries (DNS tunnelling);
 * - what a client writes into its SNI or Host header opens nothing.
 */
import { isPublic } from './addresses.ts';
import { nftError } from './errors.ts';
import type { Shell } from './shell.ts';

const RESOLVE_SECONDS = 5;

/** Both families apart: with `ahosts`, glibc leaves out IPv6 where the VM itself has none. */
const RESOLVE = `
for name; do
  for family in ahostsv4 ahostsv6; do
    timeout ${RESOLVE_SECONDS} getent "$family" "$name" | while read -r address kind rest; do
      [ "$kind" = STREAM ] && printf '%s %s\\n' "$name" "$address"
    done &
  done
done
wait`;

/** The public addresses of each host; none if it did not resolve this time. Never rejects because of one name. */
export async function resolveOn(
  shell: Shell,
  hosts: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>(hosts.map((host) => [host, []]));
  if (hosts.length === 0) return found;
  const result = await shell.exec({ script: RESOLVE, args: hosts }, { timeoutMs: 30_000, signal });
  for (const line of result.stdout.split('\n')) {
    const [host = '', address = ''] = line.split(' ');
    if (isPublic(address) && !found.get(host)?.includes(address)) found.get(host)?.push(address);
  }
  return found;
}

/** Read by dnsmasq's `hostsdir` as soon as it is renamed into place; names that begin with a dot are not read. */
const WRITE = `
set -eu
mkdir -p "$1"
umask 022
cat > "$1/.granted.new"
mv "$1/.granted.new" "$1/granted"`;

/** Makes these the only names the containers' resolver knows. @param folder dnsmasq's `hostsdir` */
export async function serveNames(
  shell: Shell,
  folder: string,
  names: ReadonlyMap<string, readonly string[]>,
  signal?: AbortSignal,
): Promise<void> {
  const lines = [...names].flatMap(([host, addresses]) => addresses.map((address) => `${address} ${host}`));
  const stdin = ['# Written by Claude Session Manager; changes are lost.', ...lines.sort(), ''].join('\n');
  const result = await shell.exec({ script: WRITE, args: [folder] }, { timeoutMs: 30_000, signal, stdin });
  if (result.code !== 0) throw nftError('names for the resolver', result);
}
