// What the recorded suite cannot see from outside: which addresses are called at all, and what the log says of it.
import { strict as assert } from 'node:assert';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import type { LogEntry } from '../../src/mattermost/index.ts';
import { api, type Crew, startCrew } from './helpers.ts';

const test = suite<{ hook: http.Server; calls: string[]; url: string }>('buttons');

test.before.each(async (context) => {
  context.calls = [];
  context.hook = http.createServer((request, reply) => {
    context.calls.push(request.url ?? '');
    request.resume();
    reply.end('{}');
  });
  await new Promise<void>((resolve) => context.hook.listen(0, '127.0.0.1', resolve));
  context.url = `http://127.0.0.1:${(context.hook.address() as AddressInfo).port}/callback`;
});
test.after.each(async ({ hook }) => {
  await new Promise((resolve) => hook.close(resolve));
});

async function clickOn(crew: Crew, url: string): Promise<number> {
  const integration = { url, context: { secret: 'x' } };
  const props = { attachments: [{ text: 'Allow?', actions: [{ id: 'approve', name: 'Approve', integration }] }] };
  const card = await api(crew.mattermost, crew.bot.token, 'POST', '/posts', {
    channel_id: crew.channelId,
    message: '',
    props,
  });
  assert.doesNotMatch(card.text, /secret/);
  const path = `/posts/${String(card.json.id)}/actions/approve`;
  return (await api(crew.mattermost, crew.alice.token, 'POST', path, {})).status;
}

test('every click is in the log with what the integration answered, in memory and in the file', async ({
  calls,
  url,
}) => {
  const folder = mkdtempSync(join(tmpdir(), 'log-'));
  const logFile = join(folder, 'log.ndjson');
  const crew = await startCrew({ logFile });
  try {
    assert.equal(await clickOn(crew, url), 200);
    assert.equal(await clickOn(crew, 'http://127.0.0.1:1/callback'), 400);
    assert.deepEqual(calls, ['/callback']);
    const clicks = crew.mattermost.log.entries().filter((entry) => entry.kind === 'click');
    assert.deepEqual(
      clicks.map((entry) => [entry.userId, entry.actionId, entry.callbackStatus, entry.status]),
      [
        [crew.alice.id, 'approve', 200, 200],
        [crew.alice.id, 'approve', 0, 400],
      ],
    );
    const lines: LogEntry[] = readFileSync(logFile, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(lines, crew.mattermost.log.entries());
  } finally {
    await crew.mattermost.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('an address that is not allowed is never called', async ({ calls, url }) => {
  const crew = await startCrew({ allowedIntegrationHosts: ['session-manager'] });
  assert.equal(await clickOn(crew, url), 400);
  assert.deepEqual(calls, []);
  await crew.mattermost.close();
});

test('posts, edits and deletions are logged with who did them', async () => {
  const crew = await startCrew();
  const { mattermost, alice, channelId } = crew;
  const post = await api(mattermost, alice.token, 'POST', '/posts', {
    channel_id: channelId,
    message: 'one',
    pending_post_id: 'key',
  });
  const path = `/posts/${String(post.json.id)}`;
  await api(mattermost, alice.token, 'PUT', `${path}/patch`, { message: 'two' });
  await api(mattermost, mattermost.adminToken, 'DELETE', path);
  const own = mattermost.log
    .entries()
    .flatMap((entry) => (entry.postId === post.json.id && entry.kind !== 'click' ? [entry] : []));
  assert.deepEqual(
    own.map((entry) => [entry.kind, entry.message, entry.userId === alice.id, entry.pendingPostId]),
    [
      ['post_created', 'one', true, 'key'],
      ['post_edited', 'two', true, undefined],
      ['post_deleted', 'two', false, undefined],
    ],
  );
  await mattermost.close();
});

test.run();
