import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isMentioned, readPost } from '../../src/chat/commands.ts';
import { commandsMarkdown } from '../../src/chat/commandsPage.ts';
import { COMMANDS } from '../../src/chat/commandTable.ts';
import type { CommandPlace } from '../../src/chat/events.ts';
import { helpText } from '../../src/chat/help.ts';

const SETTINGS = { trigger: '@claude', defaultOrg: '', allowPaths: false, localRepos: {} };
const read = (text: string, place: CommandPlace = 'thread') => readPost(`@claude ${text}`, place, SETTINGS);

const eventOf = (text: string, place: CommandPlace = 'thread') => {
  const post = read(text, place);
  return post.kind === 'command' ? post.route.command : post.kind;
};

for (const [text, expected] of [
  ['steer look at the tests too', { type: 'COMMAND.STEER', text: 'look at the tests too', fileIds: [] }],
  ['steer', { type: 'COMMAND.STEER', text: '', fileIds: [] }],
  ['queue', { type: 'COMMAND.QUEUE', drop: null }],
  ['q drop 2', { type: 'COMMAND.QUEUE', drop: 2 }],
  ['queue drop all', { type: 'COMMAND.QUEUE', drop: 'all' }],
  ['queue drop 0', 'refused'],
  ['queue drop', 'refused'],
  ['queue up', 'refused'],
  ['model', { type: 'COMMAND.MODEL', model: '' }],
  ['model sonnet', { type: 'COMMAND.MODEL', model: 'sonnet' }],
  ['/model sonnet', { type: 'COMMAND.MODEL', model: 'sonnet' }],
  ['model two words', 'refused'],
  ['mode', { type: 'COMMAND.MODE', audience: null }],
  ['mode Mentions', { type: 'COMMAND.MODE', audience: 'mentions' }],
  ['mode plan', 'refused'],
  ['logs', { type: 'COMMAND.LOGS', lines: 40 }],
  ['log 7', { type: 'COMMAND.LOGS', lines: 7 }],
  ['logs 999', 'refused'],
  ['logs -1', 'refused'],
  ['invite @Alice', { type: 'COMMAND.INVITE', who: 'alice' }],
  ['invite', 'refused'],
  ['add tests', 'unknown'],
  ['remove README.md', 'unknown'],
  ['invite alice bob', 'refused'],
  ['kick bob.b', { type: 'COMMAND.KICK', who: 'bob.b' }],
  ['notify', { type: 'COMMAND.NOTIFY', on: null }],
  ['notify OFF', { type: 'COMMAND.NOTIFY', on: false }],
  ['notify maybe', 'refused'],
  ['export', { type: 'COMMAND.EXPORT', format: 'md' }],
  ['export JSON', { type: 'COMMAND.EXPORT', format: 'json' }],
  ['export pdf', 'refused'],
  ['cost', { type: 'COMMAND.COST' }],
  ['verbosity', { type: 'COMMAND.VERBOSITY', verbosity: null }],
  ['verbosity Quiet', { type: 'COMMAND.VERBOSITY', verbosity: 'quiet' }],
  ['verbosity default', { type: 'COMMAND.VERBOSITY', verbosity: '' }],
  ['verbosity loud', 'refused'],
  ['raise 5', { type: 'COMMAND.RAISE', usd: 5 }],
  ['raise $2.50', { type: 'COMMAND.RAISE', usd: 2.5 }],
  ['raise', 'refused'],
  ['raise 0', 'refused'],
  ['raise -3', 'refused'],
  ['raise a lot', 'refused'],
  ['diff', { type: 'COMMAND.DIFF' }],
  ['diff HEAD', 'refused'],
  ['abort', { type: 'COMMAND.INTERRUPT' }],
  ['help steer', { type: 'COMMAND.HELP', place: 'thread', about: 'steer' }],
  ['title', { type: 'COMMAND.TITLE', text: '' }],
  ['/review now', 'slash'],
] as const) {
  test(`"@claude ${text}" is read as ${JSON.stringify(expected)}`, () => {
    assert.equal(eventOf(text), expected);
  });
}

test('cost asks for this session in a thread and for all of them at top level', () => {
  assert.equal(eventOf('cost', 'top'), { type: 'COMMAND.COSTS' });
  assert.equal(eventOf('queue', 'top'), 'misplaced');
  assert.equal(eventOf('verbosity full', 'top'), { type: 'COMMAND.CHANNEL_VERBOSITY', verbosity: 'full' });
  assert.equal(eventOf('export', 'top'), 'misplaced');
  assert.equal(eventOf('notify on', 'top'), { type: 'COMMAND.NOTIFY', on: true });
});

test('what is mistyped gets the command that was probably meant, whatever name it has', () => {
  for (const [typed, meant] of [
    ['stoer', 'steer'],
    ['quee', 'queue'],
    ['invit', 'invite'],
    ['cotninue', 'resume'],
    ['lgos', 'logs'],
    ['modle', 'model'],
  ] as const) {
    const post = read(typed);
    assert.is(post.kind === 'unknown' && post.nearest, meant, typed);
  }
  const far = read('frobnicate');
  assert.is(far.kind === 'unknown' && far.nearest, null);
});

test('no two commands share a name', () => {
  const names = COMMANDS.flatMap(({ name, aliases }) => [name, ...aliases]);
  assert.is(new Set(names).size, names.length);
});

test('help lists every command where it works and none where it does not', () => {
  for (const place of ['top', 'thread'] as const) {
    const text = helpText(place, '@claude');
    for (const { name, where } of COMMANDS) {
      const listed = new RegExp(`^\\| \`@claude ${name}\\b`, 'm').test(text);
      assert.is(listed, where === 'both' || where === place, `${name} at ${place}`);
    }
  }
  const thread = helpText('thread', '@claude');
  assert.match(thread, /raise <dollars>.*\(only named approvers\)/);
  assert.match(thread, /kick @name.*\(only who started the session, and approvers\)/);
});

test('help on one command shows its ways, its other names and who may use it', () => {
  const kick = helpText('thread', '@claude', 'Kick');
  assert.match(kick, /kick @name/);
  assert.match(kick, /`uninvite`/);
  assert.match(kick, /Only who started/);
  assert.match(helpText('thread', '@claude', '@claude stop'), /stop --all/);
  assert.match(helpText('top', '@claude', 'stp'), /no command `stp`.*`@claude stop`/);
});

test('docs/commands.md is what `csm commands` prints, and names every command', () => {
  const page = commandsMarkdown();
  for (const { name } of COMMANDS) assert.match(page, new RegExp(`^\\| \`${name}\\b`, 'm'));
  assert.is(
    readFileSync('docs/commands.md', 'utf8').trim(),
    page.trim(),
    'refresh it: node dist/main.js commands > docs/commands.md',
  );
});

test('a mention counts anywhere, but not as part of another name, an address or a path', () => {
  for (const text of ['@claude, look', 'could you look, @Claude?', '(@claude) look', 'look\n@claude']) {
    assert.ok(isMentioned(text, '@claude'), text);
  }
  for (const text of ['look', 'a@claude.com', '@claude-two look', '@claudette look', 'claude look', 'x/@claude']) {
    assert.not(isMentioned(text, '@claude'), text);
  }
});

test.run();
