// @limit 120
// How much threads show: the nearest word counts, and it is in the real store.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ActorView, Store } from '../../src/actors/index.ts';
import { createStore } from '../../src/adapters/postgres/index.ts';
import { createVerbosity } from '../../src/flows/verbosity.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

interface World {
  postgres: TestPostgres;
  store: Store;
}

const test = suite<World>('verbosity');
const CHANNEL = 'c-web';

test.before(async (context) => {
  context.postgres = await startPostgres();
});
test.after(async ({ postgres }) => postgres?.stop());
test.before.each(async (context) => {
  context.store = createStore((await context.postgres.freshDatabase()).db);
  await context.store.putProjectChannel('acme/web', CHANNEL);
});

function made({ store }: World, session: { verbosity?: string; channelId?: string } = {}) {
  const answers: string[] = [];
  const context = { verbosity: '', channelId: CHANNEL, ...session };
  const verbosity = createVerbosity({
    store,
    runtime: { read: async () => ({ context }) as unknown as ActorView },
    reply: async (_key, _owner, _to, answer) => {
      answers.push(typeof answer === 'string' ? answer : answer.message);
    },
    byDefault: 'normal',
    trigger: '@claude',
  });
  const set = async (word: 'full' | 'normal' | 'quiet' | '' | null, channelId = CHANNEL): Promise<string> => {
    const params = { verbosity: word, place: { channelId, rootId: '' }, replyTo: 'p' };
    await verbosity.handlers['chat.channelVerbosity']({
      ...{ key: 'k', actor: 'gateway/root', kind: 'chat.channelVerbosity', attempt: 1, deadline: 0 },
      params,
    });
    return answers.at(-1) ?? '';
  };
  return { of: () => verbosity.verbosityOf('session/s'), set };
}

test('as everywhere, unless its channel says otherwise, unless the thread itself does', async (world) => {
  assert.is(await made(world).of(), 'normal');
  await made(world).set('quiet');
  assert.is(await made(world).of(), 'quiet');
  assert.is(await made(world, { verbosity: 'full' }).of(), 'full');
  await made(world).set('');
  assert.is(await made(world).of(), 'normal');
});

test('a channel tells what holds for it, and why', async (world) => {
  const { set } = made(world);
  assert.match(await set(null), /`normal`, as everywhere by default/);
  assert.match(await set('quiet'), /\(`quiet`\)/);
  assert.match(await set(null), /\(`quiet`\)/);
});

test('a channel that is no repository has nothing to set', async (world) => {
  const { set } = made(world);
  assert.match(await set('quiet', 'c-lobby'), /no channel of a repository/);
  assert.is(await made(world, { channelId: 'c-lobby' }).of(), 'normal');
});

test.run();
