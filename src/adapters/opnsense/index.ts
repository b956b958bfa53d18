/** OPNsense: one alias of host names that agents may reach. */
export type { Change, Wish } from './alias.ts';
export { type Held, type OpnsenseFirewall, opnsenseFirewall, type Times } from './firewall.ts';
export type { ResolveHost } from './liveTable.ts';
export { createOpnsenseClient, type OpnsenseAccess, type OpnsenseClient } from './request.ts';
