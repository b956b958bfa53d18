/** Which domains may be asked for, and which need no question. */
export { checkDomain, type DomainVerdict } from './check.ts';
export { type DomainPolicy, NO_POLICY, readPolicyFile } from './policyFile.ts';
export { checkHosts, MAX_HOSTS } from './request.ts';
export { type Standing, standingOf } from './standing.ts';
