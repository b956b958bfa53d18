/** Writing a batch of turns, whatever the database says about it. */
import { randomUUID } from 'node:crypto';
import type { Address } from '../machines/addresses.ts';
import { BadDataError, UnknownOutcomeError } from './errors.ts';
import type { CommitOutcome, RuntimeStore } from './store.ts';
import type { Turn } from './turn.ts';

export interface BatchOutcome {
  readonly committed: ReadonlySet<Address>;
  readonly delivered: CommitOutcome['delivered'];
  /** Turns whose rows the database refuses. */
  readonly refused: ReadonlyMap<Address, string>;
  /** What was written under which seq is not known in full: read pending rows and effects again. */
  readonly uncertain: boolean;
}

/**
 * Commits the turns; a refused one does not keep the others from it.
 * @param retrying runs a call again and again while it fails in a way that may pass, with `again` also when its outcome is
 * not known; rejects when fenced or stopped.
 */
export async function commitTurns(
  store: RuntimeStore,
  term: number,
  turns: readonly Turn[],
  retrying: <Result>(call: () => Promise<Result>, unknown?: 'again') => Promise<Result>,
): Promise<BatchOutcome> {
  const commitId = randomUUID();
  const addresses = turns.map(({ commit }) => commit.address);
  try {
    const { committed, delivered } = await retrying(() =>
      store.commit(
        term,
        commitId,
        turns.map(({ commit }) => commit),
      ),
    );
    return { committed: new Set(committed), delivered, refused: new Map(), uncertain: committed.length < turns.length };
  } catch (error) {
    if (error instanceof UnknownOutcomeError) {
      const last = await retrying(() => store.lastCommits(addresses), 'again');
      const committed = new Set(addresses.filter((address) => last.get(address) === commitId));
      return { committed, delivered: [], refused: new Map(), uncertain: true };
    }
    if (!(error instanceof BadDataError)) throw error;
    const [only] = turns;
    if (turns.length === 1 && only !== undefined) {
      const refused = new Map([[only.commit.address, error.message]]);
      return { committed: new Set(), delivered: [], refused, uncertain: false };
    }
    const half = Math.ceil(turns.length / 2);
    const left = await commitTurns(store, term, turns.slice(0, half), retrying);
    const right = await commitTurns(store, term, turns.slice(half), retrying);
    return {
      committed: new Set([...left.committed, ...right.committed]),
      delivered: [...left.delivered, ...right.delivered],
      refused: new Map([...left.refused, ...right.refused]),
      uncertain: left.uncertain || right.uncertain,
    };
  }
}
