// @limit 480
// What the agent knows of what was said before: in a thread that a session begins in, and after its memory was lost.
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { type Person, person, type Thread } from '../support/person.ts';

interface World {
  environment: TestEnvironment;
  you: Person;
}

const test = suite<World>('memory');

test.before(async (context) => {
  context.environment = await startTestEnvironment();
  context.you = person(context.environment);
});

test.after(async ({ environment }) => environment?.stop());

/** What the model was last shown of earlier talk, when it was asked this. */
function quotedFor({ model }: TestEnvironment, words: string): string {
  const request = model?.requests.findLast(({ asked }) => asked.some((text) => text.includes(words)));
  return request?.quoted.join('\n') ?? '';
}

/** Deletes what Claude Code keeps of all its conversations. */
async function deleteTranscripts({ dataDir }: TestEnvironment): Promise<number> {
  const folder = join(dataDir, 'home', '.claude', 'projects');
  const files = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith('.jsonl'));
  for (const file of files) await rm(join(folder, file));
  return files.length;
}

test('RT-32: the transcript is deleted: the next message works, the loss is told, and what was said is given back', async ({
  environment,
  you,
}) => {
  const thread = await you.start();
  await you.ask(thread, 'say the heron is grey', /heron is grey.*context \d+%/s);
  await you.ask(thread, 'ask Which bird? Heron or Stork', /Which bird/);
  await you.ask(thread, 'Stork', /Stork.*context \d+%/s);
  await you.ask(thread, '@claude stop', /Session stopped/);
  assert.ok((await deleteTranscripts(environment)) > 0);
  await you.ask(thread, '@claude resume', /Ready on/);
  await you.ask(thread, 'say after the loss', /after the loss.*context \d+%/s);
  const told = await you.hear(thread.rootId, ({ message }) => /was given back to it/.test(message));
  assert.match(told.message, /memory of this conversation could not be restored/);
  const quoted = quotedFor(environment, 'after the loss');
  assert.match(quoted, /you wrote:\n> say the heron is grey\n\nClaude wrote:\n> the heron is grey/);
  assert.match(quoted, /you wrote:\n> Stork/);
  assert.not.match(quoted, /after the loss/, 'what is asked now is not history');
  await you.ask(thread, 'say and on it goes', /and on it goes.*context \d+%/s);
  const notes = (await you.answersIn(thread.rootId)).filter(({ message }) => /could not be restored/.test(message));
  assert.is(notes.length, 1, 'said once');
});

test('RT-51: a start inside an ordinary thread makes it the thread of the session, which knows what was said there', async ({
  environment,
  you,
}) => {
  const colleague = person(
    environment,
    ((user) => {
      environment.chat.addMember(environment.lobbyId, user.id);
      return user;
    })(environment.chat.createUser({ username: 'colleague', teamIds: [environment.teamId] })),
  );
  const root = await you.say('the lamp in the hall flickers');
  const at: Thread = { session: '', channelId: root.channel_id, rootId: root.id };
  await colleague.say('only when the door is open', at);
  await you.ask(at, '@claude start demo --worktree', /Ready on/);
  await you.hear(root.id, ({ message }) => /given what was said in this thread before: 2 messages/.test(message));
  await you.ask(at, 'say I looked at it', /I looked at it.*context \d+%/s);
  const quoted = quotedFor(environment, 'I looked at it');
  assert.match(quoted, /you wrote:\n> the lamp in the hall flickers\n\ncolleague wrote:\n> only when the door is open/);
  assert.not.match(quoted, /@claude start|Ready on/);
  await colleague.ask(at, 'say it is the switch', /it is the switch.*context \d+%/s);
});

test('RT-16: a file that could not be posted is said to be missing, and the agent hears of it with the next message', async ({
  environment,
  you,
}) => {
  const thread = await you.start();
  environment.chat.faults.failNext(
    1,
    { method: 'POST', path: '/api/v4/files' },
    {
      status: 413,
      body: { id: 'api.file.upload_file.too_large', message: 'Too large.', status_code: 413 },
    },
  );
  await you.ask(thread, 'create note.txt with the words "all is well", then send note.txt', /The file is not here/);
  await you.ask(thread, 'say I will try again', /I will try again.*context \d+%/s);
  const told = quotedFor(environment, 'I will try again');
  assert.match(told, /From the chat gateway, not from a person[\s\S]*the file note\.txt/);
  await you.ask(thread, 'say a fresh start', /a fresh start.*context \d+%/s);
  const requests = environment.model?.requests.filter(({ asked }) => asked.some((text) => /fresh start/.test(text)));
  assert.is(requests?.at(-1)?.quoted.filter((part) => part.includes('note.txt')).length, 1, 'told once');
});

test.run();
