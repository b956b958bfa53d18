/** What an enforcer can and cannot hold, in words for people who decide. */
import { assertNever } from '../../machines/json.ts';
import type { Enforcer } from './enforcer.ts';

export function reachOf(kind: Enforcer['kind']): string {
  switch (kind) {
    case 'opnsense':
      return 'The firewall opens a name for **every container**, not for this session alone; connections that are open stay open when it is closed.';
    case 'nftables':
      return 'Opens for HTTPS (port 443) from the containers named, and for nobody else; closing it cuts open connections.';
    case 'none':
      return '⚠️ **There is no firewall here (SM_FIREWALL=none): the agent can reach everything already.** Approving only tells it to go on.';
    default:
      return assertNever(kind);
  }
}
