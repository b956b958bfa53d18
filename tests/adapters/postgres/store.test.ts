import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FencedError } from '../../../src/actors/index.ts';
import type { JsonObject } from '../../../src/machines/json.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { COMMIT_ID, fresh, S, turn } from './support.ts';

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after(() => postgres.stop());

function output(seq: number, text = `t${seq}`) {
  return { seq, firstSeq: seq, at: 1000 + seq, kind: 'text', body: { text } };
}

test('a turn that finds another revision writes nothing at all; its neighbours are written', async () => {
  const { store, rows } = await fresh(postgres);
  await store.commit(1, COMMIT_ID, [turn({})]);
  const full = {
    tells: [{ to: 'container/c', event: { type: 'TOLD', at: 1 }, dedupKey: 'k' }],
    deadLetters: [
      { reason: 'poison', event: { type: 'X', at: 1 }, dedupKey: 'd', cause: undefined, error: undefined, at: 1 },
    ],
    transcript: [{ session: S, logId: 'notes', ...output(1) }],
    threads: [{ session: S, rootId: 'r', channelId: 'c' }],
  } as const;
  const stale = turn({ ...full, prevRev: 7 });
  const born = turn({ ...full, prevRev: 0 });
  const other = turn({ address: 'session/other', prevRev: 0 });
  assert.equal((await store.commit(1, COMMIT_ID, [stale, other])).committed, ['session/other']);
  assert.equal((await store.commit(1, COMMIT_ID, [born])).committed, [], 'a birth of what is there');
  const [counts] = await rows(
    `select (select count(*) from inbox) + (select count(*) from dead_letter) + (select count(*) from transcript)
          + (select count(*) from thread) as n`,
  );
  assert.is(counts?.n, 0);
  const { delivered } = await store.commit(1, COMMIT_ID, [turn({ ...full, prevRev: 1 })]);
  assert.is(delivered.length, 1);
  assert.equal(await store.threadOf(S), { session: S, rootId: 'r', channelId: 'c', settled: 0 });
});

test('a turn that takes an event that was taken already writes nothing, even at the right revision', async () => {
  const { store, rows } = await fresh(postgres);
  const item = { to: S, event: { type: 'X', at: 1 }, dedupKey: 'x' };
  const delivered = await store.deliver([item], { term: 1, limitOf: () => undefined, cursors: [] });
  const taken = delivered.rows.map(({ seq }) => seq);
  assert.equal((await store.commit(1, COMMIT_ID, [turn({ taken })])).committed, [S]);
  const letter = { event: item.event, dedupKey: 'x', cause: undefined, error: undefined, at: 1 };
  const again = turn({ prevRev: 1, taken, deadLetters: [{ reason: 'unhandled', ...letter }] });
  const tried = turn({ prevRev: 1, tried: taken });
  assert.equal((await store.commit(1, COMMIT_ID, [again])).committed, []);
  assert.equal((await store.commit(1, COMMIT_ID, [tried])).committed, []);
  assert.equal(await rows('select id from dead_letter'), []);
});

test('a commit of an earlier term is fenced', async () => {
  const { store, rows } = await fresh(postgres);
  await rows('update lease set term = 2');
  let error: unknown;
  await store.commit(1, COMMIT_ID, [turn({})]).catch((thrown: unknown) => {
    error = thrown;
  });
  assert.instance(error, FencedError);
  assert.equal(await rows('select id from actor'), []);
});

test('outputs delivered again are held once; the resume point is the newest log', async () => {
  const { store, rows } = await fresh(postgres);
  const event = { to: S, event: { type: 'TURN_STARTED', at: 1 }, dedupKey: 'log1/1' };
  assert.is(await store.resumePoint(S), undefined);
  const first = await store.appendOutputs(1, {
    session: S,
    logId: 'log1',
    rows: [output(1), output(2)],
    events: [event],
  });
  assert.is(first.heldSeq, 2);
  assert.is(first.rows.length, 1);
  const again = await store.appendOutputs(1, {
    session: S,
    logId: 'log1',
    rows: [output(2, 'other'), output(3)],
    events: [event],
  });
  assert.equal({ held: again.heldSeq, events: again.rows }, { held: 3, events: [] });
  assert.is((await store.appendOutputs(1, { session: S, logId: 'log1', rows: [], events: [] })).heldSeq, 3);
  assert.equal(await store.resumePoint(S), { logId: 'log1', seq: 3 });
  await store.appendOutputs(1, { session: S, logId: 'log2', rows: [output(1)], events: [] });
  assert.equal(await store.resumePoint(S), { logId: 'log2', seq: 1 });
  const all = await store.readTranscript(S);
  assert.equal(
    all.map(({ logId, seq, body }) => `${logId}/${seq}/${body.text}`),
    ['log1/1/t1', 'log1/2/t2', 'log1/3/t3', 'log2/1/t1'],
  );
  assert.equal(await store.readTranscript(S, all[2]?.id), all.slice(3));
  assert.is(all[0]?.at, 1001);
  const [row] = await rows('select count(*) as n from inbox');
  assert.is(row?.n, 1);
});

