// Where the bot is called otherwise, what people are advised to write has to work there.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renderThread } from '../../src/chat/render/index.ts';
import { readEntry } from '../../src/chat/transcript.ts';
import { asCalled } from '../../src/chat/trigger.ts';
import { type Answer, createReply } from '../../src/flows/reply.ts';

test('advice names the bot as it is called; a name that only begins alike is left alone', () => {
  const advice = 'Write `@claude retry`, or `@claude` alone; `@claudette` is somebody else.';
  assert.is(asCalled(advice, '@claude'), advice);
  assert.is(asCalled(advice, '$&bot'), 'Write `$&bot retry`, or `$&bot` alone; `@claudette` is somebody else.');
});

test('what a thread says by itself names the bot as it is called', () => {
  const body = { note: 'n', tone: 'info', text: 'Session stopped. `@claude resume` continues it here.' };
  const entry = readEntry({ id: 1, at: 1, kind: 'note', body });
  const [post] = renderThread(entry === null ? [] : [entry], { verbosity: 'normal', trigger: '@bot' });
  assert.is(post?.message, 'Session stopped. `@bot resume` continues it here.');
});

test('an answer of our own names the bot as it is called; what others have written is shown as it is', async () => {
  const posted: string[] = [];
  const create = async ({ message }: { readonly message: string }): Promise<string> => {
    posted.push(message);
    return 'post';
  };
  const reply = createReply({ create }, '@bot');
  const place = { place: { channelId: 'c', rootId: 'r' }, replyTo: 'p' };
  const answers: readonly (string | Answer)[] = ['Try `@claude retry`.', { message: '+ Try `@claude retry`.' }];
  for (const answer of answers) await reply('k', 'session/s', place, answer);
  assert.equal(posted, ['Try `@bot retry`.', '+ Try `@claude retry`.']);
});

test('an answer that is too long for a post is cut rather than refused', async () => {
  const posted: string[] = [];
  const create = async ({ message }: { readonly message: string }): Promise<string> => {
    posted.push(message);
    return 'post';
  };
  const to = { place: { channelId: 'c', rootId: 'r' }, replyTo: 'p' };
  await createReply({ create }, '@bot')('k', 'session/s', to, '😀'.repeat(20_000));
  assert.is([...(posted[0] ?? '')].length, 16_383);
});

test.run();
