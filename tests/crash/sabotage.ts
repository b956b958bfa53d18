/**
 * Ways to break a promise on purpose, each between the runtime and its store. A harness that does not notice them proves
 * nothing.
 */
import { randomUUID } from 'node:crypto';
import type { Store } from '../../src/actors/index.ts';

export const SABOTAGES = {
  'ack-before-commit': 'worker outputs are acknowledged before they are committed',
  'forget-dedup': 'what was taken from the chat is not recognised when it comes again',
  'effects-without-keys': 'an effect that is tried again after a crash has another key',
  'commit-in-two': 'what an actor tells others is written after its state, not with it',
} as const;

export type Sabotage = keyof typeof SABOTAGES;

/** The moment in which a crash does the harm. May last, and may be where the process dies. */
export type Window = () => Promise<void>;

export function isSabotage(name: string): name is Sabotage {
  return Object.hasOwn(SABOTAGES, name);
}

export function sabotaged(name: Sabotage, store: Store, window: Window): Store {
  switch (name) {
    case 'ack-before-commit':
      return ackBeforeCommit(store, window);
    case 'forget-dedup':
      return forgetDedup(store, window);
    case 'effects-without-keys':
      return effectsWithoutKeys(store, window);
    case 'commit-in-two':
      return commitInTwo(store, window);
  }
}

function forgetDedup(store: Store, window: Window): Store {
  return {
    ...store,
    async deliver(items, options) {
      const own = items.map((item) => ({ ...item, dedupKey: `${item.dedupKey}/${randomUUID()}` }));
      const delivered = await store.deliver(own, options);
      if (items.some(({ dedupKey }) => dedupKey.startsWith('post/'))) await window();
      return delivered;
    },
  };
}

function ackBeforeCommit(store: Store, window: Window): Store {
  const last = new Map<string, Promise<unknown>>();
  return {
    ...store,
    async appendOutputs(term, batch) {
      const commit = async () => {
        await window();
        await store.appendOutputs(term, { ...batch, events: [] });
        await store.deliver(batch.events, { term: undefined, limitOf: () => undefined, cursors: [] });
      };
      last.set(batch.session, (last.get(batch.session) ?? Promise.resolve()).then(commit, commit));
      return { heldSeq: batch.rows.at(-1)?.seq ?? 0, rows: [] };
    },
  };
}

function effectsWithoutKeys(store: Store, window: Window): Store {
  const mark = '~again~';
  const replies = new Set<string>();
  const own = (key: string) => key.split(mark)[0] ?? key;
  return {
    ...store,
    async commit(term, commitId, turns) {
      for (const { key, kind } of turns.flatMap(({ effects }) => effects)) if (kind === 'chat.help') replies.add(key);
      return store.commit(term, commitId, turns);
    },
    async claimEffects(term) {
      return (await store.claimEffects(term)).map((row) => ({ ...row, key: `${row.key}${mark}${randomUUID()}` }));
    },
    async finishEffects(term, outcomes) {
      if (outcomes.some(({ key }) => replies.has(key))) await window();
      const known = outcomes.map(({ key, reply, ...outcome }) => ({
        ...outcome,
        key: own(key),
        reply: reply && { ...reply, dedupKey: own(reply.dedupKey), cause: own(reply.cause ?? '') },
      }));
      return store.finishEffects(term, known);
    },
    retryEffect: (term, retry) => store.retryEffect(term, { ...retry, key: own(retry.key) }),
  };
}

function commitInTwo(store: Store, window: Window): Store {
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
      await window();
      const { rows } = await store.deliver(tells, { term, limitOf: () => undefined, cursors: [] });
      return { committed, delivered: rows };
    },
  };
}
