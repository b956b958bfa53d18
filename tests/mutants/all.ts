import { ADAPTERS } from './adapters.ts';
import { AGENT } from './agent.ts';
import { MACHINES } from './machines.ts';
import { MAPPING } from './mapping.ts';
import type { Mutant } from './mutant.ts';
import { POSTS } from './posting.ts';
import { SESSION } from './session.ts';
import { THREAD } from './thread.ts';
import { WHOLE } from './whole.ts';

export const ALL: readonly Mutant[] = [
  ...THREAD,
  ...POSTS,
  ...ADAPTERS,
  ...SESSION,
  ...AGENT,
  ...MAPPING,
  ...WHOLE,
  ...MACHINES,
];
