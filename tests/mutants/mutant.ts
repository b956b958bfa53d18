/** A fix taken out again: the test that guards it must fail then, or it guards nothing. */
export interface Mutant {
  /** With what the names of its tests begin. */
  readonly of: string;
  /** What the program does wrong now. */
  readonly wrong: string;
  /** From the root of the repository. */
  readonly test: string;
  /** Needed if more than one test of that file begins so. Part of its name. */
  readonly name?: string;
  readonly file: string;
  /** Occurs there exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** @throws if the code is not there any more, or not once */
export function applied({ of, file, find, replace }: Mutant, source: string): string {
  const times = source.split(find).length - 1;
  if (times !== 1) throw new Error(`${of}: in ${file} this is there ${times} times: ${find}`);
  return source.replace(find, () => replace);
}
