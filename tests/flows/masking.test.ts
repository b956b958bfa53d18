// @limit 120
// What is written to the chat is masked, in all its forms; what the server must give back is not.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isChatError, type MattermostRest } from '../../src/adapters/mattermost/index.ts';
import { createMask, MASKED } from '../../src/chat/masking.ts';
import { maskedRest } from '../../src/flows/masking.ts';
import { type Chat, startChat } from '../adapters/mattermost/support.ts';

const SECRET = 'ghp_0123456789abcdef';

const test = suite<{ chat: Chat; rest: MattermostRest }>('masking');
test.before(async (context) => {
  context.chat = await startChat();
  context.rest = maskedRest(context.chat.bot.rest, createMask([SECRET]));
});
test.after(({ chat }) => chat.sim.close());

test('posts, edits and what is whispered are masked, also by a client that is bound to a signal', async ({
  chat,
  rest,
}) => {
  const bound = rest.within(new AbortController().signal);
  const { id, message } = await bound.createPost({ channelId: chat.channelId, rootId: '', message: `a ${SECRET}` });
  assert.is(message, `a ${MASKED}`);
  assert.is((await rest.patchPost(id, { message: `b ${SECRET}` })).message, `b ${MASKED}`);
  await rest.whisper(chat.bot.id, { channelId: chat.channelId, rootId: '', message: `c ${SECRET}` });
  const { posts } = await rest.latestPosts(chat.channelId, 0);
  assert.ok(posts.every((post) => !post.message.includes(SECRET)));
});

test('a card shows no secret; its buttons keep what the server must bring back', async ({ chat }) => {
  const integration = { url: `http://gateway/callback/${SECRET}`, context: { mac: SECRET } };
  const actions = [{ id: 'yes', name: `Allow ${SECRET}`, integration }];
  const props = { attachments: [{ text: `Run ${SECRET}?`, actions }] };
  const sent: object[] = [];
  const spy: MattermostRest = {
    ...chat.bot.rest,
    createPost: (post) => {
      sent.push(post.props ?? {});
      return chat.bot.rest.createPost(post);
    },
  };
  await maskedRest(spy, createMask([SECRET])).createPost({ channelId: chat.channelId, rootId: '', message: '', props });
  const shown = [{ id: 'yes', name: `Allow ${MASKED}`, integration }];
  assert.equal(sent, [{ attachments: [{ text: `Run ${MASKED}?`, actions: shown }] }]);
});

async function uploaded({ chat, rest }: { chat: Chat; rest: MattermostRest }, bytes: Uint8Array): Promise<Buffer> {
  const { id } = await rest.uploadFile({ channelId: chat.channelId, name: 'notes.txt', bytes });
  return rest.downloadFile(id, 1_000_000);
}

test('a file of text is masked, another one arrives byte for byte', async (context) => {
  const text = await uploaded(context, Buffer.from(`\ufeffkey=${SECRET}\nü\n`));
  assert.is(text.toString(), `\ufeffkey=${MASKED}\nü\n`);
  const bytes = Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28]);
  assert.ok((await uploaded(context, bytes)).equals(bytes));
});

test('a file that is not text and holds a secret is not posted, and people are told why', async (context) => {
  const bytes = Buffer.concat([Buffer.from([0xff, 0x00]), Buffer.from(SECRET)]);
  try {
    await uploaded(context, bytes);
    assert.unreachable('it was posted');
  } catch (error) {
    assert.ok(isChatError(error, 'CHAT_REFUSED'));
    assert.match(error.human ?? '', /secret/);
  }
});

test.run();
