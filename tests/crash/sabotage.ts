/**
 * Ways to break a promise on purpose, each between the runtime and its store. A harness that does not notice them proves
 * nothing.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../../src/actors/index.ts';

export const SABOTAGES = {
  'ack-before-commit': 'worker outputs are acknowledged before they are committed',
  'forget-dedup': 'what was taken from the chat is not recognised when it comes again',
  'effects-without-keys': 'an effect that is tried again after a crash has another key',
  'commit-in-two': 'what an actor tells others is written after its state, not with it',
} as const;

export type Sabotage = keyof typeof SABOTAGES;

/** How long the window is open that the sabotage makes. Milliseconds. */
const WINDOW_MS = 120;

export function isSabotage(name: string): name is Sabotage {
  return Object.hasOwn(SABOTAGES, name);
}

export function sabotaged(name: Sabotage, store: Store): Store {
  switch (name) {
    case 'ack-before-commit':
      return ackBeforeCommit(store);
    case 'forget-dedup':
      return {
        ...store,
        deliver: (items, options) =>
          store.deliver(
            items.map((item) => ({ ...item, dedupKey: `${item.dedupKey}/${randomUUID()}` })),
            options,
          ),
      };
    case 'effects-without-keys':
      return effectsWithoutKeys(store);
    case 'commit-in-two':
      return commitInTwo(store);
  }
}

function ackBeforeCommit(store: Store): Store {
  const last = new Map<string, Promise<unknown>>();
  return {
    ...store,
    async appendOutputs(term, batch) {
      const commit = async () => {
        await sleep(WINDOW_MS);
        await store.appendOutputs(term, { ...batch, events: [] });
        await store.deliver(batch.events, { term: undefined, limitOf: () => undefined, cursors: [] });
      };
      last.set(batch.session, (last.get(batch.session) ?? Promise.resolve()).then(commit, commit));
      return { heldSeq: batch.rows.at(-1)?.seq ?? 0, rows: [] };
    },
  };
}

function effectsWithoutKeys(store: Store): Store {
  const mark = '~again~';
  const own = (key: string) => key.split(mark)[0] ?? key;
  return {
    ...store,
    async claimEffects(term) {
      return (await store.claimEffects(term)).map((row) => ({ ...row, key: `${row.key}${mark}${randomUUID()}` }));
    },
    finishEffects: (term, outcomes) =>
      store.finishEffects(
        term,
        outcomes.map(({ key, reply, ...outcome }) => ({
          ...outcome,
          key: own(key),
          reply: reply && { ...reply, dedupKey: own(reply.dedupKey), cause: own(reply.cause ?? '') },
        })),
      ),
    retryEffect: (term, retry) => store.retryEffect(term, { ...retry, key: own(retry.key) }),
  };
}

function commitInTwo(store: Store): Store {
  return {
    ...store,
    async commit(term, commitId, turns) {
      const { committed, delivered } = await store.commit(
        term,
        commitId,
        turns.map((turn) => ({ ...turn, tells: [] })),
      );
      const tells = turns.filter(({ address }) => committed.includes(address)).flatMap((turn) => turn.tells);
      if (tells.length === 0) return { committed, delivered };
      await sleep(WINDOW_MS);
      const { rows } = await store.deliver(tells, { term, limitOf: () => undefined, cursors: [] });
      return { committed, delivered: rows };
    },
  };
}
