import { strict as assert } from 'node:assert';
import { suite } from 'uvu';
import { BAD_GATEWAY, INTERNAL_ERROR, limitExceeded } from '../../src/mattermost/index.ts';
import { api, type Crew, connectionId, eventually, listen, startCrew } from './helpers.ts';

const test = suite<{ crew: Crew }>('fault knobs');

test.before.each(async (context) => {
  context.crew = await startCrew();
});
test.after.each(async ({ crew }) => {
  await crew.mattermost.close();
});

const say = (crew: Crew, message: string, extra: Record<string, unknown> = {}) =>
  api(crew.mattermost, crew.alice.token, 'POST', '/posts', { channel_id: crew.channelId, message, ...extra });

test('a black hole delivers nothing and closes nothing, and its id cannot be resumed', async ({ crew }) => {
  const { faults } = crew.mattermost;
  const listener = await listen(crew.mattermost, crew.bot.token);
  const id = await connectionId(listener);
  const before = listener.frames.length;
  assert.equal(faults.blackHoleWebSockets(), 1);
  listener.socket.send(JSON.stringify({ seq: 1, action: 'ping' }));
  await say(crew, 'into the void');
  const second = await listen(crew.mattermost, crew.bot.token, `?connection_id=${id}&sequence_number=${before}`);
  assert.notEqual(await connectionId(second), id);
  await say(crew, 'heard');
  await eventually(() => second.posts().includes('heard'), 'the next post');
  assert.equal(listener.frames.length, before);
  assert.equal(listener.closed, false);
  faults.heal();
  await eventually(() => listener.closed, 'the old socket to be closed');
  second.socket.terminate();
});

test('new sockets can be swallowed too', async ({ crew }) => {
  crew.mattermost.faults.blackHoleWebSockets({ alsoNew: true });
  const mute = await listen(crew.mattermost, crew.bot.token);
  crew.mattermost.faults.heal();
  const live = await listen(crew.mattermost, crew.bot.token);
  await connectionId(live);
  assert.deepEqual(mute.frames, []);
  live.socket.terminate();
});

test('a cut socket can be resumed where it stopped', async ({ crew }) => {
  const first = await listen(crew.mattermost, crew.bot.token);
  const id = await connectionId(first);
  const next = first.frames.length;
  assert.equal(crew.mattermost.faults.cutWebSockets(), 1);
  await eventually(() => first.closed, 'the cut');
  await say(crew, 'meanwhile');
  const second = await listen(crew.mattermost, crew.bot.token, `?connection_id=${id}&sequence_number=${next}`);
  await eventually(() => second.posts().includes('meanwhile'), 'the replay');
  assert.ok(!second.frames.some((frame) => frame.event === 'hello'));
  second.socket.terminate();
});

test('a restart forgets connection ids and pending ids, and keeps the posts', async ({ crew }) => {
  const pending = { pending_post_id: 'one' };
  const first = await say(crew, 'kept', pending);
  const listener = await listen(crew.mattermost, crew.bot.token);
  const id = await connectionId(listener);
  crew.mattermost.faults.restart();
  await eventually(() => listener.closed, 'the cut');
  const again = await listen(crew.mattermost, crew.bot.token, `?connection_id=${id}&sequence_number=1`);
  assert.notEqual(await connectionId(again), id);
  const kept = await api(crew.mattermost, crew.bot.token, 'GET', `/posts/${String(first.json.id)}`);
  assert.equal(kept.json.message, 'kept');
  const repeat = await say(crew, 'kept', pending);
  assert.notEqual(repeat.json.id, first.json.id);
  again.socket.terminate();
});

test('responses can be delayed', async ({ crew }) => {
  crew.mattermost.faults.delayResponses(150);
  const started = performance.now();
  await say(crew, 'slow');
  assert.ok(performance.now() - started >= 145);
  crew.mattermost.faults.delayResponses(0);
});

