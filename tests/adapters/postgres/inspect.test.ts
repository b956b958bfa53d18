// What the inspector reads, from a real PostgreSQL.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createInspectorStore } from '../../../src/adapters/postgres/index.ts';
import type { ActorQuery } from '../../../src/inspector/ports.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';

const test = suite('reads of the inspector');

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after(() => postgres.stop());

async function fresh() {
  const database = await postgres.freshDatabase();
  return { ...database, store: createInspectorStore(database.db) };
}

type Rows = Awaited<ReturnType<typeof fresh>>['rows'];

const ANY: ActorQuery = { kind: undefined, status: undefined, search: '', before: undefined, limit: 10 };

async function addActor(
  rows: Rows,
  id: string,
  { status = 'active', at = 1_700_000_000_000, tasks = {} }: { status?: string; at?: number; tasks?: object } = {},
): Promise<void> {
  const state = { version: 1, snapshot: { value: { open: 'idle' }, context: { n: 1 } }, timers: {}, tasks };
  await rows(
    `insert into actor(id, kind, key, version, rev, term, commit_id, status, state, updated_at)
     values ($1, split_part($1, '/', 1), $1, 1, 7, 3, gen_random_uuid(), $2, $3, to_timestamp($4::float8 / 1000))`,
    [id, status, JSON.stringify(state), at],
  );
}

async function addJournal(rows: Rows, id: string, rev: number, at: number, effects: object[] = []): Promise<void> {
  await rows(
    `insert into journal(actor_id, rev, at, event, cause, value, context, effects, version)
     values ($1, $2, to_timestamp($3::float8 / 1000), $4, 'why', $5, '{"big": true}', $6, 1)`,
    [id, rev, at, JSON.stringify({ type: `E${rev}`, at }), JSON.stringify(`s${rev}`), JSON.stringify(effects)],
  );
}

async function addEffect(rows: Rows, key: string, actor: string, status: string): Promise<void> {
  await rows(
    `insert into effect(key, actor_id, kind, params, status, attempts, term, run_at, deadline, error, done_at)
     values ($1, $2, 'worker.prompt', '{"a": 1}', $3, 2, 1, to_timestamp(100), to_timestamp(200), 'refused',
             case when $3 = 'pending' then null else to_timestamp(150) end)`,
    [key, actor, status],
  );
}

async function addLetter(rows: Rows, actor: string, settled = false): Promise<number> {
  const [row] = await rows<{ id: string }>(
    `insert into dead_letter(actor_id, reason, event, dedup_key, cause, error, at, settled_at)
     values ($1, 'poison', '{"type": "X"}', 'k', null, 'it threw', to_timestamp(5), case when $2 then now() end)
     returning id`,
    [actor, settled],
  );
  return Number(row?.id);
}

test('the list shows the newest change first, page by page, without a gap or a repeat', async () => {
  const { store, rows } = await fresh();
  // Several in the same millisecond: the address decides.
  for (let n = 0; n < 25; n += 1) await addActor(rows, `session/${n}`, { at: 1_700_000_000_123 + Math.floor(n / 4) });
  const seen: string[] = [];
  let before: ActorQuery['before'];
  while (seen.length < 100) {
    const page = await store.actors({ ...ANY, before });
    seen.push(...page.map(({ address }) => address));
    const last = page.at(-1);
    if (last === undefined) break;
    before = { updatedAt: last.updatedAt, address: last.address };
  }
  assert.is(seen.length, 25);
  assert.is(new Set(seen).size, 25);
  assert.is(seen[0], 'session/24');
  assert.is(seen.at(-1), 'session/0');
});

test('the list is narrowed by kind, status and any part of an address, read literally', async () => {
  const { store, rows } = await fresh();
  await addActor(rows, 'session/abc');
  await addActor(rows, 'session/100%_x', { status: 'parked' });
  await addActor(rows, 'container/Org/repo@main');
  const found = async (query: Partial<ActorQuery>) =>
    (await store.actors({ ...ANY, ...query })).map(({ address }) => address).sort();
  assert.equal(await found({ kind: 'container' }), ['container/Org/repo@main']);
  assert.equal(await found({ status: 'parked' }), ['session/100%_x']);
  assert.equal(await found({ search: 'ORG/REPO' }), ['container/Org/repo@main']);
  assert.equal(await found({ search: '%_' }), ['session/100%_x']);
  assert.equal(await found({ search: '%b%' }), []);
  assert.equal(await found({ search: `'; drop table actor; --` }), []);
  assert.equal(await found({ kind: 'session', status: 'active', search: 'b' }), ['session/abc']);
});

test('a line counts what waits, and only that', async () => {
  const { store, rows } = await fresh();
  await addActor(rows, 'session/a', { tasks: { link: { key: 'k', src: 's', input: {} } } });
  await addActor(rows, 'session/b', { tasks: { link: { key: 'k', src: 's', input: {}, ended: true } } });
  await rows(`insert into inbox(actor_id, dedup_key, event, done_at) values
    ('session/a', '1', '{"type":"A"}', null), ('session/a', '2', '{"type":"B"}', null), ('session/a', '3', '{}', now())`);
  await addLetter(rows, 'session/a');
  await addLetter(rows, 'session/a', true);
  const lines = await store.actors(ANY);
  const a = lines.find(({ address }) => address === 'session/a');
  const b = lines.find(({ address }) => address === 'session/b');
  assert.equal([a?.inbox, a?.letters, a?.busy, a?.rev], [2, 1, true, 7]);
  assert.equal([b?.inbox, b?.letters, b?.busy], [0, 0, false]);
  assert.equal(a?.value, { open: 'idle' });
  const waiting = await store.inbox('session/a', 1);
  assert.equal(
    waiting.map(({ event }) => event),
    [{ type: 'A' }],
  );
});

