import { AGENT } from './agent.ts';
import type { Mutant } from './mutant.ts';
import { POSTS } from './posting.ts';
import { THREAD } from './thread.ts';
import { WHOLE } from './whole.ts';

export const ALL: readonly Mutant[] = [...THREAD, ...POSTS, ...AGENT, ...WHOLE];
