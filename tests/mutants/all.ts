import { AGENT } from './agent.ts';
import type { Mutant } from './mutant.ts';
import { SHOWN } from './shown.ts';
import { THREAD } from './thread.ts';
import { WHOLE } from './whole.ts';

export const ALL: readonly Mutant[] = [...THREAD, ...SHOWN, ...AGENT, ...WHOLE];
