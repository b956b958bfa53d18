import { ADAPTERS } from './adapters.ts';
import { AGENT } from './agent.ts';
import { MACHINES } from './machines.ts';
import { MAPPING } from './mapping.ts';
import type { Mutant } from './mutant.ts';
import { SESSION } from './session.ts';
import { SHOWN } from './shown.ts';
import { THREAD } from './thread.ts';
import { WHOLE } from './whole.ts';

export const ALL: readonly Mutant[] = [
  ...THREAD,
  ...SHOWN,
  ...ADAPTERS,
  ...SESSION,
  ...AGENT,
  ...MAPPING,
  ...WHOLE,
  ...MACHINES,
];
