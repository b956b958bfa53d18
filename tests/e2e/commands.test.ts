// @limit 600
// Every command of the thread and of the top level, typed by a person, against the real agent: right, wrong, and by someone
// who may not.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { type Person, type Post, person, type Thread, textOf, until } from '../support/person.ts';

interface World {
  environment: TestEnvironment;
  you: Person;
  /** May use the bot, and started nothing. */
  colleague: Person;
  /** May not use the bot. */
  stranger: Person;
  thread: Thread;
}

const test = suite<World>('commands');

test.before(async (context) => {
  context.environment = await startTestEnvironment({ gatewayEnv: { SM_ALLOWED_USERS: 'you,colleague' } });
  const { chat, teamId, lobbyId, dataDir } = context.environment;
  context.you = person(context.environment);
  const [colleague, stranger] = ['colleague', 'stranger'].map((username) => {
    const user = chat.createUser({ username, teamIds: [teamId] });
    chat.addMember(lobbyId, user.id);
    return person(context.environment, user);
  });
  if (!colleague || !stranger) throw new Error('nobody there');
  Object.assign(context, { colleague, stranger });
  await promisify(execFile)('git', ['-C', join(dataDir, 'demo.git'), 'branch', 'feature', 'main']);
  context.thread = await context.you.start('@claude start demo --worktree=commands');
  for (const { id } of [colleague, stranger]) chat.addMember(context.thread.channelId, id);
});

test.after(async (context) => {
  await context.environment?.stop();
});

interface FilePost extends Post {
  readonly file_ids?: readonly string[];
}

const WHO = /not on the list of people/;

/** A person who may not use the bot is told so, whatever command it is, and nothing happens. */
for (const command of [
  'start demo',
  'stop --all',
  'status',
  'help',
  'interrupt',
  'steer now',
  'notify off',
  'export',
  'queue drop all',
  'compact',
  'clear',
  'restart',
  'plan',
  'model sonnet',
  'mode mentions',
  'title Taken over',
  'context',
  'cost',
  'raise 5',
  'verbosity full',
  'network',
  'network revoke pypi.org',
  'diff',
  'logs',
  'invite @stranger',
  'kick @you',
  'resume',
  'retry',
  '/review',
  'nonsense',
]) {
  test(`"${command}" from someone who may not use the bot is refused in words`, async ({ stranger, thread }) => {
    const refusal = await stranger.ask(thread, `@claude ${command}`, /./);
    assert.match(refusal.message, WHO);
  });
}

test('start takes all of its flags', async ({ you }) => {
  const planned = await you.start('@claude start demo --worktree=flags --plan --model=sonnet');
  const context = await you.ask(planned, '@claude context', /Plan mode/);
  assert.match(context.message, /\| Plan mode \| on \|/);
  assert.match(context.message, /\| Model \| `sonnet` \|/);
  await you.ask(planned, '@claude stop', /Session stopped/);

  const review = await you.start('@claude start demo --review');
  await you.ask(review, 'create not-mine.txt with the word no', /❌|could not/);
  await you.ask(review, '@claude end', /Session stopped/);

  const branch = await you.start('@claude start demo@feature');
  const ready = (await you.answersIn(branch.rootId)).find(({ message }) => message.includes('Ready on'));
  assert.match(ready?.message ?? '', /`feature`/);
  await you.ask(branch, '@claude stop', /Session stopped/);
});

