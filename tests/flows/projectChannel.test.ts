// @limit 120
// The channel of a repository: what it is called, who is in it, and where it stands.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../src/actors/index.ts';
import { channelName, ensureProjectChannel } from '../../src/flows/projectChannel.ts';
import { type Chat, startChat } from '../adapters/mattermost/support.ts';

const VALID = /^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/;

test('every repository gets a name that the chat server accepts', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 120 }), fc.nat(4), (repo, attempt) => {
      assert.match(channelName(repo, attempt), VALID);
    }),
  );
});

test('the plain name is tried first, and a taken one is followed by others', () => {
  assert.is(channelName('Acme/web.app', 0), 'acme-web-app');
  const names = [0, 1, 2, 3, 4].map((attempt) => channelName('acme/web', attempt));
  assert.is(new Set(names).size, 5);
});

test('repositories that look alike as names do not share the second name', () => {
  assert.is(channelName('acme/web.app', 0), channelName('acme/web-app', 0));
  assert.is.not(channelName('acme/web.app', 1), channelName('acme/web-app', 1));
});

interface Sidebar {
  readonly categories: readonly { readonly display_name: string; readonly channel_ids: readonly string[] }[];
}

/** How the bot's own sidebar is sorted: names of categories with their channels. */
async function sidebarOf({ sim, bot, teamId }: Chat): Promise<Map<string, readonly string[]>> {
  const answer = await fetch(`${sim.url}/api/v4/users/${bot.id}/teams/${teamId}/channels/categories`, {
    headers: { authorization: `Bearer ${bot.token}` },
  });
  const { categories } = (await answer.json()) as Sidebar;
  return new Map(categories.map(({ display_name, channel_ids }) => [display_name, channel_ids]));
}

test('a new channel is private, stands in the category, and has the people in it who are named for all of them', async () => {
  const chat = await startChat();
  try {
    const { sim, teamId, bot, alice } = chat;
    const carol = sim.createUser({ username: 'carol', teamIds: [teamId] });
    const made = new Map<string, string>();
    const ports = {
      rest: bot.rest,
      store: {
        projectChannel: async (repo: string) => made.get(repo),
        putProjectChannel: async (repo: string, channelId: string) => {
          made.set(repo, channelId);
          return channelId;
        },
      },
      botUserId: bot.id,
      teamId,
      category: 'Claude Sessions',
      members: [alice.id, 'nobody-here', 'carol'],
      log: silentLog,
    };
    const web = await ensureProjectChannel(ports, 'acme/web');
    const app = await ensureProjectChannel(ports, 'acme/app');
    assert.is(await ensureProjectChannel(ports, 'acme/web'), web);
    assert.is((await bot.rest.channel(web))?.type, 'P');
    const members = (await bot.rest.channelMembers(web, 0)).map(({ userId }) => userId);
    assert.equal(members.sort(), [bot.id, alice.id, carol.id].sort());
    assert.equal([...((await sidebarOf(chat)).get('Claude Sessions') ?? [])].sort(), [web, app].sort());
    sim.faults.failNext(
      5,
      { method: 'GET', path: `/api/v4/users/${bot.id}/teams/${teamId}/channels/categories` },
      { status: 500 },
    );
    assert.ok(await ensureProjectChannel(ports, 'acme/other'), 'a sidebar that cannot be sorted keeps nobody waiting');
  } finally {
    await chat.sim.close();
  }
});

test.run();