test('one actor is shown whole; one that is not there is not', async () => {
  const { store, rows } = await fresh();
  await addActor(rows, 'session/a');
  const actor = await store.actor('session/a');
  assert.equal(actor?.envelope.snapshot, { value: { open: 'idle' }, context: { n: 1 } });
  assert.equal([actor?.rev, actor?.term, actor?.parent, actor?.updatedAt], [7, 3, undefined, 1_700_000_000_000]);
  assert.is(await store.actor('session/none'), undefined);
});

test('requests that are not done are shown with their attempts, the done ones are not', async () => {
  const { store, rows } = await fresh();
  await addEffect(rows, 'session/a/1/0', 'session/a', 'pending');
  await addEffect(rows, 'session/a/1/1', 'session/a', 'done');
  assert.equal(await store.effects('session/a', 10), [
    {
      key: 'session/a/1/0',
      kind: 'worker.prompt',
      params: { a: 1 },
      attempts: 2,
      runAt: 100_000,
      deadline: 200_000,
      error: 'refused',
    },
  ]);
});

test('the journal is read backwards in pages, without contexts', async () => {
  const { store, rows } = await fresh();
  for (let rev = 1; rev <= 5; rev += 1) await addJournal(rows, 'session/a', rev, 1000 * rev, [{ kind: 'say' }]);
  await addJournal(rows, 'session/b', 1, 1000);
  const first = await store.journal('session/a', undefined, 2);
  assert.equal(
    first.map(({ rev, eventType, effects, value }) => [rev, eventType, effects, value]),
    [
      [5, 'E5', ['say'], 's5'],
      [4, 'E4', ['say'], 's4'],
    ],
  );
  assert.equal(
    (await store.journal('session/a', 4, 10)).map(({ rev }) => rev),
    [3, 2, 1],
  );
});

test('a revision shows where it came from and what became of its requests', async () => {
  const { store, rows } = await fresh();
  await addJournal(rows, 'session/a', 1, 1000);
  await addJournal(rows, 'session/a', 2, 2000, [{ kind: 'say' }, { kind: 'worker.prompt' }]);
  await addEffect(rows, 'session/a/2/1', 'session/a', 'failed');
  await addEffect(rows, 'session/a/20/1', 'session/a', 'done');
  const revision = await store.revision('session/a', 2);
  assert.equal([revision?.before, revision?.value, revision?.context], ['s1', 's2', { big: true }]);
  assert.equal(revision?.outcomes, [
    { index: 1, status: 'failed', attempts: 2, runAt: 100_000, doneAt: 150_000, error: 'refused' },
  ]);
  assert.is((await store.revision('session/a', 1))?.before, undefined);
  assert.is(await store.revision('session/a', 3), undefined);
});

test('letters that are settled are not shown; the rest come newest first, for all or for one', async () => {
  const { store, rows } = await fresh();
  const ids = [await addLetter(rows, 'session/a'), await addLetter(rows, 'session/b')];
  await addLetter(rows, 'session/a', true);
  ids.push(await addLetter(rows, 'session/a'));
  const listed = async (...query: Parameters<typeof store.letters>) =>
    (await store.letters(...query)).map(({ id }) => id);
  assert.equal(await listed(undefined, undefined, 10), [...ids].reverse());
  assert.equal(await listed(undefined, ids[2], 1), [ids[1]]);
  assert.equal(await listed('session/a', undefined, 10), [ids[2], ids[0]]);
  assert.is((await store.letters('session/b', undefined, 1))[0]?.error, 'it threw');
});

test('the overview counts actors by kind and status, and letters', async () => {
  const { store, rows } = await fresh();
  await addActor(rows, 'session/a');
  await addActor(rows, 'session/b');
  await addActor(rows, 'approval/a/1', { status: 'parked' });
  await addLetter(rows, 'session/a');
  await addLetter(rows, 'session/a', true);
  await rows(`update lease set term = 4, holder = 'host'`);
  const overview = await store.overview();
  assert.equal(overview.counts, [
    { kind: 'approval', status: 'parked', count: 1 },
    { kind: 'session', status: 'active', count: 2 },
  ]);
  assert.equal([overview.letters, overview.term, overview.holder], [1, 4, 'host']);
});

test('what changed since is found, also if it was committed a little late', async () => {
  const { store, rows } = await fresh();
  await addJournal(rows, 'session/old', 1, 1_000_000);
  const { mark } = await store.changes({ at: 900_000, letter: 0 }, 10);
  assert.is(mark.at, 1_000_000);
  await addJournal(rows, 'session/new', 3, 1_000_500);
  await addJournal(rows, 'session/late', 2, 999_000);
  await addJournal(rows, 'session/ancient', 2, 500_000);
  const letter = await addLetter(rows, 'session/dead');
  const { actors, mark: next } = await store.changes(mark, 10);
  assert.equal(actors.map(({ address, rev }) => `${address} ${rev}`).sort(), [
    'session/dead 0',
    'session/late 2',
    'session/new 3',
    'session/old 1',
  ]);
  assert.equal(next, { at: 1_000_500, letter });
  assert.equal((await store.changes({ at: 9_000_000, letter }, 10)).actors, []);
});

test.run();
