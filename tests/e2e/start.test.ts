// @limit 300
// What keeps a gateway from starting is said at once, whole, and in words.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type MattermostSimulator, startMattermost } from '../../simulator/src/mattermost/index.ts';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

const test = suite<{ chat: MattermostSimulator; teamId: string }>('start');

test.before(async (context) => {
  context.chat = await startMattermost();
  context.teamId = context.chat.createTeam({ name: 'team' }).id;
});

test.after(async (context) => {
  await context.chat?.close();
});

async function run(args: readonly string[], env: Record<string, string>): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env.PATH ?? '', ...env } });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      said += data.toString();
    });
  }
  const [code] = (await once(child, 'close')) as [number];
  return { code, said };
}

const REQUIRED = [
  'SM_MATTERMOST_URL',
  'SM_MATTERMOST_TOKEN',
  'SM_MATTERMOST_TEAM_ID',
  'SM_VM_HOST',
  'SM_OPNSENSE_URL',
  'SM_OPNSENSE_KEY',
  'SM_OPNSENSE_SECRET',
  'SM_CALLBACK_SECRET',
  'SM_DATABASE_URL',
];

test('every missing variable is named at once', async () => {
  const { code, said } = await run(['serve'], {});
  assert.is(code, 1);
  for (const name of REQUIRED) assert.match(said, name);
});

test('a wrong bot token is said to be one, and ends the start', async ({ chat, teamId }) => {
  const { code, said } = await run(['serve'], {
    SM_MATTERMOST_URL: chat.url,
    SM_MATTERMOST_TOKEN: 'not-the-token-of-anyone',
    SM_MATTERMOST_TEAM_ID: teamId,
    SM_CALLBACK_SECRET: '0123456789abcdef0123456789abcdef',
    SM_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    SM_WORKSPACE: 'local',
    SM_FIREWALL: 'none',
  });
  assert.is(code, 1);
  assert.match(said, /SM_MATTERMOST_TOKEN/);
  assert.not.match(said, /not-the-token-of-anyone/);
});

test('a database that is not there is said to be the reason', async ({ chat, teamId }) => {
  const bot = chat.createBot({ username: 'claude', teamIds: [teamId] });
  const { code, said } = await run(['serve'], {
    SM_MATTERMOST_URL: chat.url,
    SM_MATTERMOST_TOKEN: bot.token,
    SM_MATTERMOST_TEAM_ID: teamId,
    SM_CALLBACK_SECRET: '0123456789abcdef0123456789abcdef',
    SM_DATABASE_URL: 'postgres://nobody:hidden-word@127.0.0.1:1/none',
    SM_WORKSPACE: 'local',
    SM_FIREWALL: 'none',
  });
  assert.is(code, 1);
  assert.match(said, /database/i);
  assert.not.match(said, /hidden-word/);
});

test('--help tells what there is', async () => {
  const { code, said } = await run(['--help'], {});
  assert.is(code, 0);
  assert.match(said, /serve/);
  assert.match(said, /config/);
});

test.run();