test('ids of a transcript rise in the order of commits, also when many write at once', async () => {
  const { store } = await fresh(postgres);
  const batch = (writer: number, at: number) =>
    store.appendOutputs(1, { session: S, logId: `log${writer}`, rows: [output(at)], events: [] });
  let last = 0;
  let seen = 0;
  let writing = true;
  const reading = (async () => {
    while (writing) {
      const news = await store.readTranscript(S, last);
      seen += news.length;
      last = news.at(-1)?.id ?? last;
    }
  })();
  await Promise.all(
    [0, 1, 2, 3].map(async (writer) => {
      for (let at = 1; at <= 40; at += 1) await batch(writer, at);
    }),
  );
  writing = false;
  await reading;
  seen += (await store.readTranscript(S, last)).length;
  assert.is(seen, 160);
});

test('a thread that changes while it is shown stays dirty', async () => {
  const { store } = await fresh(postgres);
  await store.appendOutputs(1, { session: S, logId: 'log', rows: [output(1)], events: [] });
  const [dirty] = await store.dirtyThreads();
  assert.ok(dirty);
  await store.appendOutputs(1, { session: S, logId: 'log', rows: [output(2)], events: [] });
  await store.cleanThread(S, dirty.mark, 0);
  const [still] = await store.dirtyThreads();
  assert.is(still?.session, S);
  await store.cleanThread(S, still?.mark ?? 0, 0);
  assert.equal(await store.dirtyThreads(), []);
});

test('up to where a thread stands for good is kept, and never goes back', async () => {
  const { store } = await fresh(postgres);
  await store.commit(1, COMMIT_ID, [turn({ threads: [{ session: S, rootId: 'r1', channelId: 'c' }] })]);
  assert.is((await store.threadOf(S))?.settled, 0);
  await store.cleanThread(S, 0, 7);
  await store.cleanThread(S, 0, 0);
  assert.equal(await store.threadOf(S), { session: S, rootId: 'r1', channelId: 'c', settled: 7 });
});

test('who was heard is known by their posts', async () => {
  const { store } = await fresh(postgres);
  const heard = (seq: number, body: JsonObject) => ({ ...output(seq), kind: 'heard', body });
  const rows = [
    heard(1, { postId: 'p1', author: 'ann', authorId: 'u-ann', text: 'x' }),
    heard(2, { postId: 'p2', author: 'bob', authorId: 'u-bob', text: 'x' }),
    heard(3, { postId: 'p3', author: 'old' }),
  ];
  await store.appendOutputs(1, { session: S, logId: 'log', rows, events: [] });
  assert.equal(await store.heardFrom(S, ['p2', 'p1', 'p3', 'p4']), [
    { id: 'u-ann', name: 'ann' },
    { id: 'u-bob', name: 'bob' },
  ]);
  assert.equal(await store.heardFrom('session/other', ['p1']), []);
});

test('the sessions of a channel are found by where their charts stand', async () => {
  const { store, rows } = await fresh(postgres);
  await store.commit(1, COMMIT_ID, [
    turn({ threads: [{ session: S, rootId: 'r1', channelId: 'c' }] }),
    turn({ address: 'session/t', threads: [{ session: 'session/t', rootId: 'r2', channelId: 'c' }] }),
  ]);
  await rows(
    `update actor set state = jsonb_set(state, '{snapshot,value}', '{"asleep": "deep"}') where id = 'session/t'`,
  );
  const here = [{ session: S, rootId: 'r1', channelId: 'c' }];
  assert.equal(await store.sessionsInChannel('c', ['open']), here);
  assert.equal(await store.sessionsInChannel('c', ['asleep']), [
    { session: 'session/t', rootId: 'r2', channelId: 'c' },
  ]);
  assert.equal(await store.sessionsInChannel('d', ['open', 'asleep']), []);
  assert.equal(await store.countActors(), [
    { kind: 'session', status: 'active', state: 'asleep', count: 1 },
    { kind: 'session', status: 'active', state: 'open', count: 1 },
  ]);
  const found = await store.listActors({ kind: 'session', keyPrefix: 't', states: ['asleep', 'open'] });
  assert.equal(
    found.map(({ address, value }) => ({ address, value })),
    [{ address: 'session/t', value: { asleep: 'deep' } }],
  );
  assert.equal(await store.listActors({ keyPrefix: '%' }), [], 'a prefix is no pattern');
  await rows(`update actor set status = 'done' where id = 'session/t'`);
  assert.equal(await store.sessionsInChannel('c', ['asleep']), []);
  assert.is((await store.findThread('r2'))?.session, 'session/t');
  assert.is(await store.findThread('r3'), undefined);
  const [session] = await rows('select value, context from sessions where id = $1', [S]);
  assert.equal(session, { value: 'open', context: { n: 1 } });
});

