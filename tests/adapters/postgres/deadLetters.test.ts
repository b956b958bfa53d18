import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FencedError } from '../../../src/actors/index.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { COMMIT_ID, fresh, S, turn } from './support.ts';

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after(() => postgres.stop());

const letter = (dedupKey: string, reason: 'poison' | 'unhandled' = 'poison') => ({
  reason,
  event: { type: 'X', at: 1, text: dedupKey },
  dedupKey,
  cause: 'c',
  error: reason === 'poison' ? 'it threw' : undefined,
  at: 1000,
});

const OPEN = 'select dedup_key, settled_how from dead_letter order by id';

test('a dead letter is settled by the commit that deals with it, once, and not by one that is refused', async () => {
  const { store, rows } = await fresh(postgres);
  await store.commit(1, COMMIT_ID, [turn({ deadLetters: [letter('a'), letter('b')] })]);
  const [a, b] = await rows<{ id: number }>('select id from dead_letter order by id');
  const settled = [
    { id: Number(a?.id), how: 'replayed' },
    { id: Number(b?.id), how: 'skipped' },
  ] as const;
  const open = [
    { dedup_key: 'a', settled_how: null },
    { dedup_key: 'b', settled_how: null },
  ];
  assert.equal((await store.commit(1, COMMIT_ID, [turn({ prevRev: 7, settled })])).committed, []);
  assert.equal(await rows(OPEN), open, 'another revision');
  await rows('update lease set term = 2');
  const error = await store.commit(1, COMMIT_ID, [turn({ prevRev: 1, settled })]).catch((thrown: unknown) => thrown);
  assert.instance(error, FencedError);
  assert.equal(await rows(OPEN), open, 'another term');

  await store.commit(2, COMMIT_ID, [turn({ prevRev: 1, settled })]);
  const done = [
    { dedup_key: 'a', settled_how: 'replayed' },
    { dedup_key: 'b', settled_how: 'skipped' },
  ];
  assert.equal(await rows(OPEN), done);
  const again = settled.map(({ id }) => ({ id, how: 'skipped' }) as const);
  await store.commit(2, COMMIT_ID, [turn({ prevRev: 1, settled: again })]);
  assert.equal(await rows(OPEN), done, 'what was done first stands');
});

test('a dead letter is found by its id, the last poison by its actor until it is settled', async () => {
  const { store } = await fresh(postgres);
  await store.commit(1, COMMIT_ID, [turn({ deadLetters: [letter('a'), letter('b', 'unhandled')] })]);
  const poison = await store.lastPoison(S);
  assert.ok(poison);
  assert.equal(poison, { ...letter('a'), id: poison.id, address: S, settledAt: undefined });
  assert.equal(await store.deadLetter(poison.id), poison);
  assert.is(await store.deadLetter(poison.id + 100), undefined);
  await store.commit(1, COMMIT_ID, [turn({ prevRev: 1, settled: [{ id: poison.id, how: 'skipped' }] })]);
  assert.is(await store.lastPoison(S), undefined);
  assert.type((await store.deadLetter(poison.id))?.settledAt, 'number');
});

test('the event an actor was made of is told', async () => {
  const { store } = await fresh(postgres);
  const born = { type: 'START', at: 1, who: 'u' };
  const row = { at: 1, cause: undefined, value: 'open', context: {}, effects: [], version: 1 };
  const journal = [
    { ...row, rev: 1, event: born },
    { ...row, rev: 2, event: { type: 'X', at: 2 } },
  ];
  await store.commit(1, COMMIT_ID, [turn({ journal })]);
  assert.equal(await store.birthOf(S), born);
  assert.is(await store.birthOf('session/none'), undefined);
});

test.run();