test('chosen requests fail as planned, without being carried out, and only so often', async ({ crew }) => {
  const { faults, log } = crew.mattermost;
  faults.failNext(1, { method: 'POST', path: '/api/v4/posts' }, BAD_GATEWAY);
  faults.failNext(1, { method: 'POST', path: '/api/v4/posts' }, INTERNAL_ERROR);
  faults.failNext(1, { path: /\/posts$/ }, limitExceeded(3));
  const bad = await say(crew, 'never 1');
  assert.equal(bad.status, 502);
  assert.equal(bad.type, 'text/html');
  const internal = await say(crew, 'never 2');
  assert.equal(internal.status, 500);
  assert.equal(internal.json.id, 'app.post.save.app_error');
  const limited = await say(crew, 'never 3');
  assert.deepEqual(
    [limited.status, limited.type, limited.text],
    [429, 'text/plain; charset=utf-8', 'limit exceeded\n'],
  );
  assert.equal((await say(crew, 'at last')).status, 201);
  assert.deepEqual(
    log.created({ userId: crew.alice.id }).map((entry) => entry.message),
    ['at last'],
  );
});

test('other requests are left alone', async ({ crew }) => {
  crew.mattermost.faults.failNext(1, { method: 'PUT', path: '/api/v4/posts/*/patch' }, BAD_GATEWAY);
  const post = await say(crew, 'fine');
  assert.equal(post.status, 201);
  const path = `/posts/${String(post.json.id)}/patch`;
  assert.equal((await api(crew.mattermost, crew.alice.token, 'PUT', path, { message: 'x' })).status, 502);
  assert.equal((await api(crew.mattermost, crew.alice.token, 'PUT', path, { message: 'y' })).status, 200);
});

for (const how of ['hang', 'cut'] as const) {
  test(`a lost answer (${how}) leaves the request carried out once`, async ({ crew }) => {
    const { faults, log } = crew.mattermost;
    faults.loseAnswers(1, { method: 'POST', path: '/api/v4/posts' }, how);
    const body = { channel_id: crew.channelId, message: 'once', pending_post_id: `p-${how}` };
    const lost = api(crew.mattermost, crew.alice.token, 'POST', '/posts', body, AbortSignal.timeout(400));
    await assert.rejects(lost);
    const repeat = await api(crew.mattermost, crew.alice.token, 'POST', '/posts', body);
    assert.equal(repeat.status, 201);
    assert.deepEqual(
      log.created({ userId: crew.alice.id }).map((entry) => entry.postId),
      [repeat.json.id],
    );
  });
}

test('a fraction of requests fails, the same ones for the same seed', async ({ crew }) => {
  const run = async () => {
    crew.mattermost.faults.failRandomly(0.4, 7, BAD_GATEWAY, { path: '/api/v4/users/me' });
    const statuses: number[] = [];
    for (let i = 0; i < 40; i += 1)
      statuses.push((await api(crew.mattermost, crew.bot.token, 'GET', '/users/me')).status);
    return statuses;
  };
  const first = await run();
  const failed = first.filter((status) => status === 502).length;
  assert.ok(failed >= 8 && failed <= 24, `${failed} of 40 failed`);
  assert.deepEqual(await run(), first);
  crew.mattermost.faults.clear();
  assert.equal((await api(crew.mattermost, crew.bot.token, 'GET', '/users/me')).status, 200);
});

test('noise takes sequence numbers', async ({ crew }) => {
  const listener = await listen(crew.mattermost, crew.bot.token);
  await connectionId(listener);
  crew.mattermost.faults.sendNoise(crew.bot.id, 5);
  await say(crew, 'after the noise');
  await eventually(() => listener.posts().length === 1, 'the post');
  assert.deepEqual(
    listener.frames.map((frame) => frame.seq),
    listener.frames.map((_, i) => i),
  );
  assert.ok(listener.frames.filter((frame) => frame.event === 'status_change').length >= 5);
  listener.socket.terminate();
});

test('a revoked token is refused and its sockets are cut', async ({ crew }) => {
  const listener = await listen(crew.mattermost, crew.bot.token);
  await connectionId(listener);
  crew.mattermost.faults.revokeToken(crew.bot.token);
  await eventually(() => listener.closed, 'the cut');
  assert.equal((await api(crew.mattermost, crew.bot.token, 'GET', '/users/me')).status, 401);
});

test('every TCP connection can be cut, requests in flight included', async ({ crew }) => {
  crew.mattermost.faults.loseAnswers(1, { path: '/api/v4/posts' });
  const lost = say(crew, 'in flight');
  lost.catch(() => undefined);
  await crew.mattermost.log.waitFor((entry) => entry.kind === 'post_created' && entry.message === 'in flight');
  assert.ok(crew.mattermost.faults.cutAllTcp() >= 1);
  await assert.rejects(lost);
});

test.run();
