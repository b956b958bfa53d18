/** What "open the firewall" means where there is none: nothing is enforced, and the answer says so. */
import type { EffectHandlers } from '../actors/index.ts';

export const noFirewallHandlers = {
  'firewall.allow': async () => ({ enforced: false }),
} satisfies EffectHandlers;
