import type { Mutant } from './mutant.ts';

export const WHOLE: readonly Mutant[] = [];