test('a post is reserved before it is made, and an earlier attempt is told', async () => {
  const { store } = await fresh(postgres);
  const post = { key: 'turn/0/0', session: S, channelId: 'c', rootId: 'r', at: 5000 };
  assert.is(await store.reservePost(post), undefined);
  const earlier = await store.reservePost({ ...post, at: 9000 });
  assert.equal({ state: earlier?.state, at: earlier?.attemptAt }, { state: 'creating', at: 5000 });
  await store.postCreated(post.key, 'p1', 'hash1');
  await store.postPatched(post.key, 'hash2');
  const [row] = await store.postsOf(S);
  assert.equal(row, {
    key: post.key,
    session: S,
    channelId: 'c',
    rootId: 'r',
    postId: 'p1',
    contentHash: 'hash2',
    state: 'posted',
    attemptAt: 5000,
  });
  await store.postGone(post.key);
  assert.is((await store.findPost('p1'))?.state, 'gone');
});

test('cursors move with the events they stand for, and never back', async () => {
  const { store } = await fresh(postgres);
  const item = { to: S, event: { type: 'X', at: 1 }, dedupKey: 'x' };
  const options = { term: 1, limitOf: () => undefined };
  await store.deliver([item], { ...options, cursors: [{ channelId: 'c', readUpTo: 2000 }] });
  await store.deliver([], { ...options, cursors: [{ channelId: 'c', readUpTo: 1000 }] });
  assert.equal(await store.chatCursors(), [{ channelId: 'c', readUpTo: 2000 }]);
});

test('no cursor moves past an event that its inbox had no room for', async () => {
  const { store } = await fresh(postgres);
  const options = { term: 1, limitOf: () => 1 };
  const item = (dedupKey: string) => ({ to: S, event: { type: 'X', at: 1 }, dedupKey });
  const cursors = (readUpTo: number) => [{ channelId: 'c', readUpTo }];
  await store.deliver([item('x')], { ...options, cursors: cursors(1000) });
  const { results } = await store.deliver([item('y')], { ...options, cursors: cursors(2000) });
  assert.equal(results, ['busy']);
  assert.equal(await store.chatCursors(), cursors(1000));
  // What is there already was not refused, however full the inbox is.
  await store.deliver([item('x')], { ...options, cursors: cursors(3000) });
  assert.equal(await store.chatCursors(), cursors(3000));
});

test('the first channel of a repository holds unless it is replaced on purpose', async () => {
  const { store } = await fresh(postgres);
  assert.is(await store.projectChannel('org/r'), undefined);
  assert.is(await store.putProjectChannel('org/r', 'one'), 'one');
  assert.is(await store.putProjectChannel('org/r', 'two'), 'one');
  assert.is(await store.putProjectChannel('org/r', 'two', { replace: true }), 'two');
});

test('a channel is furnished once; one that takes the place of another has to be furnished anew', async () => {
  const { store } = await fresh(postgres);
  await store.putProjectChannel('org/r', 'one');
  assert.not(await store.isFurnished('one'));
  await store.putFurnished('one');
  await store.putProjectChannel('org/r', 'two');
  assert.ok(await store.isFurnished('one'));
  await store.putProjectChannel('org/r', 'two', { replace: true });
  assert.not(await store.isFurnished('two'));
});

test('grants end by their time or by hand', async () => {
  const { store } = await fresh(postgres);
  const grant = {
    approval: 'approval/s/1',
    session: S,
    host: 'example.org',
    scope: 'session',
    openedAt: 1000,
    revokedAt: undefined,
    detail: { port: 443 },
  } as const;
  await store.putGrant({ ...grant, id: 'a', expiresAt: 5000 });
  await store.putGrant({ ...grant, id: 'b', expiresAt: undefined });
  const ids = async (at: number) => (await store.activeGrants(at)).map(({ id }) => id);
  assert.equal(await ids(4000), ['a', 'b']);
  assert.equal(await ids(6000), ['b']);
  await store.revokeGrant('b', 6000);
  assert.equal(await ids(6000), []);
});

test('the audit chain holds with writers at once, takes each key once, and shows a change', async () => {
  const { store, rows } = await fresh(postgres);
  const entry = (n: number) => ({
    key: `k${n}`,
    at: 1000 + n,
    action: 'approve',
    who: 'u',
    subject: S,
    detail: { z: n, a: { y: 1, b: 2 } },
  });
  await Promise.all(Array.from({ length: 20 }, (_, n) => store.appendAudit(entry(n))));
  await store.appendAudit(entry(3));
  assert.equal(await store.verifyAudit(), { rows: 20, brokenAt: undefined });
  const [middle] = await rows('select id from audit_log order by id offset 10 limit 1');
  await rows(`update audit_log set who = 'someone else' where id = $1`, [middle?.id]);
  assert.equal(await store.verifyAudit(), { rows: 10, brokenAt: middle?.id });
});

test.run();
