// What becomes of a post that nobody has room for.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type InboxItem, RetryableError, silentLog } from '../../src/actors/index.ts';
import type { ChatPost } from '../../src/adapters/mattermost/index.ts';
import { createIngress, type IngressPorts } from '../../src/flows/ingress.ts';
import { createReadGate } from '../../src/flows/readGate.ts';
import { type Address, GATEWAY } from '../../src/machines/addresses.ts';

const POST: ChatPost = {
  id: 'p1',
  channelId: 'c',
  rootId: 'r',
  userId: 'u',
  message: 'hello',
  type: '',
  createAt: 1,
  updateAt: 1,
  editAt: 0,
  deleteAt: 0,
  fileIds: [],
  automated: false,
  key: undefined,
};

/** Only what is asked for here; anything else that is called fails the test. */
function only<Port>(name: string, methods: Partial<Port>): Port {
  return new Proxy(methods as Port & object, {
    get(target, method, receiver) {
      if (!(method in target)) throw new Error(`${name}.${String(method)} is called`);
      return Reflect.get(target, method, receiver);
    },
  });
}

/** @param isFull whose inbox has no room */
function listening(isFull: (address: Address) => boolean) {
  const asked: InboxItem[] = [];
  const rules: IngressPorts['rules'] = {
    trigger: '@claude',
    defaultOrg: 'acme',
    localRepos: {},
    allowPaths: false,
    allowed: () => ({ ok: true }),
    isApprover: () => false,
  };
  const ingress = createIngress({
    runtime: {
      async deliver(items) {
        asked.push(...items);
        if (asked.length > 10) throw new Error('asked again and again');
        return items.map(({ to }) => (isFull(to) ? 'busy' : 'accepted'));
      },
      read: async () => undefined,
    },
    store: only<IngressPorts['store']>('store', {
      findThread: async () => ({ session: 'session/s', rootId: 'r', channelId: 'c' }) as const,
      sessionsInChannel: async () => [],
    }),
    rest: only<IngressPorts['rest']>('rest', { usersByIds: async () => [] }),
    gate: createReadGate(),
    answers: { inWords: async () => undefined, bySign: async () => undefined },
    botUserId: 'bot',
    rules,
    log: silentLog,
    now: () => 5,
  });
  return {
    asked,
    take: (fields: Partial<ChatPost> = {}) =>
      ingress.takeRead({ type: 'posted', post: { ...POST, ...fields }, channelType: 'O', teamId: 't' }),
    edit: (fields: Partial<ChatPost>) => ingress.takeRead({ type: 'edited', post: { ...POST, ...fields } }),
  };
}

test('a message to a session that has too much waiting is answered, not dropped', async () => {
  const { asked, take } = listening((address) => address !== GATEWAY);
  await take();
  assert.equal(
    asked.map(({ to, event }) => [to, event.type]),
    [
      ['session/s', 'PROMPT'],
      [GATEWAY, 'COMMAND.REFUSED'],
    ],
  );
});

test('a message that was refused is not taken after all when it is read again', async () => {
  let isFull = true;
  const { asked, take } = listening((address) => isFull && address !== GATEWAY);
  await take();
  isFull = false;
  await take();
  const keys = asked.map(({ dedupKey }) => dedupKey);
  assert.equal(new Set(keys).size, 1, keys.join());
});

test('a message that nobody can even refuse is left to be read again later', async () => {
  const { asked, take } = listening(() => true);
  let failure: unknown;
  await take().catch((error: unknown) => {
    failure = error;
  });
  assert.instance(failure, RetryableError);
  assert.is(asked.length, 2);
});

test('RT-6: a post of a bot gets no answer, whatever it says and wherever, so two bots cannot talk for ever', async () => {
  const { asked, take } = listening(() => false);
  for (const message of [
    'hello',
    '@claude status',
    '@claude start nowhere',
    '@claude nonsense',
    'You may not use this.',
  ]) {
    for (const rootId of ['r', '']) await take({ message, rootId, automated: true });
  }
  assert.equal(asked, []);
});

test('RT-9: what is done to the root of a thread and what is said below it reach one session', async () => {
  const { asked, take, edit } = listening(() => false);
  await take();
  await edit({ id: 'r', rootId: '', message: 'other words', editAt: 3 });
  assert.equal(
    asked.map(({ to, event }) => [to, event.type]),
    [
      ['session/s', 'PROMPT'],
      ['session/s', 'POST.EDITED'],
    ],
  );
});

test('RT-10: a link preview, which the server tells as an edit by nobody, changes nothing', async () => {
  const { asked, edit } = listening(() => false);
  await edit({ message: 'see https://example.com', updateAt: 9, editAt: 0 });
  assert.equal(asked, []);
});

test.run();
