/** What stands between containers and everything else, and which containers are whose. */
import type { Mutant } from './mutant.ts';

export const WALLS: readonly Mutant[] = [];
