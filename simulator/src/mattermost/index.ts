export { BAD_GATEWAY, INTERNAL_ERROR, limitExceeded } from './faultKnobs.ts';
export type { LogEntry } from './log.ts';
export type { SeededUser } from './seed.ts';
export { type MattermostOptions, type MattermostSimulator, startMattermost } from './server.ts';
