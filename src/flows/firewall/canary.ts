/**
 * The proof that there are walls, from the inside: before an agent starts, its container tries what must not work. A wall
 * that fell silently (a changed rule, another network, a restarted firewall) is found here and not weeks later.
 */
import { TerminalError } from '../../actors/index.ts';

/** Reachable from anywhere that has a way out; by address, so that a broken resolver does not look like a wall. */
export const CANARIES: readonly { readonly host: string; readonly port: number }[] = [
  { host: '1.1.1.1', port: 443 },
  { host: '8.8.8.8', port: 53 },
  { host: '9.9.9.9', port: 443 },
  { host: '169.254.169.254', port: 80 },
  { host: '2606:4700:4700::1111', port: 443 },
];

/** The container, or another one of its project, is where the walls do not stand, whatever it could reach just now. */
export function outsideTheWalls(interfaces: readonly string[]): TerminalError {
  const where = interfaces.join(', ');
  return new TerminalError('WALLS_ELSEWHERE', `containers at ${where}, which has no walls`, {
    human: `Containers of this repository are at ${where} of the VM, where no walls stand. No agent is started there. They are taken away. Name that bridge in SM_NFT_BRIDGES (\`podman*\` stands for all that podman makes), or let the repository use the network of SM_CONTAINER_NETWORK (docs/firewall.md).`,
  });
}

/**
 * @param reaches whether the container can connect there now; rejects if that cannot be found out
 * @throws TerminalError WALLS_OPEN; and what `reaches` throws, because walls that nobody has seen are none
 */
export async function proveWalls(reaches: (host: string, port: number) => Promise<boolean>): Promise<void> {
  const results = await Promise.all(CANARIES.map(({ host, port }) => reaches(host, port)));
  const open = CANARIES.filter((_, index) => results[index]).map(({ host }) => host);
  if (open.length === 0) return;
  throw new TerminalError('WALLS_OPEN', `reachable without an approval: ${open.join(', ')}`, {
    human: `The container can reach ${open.join(', ')} without an approval: the firewall is not in force. No agent is started there. It is taken away. Check the rules that stand before the containers' network (docs/firewall.md).`,
  });
}
