import { ADAPTERS } from './adapters.ts';
import { AGENT } from './agent.ts';
import { APPROVALS } from './approvals.ts';
import { MACHINES } from './machines.ts';
import { MAPPING } from './mapping.ts';
import type { Mutant } from './mutant.ts';
import { POSTS } from './posting.ts';
import { SESSION } from './session.ts';
import { THREAD } from './thread.ts';
import { WALLS } from './walls.ts';
import { WHOLE } from './whole.ts';

export const ALL: readonly Mutant[] = [
  ...THREAD,
  ...POSTS,
  ...APPROVALS,
  ...WALLS,
  ...ADAPTERS,
  ...SESSION,
  ...AGENT,
  ...MAPPING,
  ...WHOLE,
  ...MACHINES,
];
