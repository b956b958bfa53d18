import { AGENT } from './agent.ts';
import { APPROVALS } from './approvals.ts';
import type { Mutant } from './mutant.ts';
import { THREAD } from './thread.ts';
import { WALLS } from './walls.ts';
import { WHOLE } from './whole.ts';

export const ALL: readonly Mutant[] = [...THREAD, ...AGENT, ...APPROVALS, ...WALLS, ...WHOLE];
