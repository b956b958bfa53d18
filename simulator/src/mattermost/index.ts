export { BAD_GATEWAY, type Faults, INTERNAL_ERROR, limitExceeded } from './faultKnobs.ts';
export type { FaultAnswer, FaultMatch, LostAnswer } from './faults.ts';
export type { LogEntry, PostEntry, SimLog } from './log.ts';
export type { RateLimit } from './rateLimit.ts';
export type { SeededUser, Seeds } from './seed.ts';
export { type MattermostOptions, type MattermostSimulator, startMattermost } from './server.ts';
