// @limit 300
// Files on their way from people to the agent and back, with everything real.
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { type Person, type Post, person, type Thread } from '../support/person.ts';

interface World {
  environment: TestEnvironment;
  you: Person;
  thread: Thread;
}

const test = suite<World>('files');

test.before(async (context) => {
  context.environment = await startTestEnvironment();
  context.you = person(context.environment);
  context.thread = await context.you.start('@claude start demo --worktree=files');
});

test.after(async (context) => {
  await context.environment?.stop();
});

interface FilePost extends Post {
  readonly file_ids?: readonly string[];
}

async function contentOf(you: Person, post: FilePost): Promise<string[]> {
  const answers = (post.file_ids ?? []).map(async (id) => (await you.call('GET', `/files/${id}`)).text());
  return Promise.all(answers);
}

async function upload({ environment, thread }: World, name: string, content: string): Promise<string> {
  const form = new FormData();
  form.set('channel_id', thread.channelId);
  form.set('files', new Blob([content]), name);
  const answer = await fetch(`${environment.chat.url}/api/v4/files`, {
    method: 'POST',
    headers: { authorization: `Bearer ${environment.you.token}` },
    body: form,
  });
  const { file_infos: infos } = (await answer.json()) as { file_infos: { id: string }[] };
  return infos[0]?.id ?? '';
}

test('a file that the agent sends is a post of its own with that very file; what is said next stands below it', async ({
  you,
  thread,
}) => {
  const asked = await you.say('create report.txt with the words "all is well", then send report.txt', thread);
  const said = await you.hearAfter(thread, asked, /I sent .*report\.txt/);
  const file: FilePost = await you.hearAfter(thread, asked, /📎 `report\.txt` \(12 B\)/);
  assert.ok(file.create_at < said.create_at, 'the file stands above');
  assert.equal(await contentOf(you, file), ['all is well\n']);
  const again = (await you.answersIn(thread.rootId)).filter(({ message }) => message.includes('📎'));
  assert.is(again.length, 1);
});

test('what the gateway must keep to itself is masked in answers, in tool lines and in files', async ({
  environment,
  you,
  thread,
}) => {
  const secret = environment.bot.token;
  const words = `create keys.txt with the word ${secret}, then run: cat keys.txt, then send keys.txt`;
  const asked = await you.say(words, thread);
  const file: FilePost = await you.hearAfter(thread, asked, /📎 `keys\.txt`/);
  assert.equal(await contentOf(you, file), ['‹secret›\n'], 'the agent has it, the chat does not');
  await you.hearAfter(thread, asked, /I sent .*keys\.txt[\s\S]*tokens in/);
  const posts = await you.answersIn(thread.rootId);
  for (const { message } of posts) assert.not.match(message, secret);
  assert.ok(posts.some(({ message }) => message.includes('🔧 Bash `cat keys.txt` ✅ `‹secret›`')));
});

test('RT-49: no path and no link leads out of the checkout, and an empty file is none', async ({ you, thread }) => {
  for (const [how, why] of [
    ['send ../../outside.txt', /could not send .*not below the working directory/s],
    ['run: ln -s /etc/passwd evil, then send evil', /could not send .*leads out of the working directory/s],
    ['send nothing-there.txt', /could not send .*cannot be opened/s],
    ['run: touch empty.txt, then send empty.txt', /could not send .*is empty/s],
  ] as const) {
    const asked = await you.say(how, thread);
    await you.hearAfter(thread, asked, why);
    const posts = (await you.read(thread.rootId)).filter((post) => post.create_at >= asked.create_at);
    assert.not(posts.some(({ message }) => message.includes('📎')));
  }
});

test('a file that is gone before it is fetched is said to be missing, and the thread goes on', async ({
  you,
  thread,
}) => {
  const asked = await you.say('create gone.txt with the word x, then send gone.txt, then run: rm gone.txt', thread);
  const post: FilePost = await you.hearAfter(thread, asked, /📎 `gone\.txt`/);
  const [content] = await contentOf(you, post);
  assert.ok(content === 'x\n' || /The file is not here/.test(post.message), post.message);
  await you.ask(thread, 'say it goes on', /it goes on/);
});

test('RT-48: files of one name that people attach are all there, under safe names', async (context) => {
  const { environment, you, thread } = context;
  const ids = [await upload(context, 'image.txt', 'first'), await upload(context, 'image.txt', 'second')];
  const odd = await upload(context, '../..\u202e/odd\nname.txt', 'third');
  const answer = await you.call('POST', '/posts', {
    channel_id: thread.channelId,
    root_id: thread.rootId,
    message: 'say all are here',
    file_ids: [...ids, odd],
  });
  await you.hearAfter(thread, (await answer.json()) as Post, /all are here/);
  const told = environment.model?.requests.findLast(({ lastUserText }) => /Attached files/.test(lastUserText));
  const paths = [...(told?.lastUserText ?? '').matchAll(/^- (\/.+) \(text\/plain/gm)].map(([, path]) => path ?? '');
  const [folder, ...others] = [...new Set(paths.map((path) => dirname(path)))];
  assert.equal(others, [], 'in one folder');
  assert.not.match(folder ?? '', /\.\./);
  const contents = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
  assert.equal(contents, ['first', 'second', 'third']);
});

test.run();