test('start on a branch that is not there fails with the reason, and retry tries again', async ({ you }) => {
  const ask = await you.say('@claude start demo@nowhere');
  const link = await you.hear(ask.id, (post) => /\/pl\//.test(post.message));
  const rootId = /\/pl\/([a-z0-9]{26})/.exec(link.message)?.[1] ?? '';
  const failed = await you.hear(rootId, (post) => /❌/.test(post.message));
  assert.match(failed.message, /nowhere/);
  assert.match(failed.message, /@claude retry/);
  const thread = { session: '', channelId: failed.channel_id, rootId };
  await you.ask(thread, '@claude retry', /❌/);
});

test('a start inside the thread of a session says where to go', async ({ you, thread }) => {
  await you.ask(thread, '@claude start demo', /already has a session/);
});

test('help lists what works here, and tells all about one command', async ({ you, thread }) => {
  const here = await you.ask(thread, '@claude help', /Commands start with/);
  assert.match(here.message, /steer/);
  assert.match((await you.ask(thread, '@claude help queue', /What it does/)).message, /queue drop/);
  const top = await you.say('@claude ?');
  const list = await you.hear(top.id, () => true);
  assert.not.match(list.message, /steer/);
});

test('what is mistyped, misplaced or given too much is answered with the right way', async ({ you, thread }) => {
  await you.ask(thread, '@claude stoer that way', /Did you mean `@claude steer`/);
  await you.ask(thread, '@claude restart please', /stands alone/);
  await you.ask(thread, '@claude plan something', /plan on/);
  await you.ask(thread, '@claude queue up', /queue drop/);
  await you.ask(thread, '@claude mode plan', /mode mentions/);
  await you.ask(thread, '@claude model two words', /cannot be a model/);
  await you.ask(thread, '@claude logs many', /How many lines/);
  await you.ask(thread, '@claude verbosity loud', /verbosity full/);
  await you.ask(thread, '@claude raise 5', /Only the approvers/);
  await you.ask(thread, '@claude stop --everything', /no option `--everything`/);
  for (const word of ['interrupt', 'clear', 'resume', 'retry', 'context', 'cost', 'diff', 'status']) {
    await you.ask(thread, `@claude ${word} please`, new RegExp(`\`${word}\` stands alone`));
  }
  for (const word of ['invite', 'kick']) await you.ask(thread, `@claude ${word}`, new RegExp(`Whom\\?.*${word} @name`));
  await you.ask(thread, '@claude kick @one @two', /one person at a time/);
  await you.ask(thread, '@claude network open pypi.org', /network revoke pypi\.org/);
  await you.ask(thread, '@claude help nonsense', /no command `nonsense`/);
  await you.ask(thread, '@claude add a test for that', /no command `add`.*To talk to Claude, write without/);
  await you.ask(thread, '@claude /', /no command `\/`/);
  const top = await you.say('@claude queue');
  await you.hear(top.id, ({ message }) => /only in a session's thread/.test(message));
});

test('a question nobody asked: interrupt, steer, queue, retry and resume say that there is nothing to do', async ({
  you,
  thread,
}) => {
  await you.ask(thread, '@claude interrupt', /Nothing is running/);
  await you.ask(thread, '@claude steer', /Nothing is running/);
  await you.ask(thread, '@claude queue', /Nothing waits/);
  await you.ask(thread, '@claude queue drop 3', /no such message/);
  await you.ask(thread, '@claude resume', /nothing to resume/);
  await you.ask(thread, '@claude retry', /nothing to resume/);
});

test('steer reaches the running turn; what waits is listed, edited and taken back', async ({ you, thread }) => {
  const slow = await you.say('slow 120', thread);
  await you.hearAfter(thread, slow, /\bw2\b/);
  const second = await you.say('say the second', thread);
  await you.say('say the third', thread);
  const list = await you.ask(thread, '@claude queue', /messages wait/);
  assert.match(list.message, /1\. \*\*you:\*\* say the second\n2\. \*\*you:\*\* say the third/);
  await you.edit(second.id, 'say the improved second');
  await you.ask(thread, '@claude queue drop 2', /Taken back: .*the third/);
  await you.ask(thread, '@claude steer say steered words', /steered words/);
  await you.hearAfter(thread, slow, /the improved second/);
  const texts = (await you.answersIn(thread.rootId)).map(textOf).join('\n');
  assert.ok(texts.indexOf('steered words') < texts.lastIndexOf('the improved second'));
  assert.not.match(texts, /^.*\bsay the third\b.*w\d/m);
});

test('interrupt ends a turn, also under its other name; what would disturb the turn is refused before', async ({
  you,
  thread,
}) => {
  const slow = await you.say('slow 400', thread);
  await you.hearAfter(thread, slow, /\bw3\b/);
  await you.ask(thread, '@claude compact', /agent is busy.*`@claude interrupt`/);
  await you.ask(thread, '@claude clear', /agent is busy.*`@claude interrupt`/);
  await you.say('@claude cancel', thread);
  await you.hearAfter(thread, slow, /Interrupted/);
});

test('compact, clear and restart say what they did, and the session goes on', async ({ you, thread }) => {
  await you.ask(thread, 'say before the compaction', /before the compaction.*context \d+%/s);
  await you.ask(thread, '@claude compact keep the colours', /was compacted/);
  await you.ask(thread, '@claude restart', /Restarting/);
  await you.ask(thread, 'say after the restart', /after the restart.*context \d+%/s);
  await you.ask(thread, '@claude clear', /was cleared/);
  await you.ask(thread, 'say after the clearing', /after the clearing.*context \d+%/s);
});

test('plan mode is turned on and off, and what was confirmed is said', async ({ you, thread }) => {
  await you.ask(thread, '@claude plan', /Plan mode is \*\*on/);
  await you.ask(thread, '@claude plan off', /Plan mode is \*\*off/);
});

test('model tells and changes the model; the next call uses it', async ({ environment, you, thread }) => {
  await you.ask(thread, '@claude model', /chooses its model itself/);
  await you.ask(thread, '@claude model claude-haiku-4-5', /`claude-haiku-4-5`/);
  await you.ask(thread, 'say with the other model', /with the other model.*context \d+%/s);
  const last = environment.model?.requests
    .filter(({ lastUserText }) => /with the other model/.test(lastUserText))
    .at(-1);
  assert.match(JSON.stringify(last?.model ?? ''), /haiku/);
});

test('in a thread that answers mentions, people can talk among themselves', async ({ environment, you, thread }) => {
  await you.ask(thread, '@claude mode mentions', /Only messages that mention/);
  await you.say('say what only people hear', thread);
  await you.ask(thread, '@claude, say what was meant for you', /what was meant for you/);
  await you.ask(thread, '@claude mode', /Only messages that mention/);
  await you.ask(thread, '@claude mode everyone', /Every message/);
  await you.ask(thread, 'say heard again', /heard again.*context \d+%/s);
  const told = environment.model?.requests.map(({ lastUserText }) => lastUserText).join('\n') ?? '';
  assert.not.match(told, /what only people hear/);
});

test('verbosity is for a thread, or for all threads of its channel that say nothing else', async ({ you, thread }) => {
  const { channelId } = thread;
  const top = async (command: string, fits: RegExp) => {
    const post = await you.say(command, { channelId });
    await you.hear(post.id, ({ message }) => fits.test(message));
  };
  await you.ask(thread, '@claude verbosity', /`normal`, as everywhere by default/);
  await top('@claude verbosity quiet', /The threads of this channel show.*`quiet`/);
  await you.ask(thread, '@claude verbosity', /`quiet`, as the threads of this channel do/);
  const quiet = await you.ask(thread, 'run: echo unseen-step, then say the quiet end', /the quiet end.*context \d+%/s);
  assert.not.match(quiet.message, /Bash.*unseen-step/);
  await you.ask(thread, '@claude verbosity full', /\(`full`\)/);
  const full = await you.ask(thread, 'run: echo seen-step, then say the full end', /the full end.*context \d+%/s);
  assert.match(full.message, /seen-step/);
  await you.ask(thread, '@claude verbosity default', /`quiet`, as the threads/);
  await top('@claude verbosity default', /`normal`/);
  const lobby = await you.say('@claude verbosity full');
  await you.hear(lobby.id, ({ message }) => /no channel of a repository/.test(message));
});

test('title sets the root post, asked for or given, and cannot call everybody', async ({ you, thread }) => {
  const root = async () => (await you.read(thread.rootId)).find(({ id }) => id === thread.rootId)?.message ?? '';
  await you.say('@claude title Colours for @all', thread);
  const given = await until(30_000, async () => (/Colours/.test(await root()) ? root() : undefined));
  assert.match(given ?? '', /Session for local\/demo/);
  assert.not.match(given ?? '', /@all/);
  await you.say('@claude title', thread);
  const found = await until(60_000, async () => (/Colours/.test(await root()) ? undefined : root()));
  assert.match(found ?? '', /^### \S/);
});

test('diff shows what has changed, and attaches what is too long', async ({ you, thread }) => {
  await you.ask(thread, '@claude diff', /Nothing is changed/);
  await you.ask(thread, 'append "a new line" to README.md', /appended/);
  const small = await you.ask(thread, '@claude diff', /One file is changed/);
  assert.match(small.message, /```diff[\s\S]*\+a new line/);
  await you.ask(thread, 'run: seq 1 4000 >> README.md', /ran without output/);
  const large: FilePost = await you.ask(thread, '@claude diff', /is attached/);
  const files = large.file_ids ?? [];
  assert.is(files.length, 1);
  const content = await (await you.call('GET', `/files/${files[0]}`)).text();
  assert.match(content, /^\+4000$/m);
});

test('a push is credited to who asked, and ends with the address of its pull request', async ({
  environment,
  colleague,
  thread,
}) => {
  const url = 'https://github.com/acme/demo/pull/new/commands';
  const hook = join(environment.dataDir, 'demo.git', 'hooks', 'post-receive');
  await writeFile(hook, `#!/bin/sh\necho 'Create a pull request by visiting:'\necho '  ${url}'\n`, { mode: 0o755 });
  const commit = 'git -c user.name=C -c user.email=c@x commit -q --allow-empty -m Work';
  const push = `run: ${commit} && git push -q origin HEAD:commands && git log -1 --format=%B`;
  const done = await colleague.ask(thread, push, /🔗 Pushed; open a pull request: .*context \d+%/s);
  assert.match(done.message, new RegExp(`${url}\\s`));
  assert.match(done.message, /Co-authored-by: colleague </);
  const { stdout } = await promisify(execFile)('git', ['-C', join(environment.dataDir, 'demo.git'), 'branch']);
  assert.match(stdout, /\bcommands\b/);
});

test('an agent that the repository defines runs, and what it does is shown under its name', async ({ you, thread }) => {
  const run = await you.ask(thread, 'agent reviewer: read greet.sh', /reviewer.*context \d+%/s);
  assert.match(run.message, /reviewer/);
});

test('network says what is open, and what is not needs no closing', async ({ you, colleague, thread }) => {
  // Behind no firewall nothing is ever opened; with one, see the tests of the VM.
  await you.ask(thread, '@claude network', /Nothing has been opened for this session.*There is no firewall here/);
  await colleague.ask(thread, '@claude net revoke PyPI.org', /`pypi\.org` was not opened for this session/);
});

test('notify tells and changes whether a person is mentioned, for that person alone, also at top level', async ({
  you,
  colleague,
  thread,
}) => {
  const waits = async (asker: Person): Promise<string> => {
    const asked = await asker.say('ask Which colour? Red or Blue', thread);
    const card = await asker.hearAfter(thread, asked, /Which colour\?/);
    await asker.press(card, 'Red');
    await asker.hearAfter(thread, asked, /Answered: \*\*Red/);
    await asker.hearAfter(thread, asked, /context \d+%/);
    return card.message;
  };
  await you.ask(thread, '@claude notify', /You are mentioned/);
  assert.is(await waits(you), '@you Claude waits for you:');
  await you.ask(thread, '@claude notify off', /no longer mentioned/);
  assert.is(await waits(you), '');
  assert.is(await waits(colleague), '@colleague Claude waits for you:');
  const top = await you.say('@claude notify on');
  await you.hear(top.id, ({ message }) => /now mentioned/.test(message));
  await you.ask(thread, '@claude notify maybe', /notify on` or .*notify off`/);
});

test('export posts what was said as a file, as Markdown or JSON', async ({ you, thread }) => {
  await you.ask(thread, 'run: echo for-the-record', /for-the-record.*context \d+%/s);
  const fileOf = async (format: string): Promise<string> => {
    const post: FilePost = await you.ask(thread, `@claude export ${format}`, /said here so far/);
    return (await you.call('GET', `/files/${post.file_ids?.[0]}`)).text();
  };
  const markdown = await fileOf('md');
  assert.match(markdown, /^# .*local\/demo/);
  assert.match(markdown, /## you, .* UTC\n\nrun: echo for-the-record\n\n## Claude, /);
  assert.match(markdown, '- **Bash** `echo for-the-record`\n\n```\nfor-the-record\n```');
  const { session, events } = JSON.parse(await fileOf('json'));
  assert.is(session.id, thread.session.slice('session/'.length));
  const said = { kind: 'heard', author: 'you', text: 'run: echo for-the-record' };
  assert.ok(
    events.some((event: typeof said) => event.kind === said.kind && event.author === 'you' && event.text === said.text),
  );
  await you.ask(thread, '@claude export pdf', /export md` .*export json`/);
});

test('the project channel has one board of its sessions, which comes back when somebody deletes it', async ({
  environment,
  you,
  thread,
}) => {
  const { chat, bot } = environment;
  const admin = person(environment, { id: '', token: chat.adminToken });
  const boards = async (): Promise<Post[]> => {
    const found: Post[] = [];
    for (let page = 0; ; page += 1) {
      const answer = await you.call('GET', `/channels/${thread.channelId}/posts?per_page=200&page=${page}`);
      const posts = Object.values(((await answer.json()) as { posts: Record<string, Post> }).posts);
      found.push(...posts.filter((post) => post.user_id === bot.id && post.message.startsWith('**Sessions**')));
      if (posts.length === 0) return found;
    }
  };
  const shown = (fits: RegExp, not = '') =>
    until(30_000, async () => (await boards()).find(({ id, message }) => id !== not && fits.test(message)));
  const own = new RegExp(`/pl/${thread.rootId}\\) \\| 💤 idle \\| .* \\| you \\|`);
  const first = await shown(own);
  assert.is((await boards()).length, 1);
  await admin.remove(first?.id ?? '');
  assert.ok(await shown(own, first?.id), 'it did not come back');
  assert.is((await boards()).length, 1);
});

test('logs shows the end of the log of the worker', async ({ you, thread }) => {
  const logs = await you.ask(thread, '@claude logs 5', /```/);
  assert.ok(logs.message.split('\n').length <= 7);
});

test('context, cost and status tell the figures', async ({ you, thread }) => {
  assert.match((await you.ask(thread, '@claude context', /Messages/)).message, /tokens/);
  await you.ask(thread, '@claude cost', /has cost \*\*\$/);
  const top = await you.say('@claude cost');
  await you.hear(top.id, ({ message }) => message.includes(thread.session.slice(8, 16)));
  const status = await you.say('@claude ls');
  await you.hear(status.id, ({ message }) => message.includes(thread.session.slice(8, 16)));
});

test('invite brings a person into the channel; kick is for who started the session', async ({
  environment,
  you,
  colleague,
  thread,
}) => {
  const { chat, teamId } = environment;
  const guest = chat.createUser({ username: 'guest', teamIds: [teamId] });
  const isThere = async () =>
    (await you.call('GET', `/channels/${thread.channelId}/members/${guest.id}`)).status === 200;
  await you.ask(thread, '@claude invite @nobody-at-all', /nobody called/);
  await colleague.ask(thread, '@claude invite @guest', /`guest` can read here now/);
  assert.ok(await isThere());
  await colleague.ask(thread, '@claude kick @guest', /Only who started/);
  assert.ok(await isThere());
  await you.ask(thread, '@claude kick @guest', /was removed/);
  assert.not(await isThere());
  await you.ask(thread, '@claude kick @guest', /is not in this channel/);
});

test('a slash command is handed to Claude Code', async ({ you, thread }) => {
  await you.ask(thread, '@claude /context', /Context Usage/);
});

test('stop takes the beginning of an id, and says when it fits none or one that has ended', async ({ you }) => {
  const first = await you.start('@claude start demo --worktree=one');
  const id = first.session.slice('session/'.length);
  const none = await you.say('@claude stop zzzzzzzz');
  await you.hear(none.id, ({ message }) => /begins with `zzzzzzzz`/.test(message));
  const stop = await you.say(`@claude stop ${id.slice(0, 8)}`);
  await you.hear(stop.id, ({ message }) => /Stopping/.test(message));
  await you.hear(first.rootId, ({ message }) => /Session stopped/.test(message));
  const again = await you.say(`@claude stop ${id.slice(0, 8)}`);
  await you.hear(again.id, ({ message }) => /has ended already/.test(message));
  await you.ask(first, '@claude resume', /Ready on/);
});

test('stop --all stops every session of the container, and stop --container tears it down', async ({ you, thread }) => {
  const other = await you.start('@claude start demo --worktree=two');
  const slow = await you.say('slow 400', thread);
  const live = await you.hearAfter(thread, slow, /\bw3\b/);
  await you.say('@claude stop --all', other);
  await you.hear(other.rootId, ({ message }) => /Session stopped/.test(message));
  await you.hear(thread.rootId, ({ message }) =>
    /taken down: `stop --all` or .* in the thread of another/.test(message),
  );
  await you.hear(
    thread.rootId,
    ({ id, message }) =>
      id === live.id && /taken down in the middle of this turn.*`@claude resume` goes on/.test(message),
  );
  await you.hear(thread.rootId, ({ message }) => /Session stopped/.test(message));
  await you.ask(thread, '@claude stop', /stopped already/);
  await you.ask(thread, '@claude resume', /Ready on/);
  await you.ask(thread, '@claude stop --container', /Session stopped/);
  await you.ask(thread, '@claude queue', /Nothing waits/);
  await you.ask(thread, '@claude model opus', /not running/);
  await you.ask(thread, '@claude diff', /not connected/);
  for (const word of ['compact', 'clear', 'restart', 'plan']) {
    await you.ask(thread, `@claude ${word}`, /not running\. `@claude resume`/);
  }
  for (const word of ['/context', 'steer that way']) await you.ask(thread, `@claude ${word}`, /not passed on/);
  const status = await you.say('@claude status');
  await you.hear(status.id, ({ message }) => !message.includes(thread.session.slice(8, 16)));
});

test.run();
