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
  return { asked, take: () => ingress.takeRead({ type: 'posted', post: POST, channelType: 'O', teamId: 't' }) };
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

test.run();
