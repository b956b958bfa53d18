/** Figures of a noisy machine: variants take turns, and what is reported is the median and the middle half. */

/** Over the rounds of one run: the median, and the range that holds half of the rounds. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** @throws RangeError without values: a figure that nobody measured must not look like one. */
export function spreadOf(values: readonly number[]): Spread {
  return { median: quantile(values, 0.5), low: quantile(values, 0.25), high: quantile(values, 0.75) };
}

/** @param at between 0 (smallest) and 1 (largest); the nearest value that was measured. */
export function quantile(values: readonly number[], at: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))];
  if (value === undefined) throw new RangeError('no values');
  return value;
}

/** Each variant once per round, in a rotating order: what disturbs the machine for a while disturbs all alike. */
export async function inRounds<Name extends string, Result>(
  rounds: number,
  variants: Readonly<Record<Name, () => Promise<Result>>>,
  onRound: (round: number) => void = () => {},
): Promise<Record<Name, Result>[]> {
  const names = Object.keys(variants) as Name[];
  const results: Record<Name, Result>[] = [];
  for (let round = 0; round < rounds; round += 1) {
    onRound(round + 1);
    const shift = round % names.length;
    const entries: [Name, Result][] = [];
    for (const name of [...names.slice(shift), ...names.slice(0, shift)]) entries.push([name, await variants[name]()]);
    results.push(Object.fromEntries(entries) as Record<Name, Result>);
  }
  return results;
}
