import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ActorSummary, InboxItem, StorePorts } from '../../src/actors/index.ts';
import type { MattermostRest } from '../../src/adapters/mattermost/index.ts';
import { chatHandlers } from '../../src/flows/chatEffects.ts';
import type { Posting } from '../../src/flows/posting.ts';
import type { ProjectChannelPorts } from '../../src/flows/projectChannel.ts';
import { createReports } from '../../src/flows/reports.ts';
import type { Json } from '../../src/machines/json.ts';

function session(id: string, value: Json): ActorSummary {
  const context = { rootId: `root-${id}`, request: { repo: { repo: 'acme/web' } } };
  return { address: `session/${id}`, kind: 'session', status: 'active', value, context } as unknown as ActorSummary;
}

async function stop(prefix: string, sessions: readonly ActorSummary[]) {
  const delivered: InboxItem[] = [];
  const answers: string[] = [];
  const store = {
    listActors: async ({ keyPrefix = '' }: { keyPrefix?: string }) =>
      sessions.filter(({ address }) => address.startsWith(`session/${keyPrefix}`)),
  } as unknown as StorePorts;
  const runtime = {
    read: async () => undefined,
    deliver: async (items: readonly InboxItem[]) => {
      delivered.push(...items);
      return items.map(() => 'accepted' as const);
    },
  };
  const handlers = chatHandlers({
    rest: {} as MattermostRest,
    store,
    posting: {} as Posting,
    reply: async (_key, _owner, _to, answer) => {
      answers.push(typeof answer === 'string' ? answer : answer.message);
    },
    runtime,
    reports: createReports({ store, runtime, trigger: '@claude', permalink: (id) => id, now: () => 1 }),
    botUserId: 'bot',
    projectChannel: {} as ProjectChannelPorts,
    permalink: (id) => id,
    now: () => 1,
  });
  const params = {
    prefix,
    container: false,
    all: false,
    place: { channelId: 'c', rootId: '' },
    replyTo: 'p',
    userId: 'u',
    userName: 'alice',
  };
  const request = { key: 'k', actor: 'gateway/root', params } as never;
  await handlers['chat.stopByPrefix'](request);
  return { stopped: delivered.map(({ to, event }) => `${to} ${event.type}`), answer: answers.join('\n') };
}

test('a prefix that fits one session stops it, however many that have ended begin alike', async () => {
  const all = [session('abcd1', 'stopped'), session('abcd2', { active: 'open' }), session('abcd3', 'failed')];
  const { stopped, answer } = await stop('abcd', all);
  assert.equal(stopped, ['session/abcd2 COMMAND.STOP']);
  assert.match(answer, /Stopping `abcd2`/);
});

test('a prefix that fits several running sessions stops none and lists them', async () => {
  const { stopped, answer } = await stop('abcd', [session('abcd1', 'opening'), session('abcd2', { active: 'open' })]);
  assert.equal(stopped, []);
  assert.match(answer, /fits 2 sessions/);
  assert.match(answer, /`abcd1`[\s\S]*`abcd2`/);
});

test('a prefix that fits none, or only what has ended, stops nothing and says so', async () => {
  assert.match((await stop('abcd', [])).answer, /No session's id begins/);
  const ended = await stop('abcd', [session('abcd1', 'stopped')]);
  assert.equal(ended.stopped, []);
  assert.match(ended.answer, /No session that runs begins with `abcd`; .* has ended already/);
  assert.is((await stop('abcd1', [session('abcd1', 'stopped')])).answer, '`abcd1` (acme/web) has ended already.');
});

test.run();
