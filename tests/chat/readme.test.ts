// The guide knows what the bot knows.
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { COMMANDS } from '../../src/chat/commandTable.ts';

test('README.md names every command', () => {
  const readme = readFileSync('README.md', 'utf8');
  const section = readme.slice(readme.indexOf('## In the chat'), readme.indexOf('## Find your way'));
  const missing = COMMANDS.map(({ name }) => name).filter((name) => !new RegExp(`[ \`]${name}\\b`).test(section));
  assert.equal(missing, []);
});

test.run();
