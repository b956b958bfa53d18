// @limit 120
// The channel of a repository: what it is called, who is in it, and where it stands.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type StorePorts, silentLog } from '../../src/actors/index.ts';
import { ChatError } from '../../src/adapters/mattermost/errors.ts';
import type { MattermostRest } from '../../src/adapters/mattermost/index.ts';
import { createPosting } from '../../src/flows/posting.ts';
import { channelName, ensureProjectChannel, type ProjectChannelPorts } from '../../src/flows/projectChannel.ts';
import { createRateGovernor } from '../../src/flows/rateGovernor.ts';
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

const FIRST = { attempt: 1, signal: new AbortController().signal };
const LAST = { ...FIRST, attempt: 5 };

interface World {
  readonly ports: ProjectChannelPorts;
  /** Pauses that the chat server asked for, in ms. */
  readonly pauses: number[];
}

type Channels = Map<string, { readonly channelId: string; furnished: boolean }>;

/** What a process has of it; `channels` outlives it. */
function worldOf(
  { bot, teamId }: Chat,
  channels: Channels,
  changes: {
    readonly rest?: Partial<MattermostRest>;
    readonly members?: readonly string[];
    readonly dies?: boolean;
  } = {},
): World {
  const pauses: number[] = [];
  const governor = { ...createRateGovernor({ perSecond: 1000, burst: 1000 }), pause: (ms: number) => pauses.push(ms) };
  const rest = { ...bot.rest, ...changes.rest };
  const posts = { rest, store: {} as StorePorts, botUserId: bot.id, secret: 's', now: Date.now, leads: () => true };
  const ofId = (id: string) => [...channels.values()].find(({ channelId }) => channelId === id);
  const ports: ProjectChannelPorts = {
    rest,
    posting: createPosting({ ...posts, governor }),
    store: {
      projectChannel: async (repo) => channels.get(repo)?.channelId,
      async putProjectChannel(repo, channelId) {
        channels.set(repo, { channelId, furnished: false });
        if (changes.dies) throw new Error('killed');
        return channelId;
      },
      isFurnished: async (id) => ofId(id)?.furnished === true,
      async putFurnished(id) {
        const channel = ofId(id);
        if (channel) channel.furnished = true;
      },
    },
    botUserId: bot.id,
    teamId,
    category: 'Claude Sessions',
    members: changes.members ?? [],
    log: silentLog,
  };
  return { ports, pauses };
}

async function membersOf({ bot }: Chat, channelId: string): Promise<string[]> {
  return (await bot.rest.channelMembers(channelId, 0)).map(({ userId }) => userId).sort();
}

const failure = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );

test('a new channel is private, stands in the category, and has the people in it who are named for all of them', async () => {
  const chat = await startChat();
  try {
    const { sim, teamId, bot, alice } = chat;
    const carol = sim.createUser({ username: 'carol', teamIds: [teamId] });
    const { ports } = worldOf(chat, new Map(), { members: [alice.id, 'nobody-here', 'carol'] });
    const web = await ensureProjectChannel(ports, 'acme/web', FIRST);
    const app = await ensureProjectChannel(ports, 'acme/app', FIRST);
    assert.is(await ensureProjectChannel(ports, 'acme/web', FIRST), web);
    assert.is((await bot.rest.channel(web))?.type, 'P');
    assert.equal(await membersOf(chat, web), [bot.id, alice.id, carol.id].sort());
    assert.equal([...((await sidebarOf(chat)).get('Claude Sessions') ?? [])].sort(), [web, app].sort());
  } finally {
    await chat.sim.close();
  }
});

test('a sidebar that cannot be sorted keeps nobody waiting for ever, and is sorted when the next session begins', async () => {
  const chat = await startChat();
  try {
    const { sim, bot, teamId } = chat;
    const { ports } = worldOf(chat, new Map());
    const sidebar = `/api/v4/users/${bot.id}/teams/${teamId}/channels/categories`;
    sim.faults.failNext(2, { method: 'GET', path: sidebar }, { status: 500 });
    assert.is(await failure(ensureProjectChannel(ports, 'acme/web', FIRST)), 'CHAT_SERVER');
    const channel = await ensureProjectChannel(ports, 'acme/web', LAST);
    assert.is((await sidebarOf(chat)).get('Claude Sessions'), undefined);
    assert.is(await ensureProjectChannel(ports, 'acme/web', FIRST), channel);
    assert.equal((await sidebarOf(chat)).get('Claude Sessions'), [channel]);
  } finally {
    await chat.sim.close();
  }
});

test('members are not lost when the process dies between making the channel and adding them', async () => {
  const chat = await startChat();
  try {
    const channels: Channels = new Map();
    const members = [chat.alice.id];
    const dying = worldOf(chat, channels, { members, dies: true });
    assert.is(await failure(ensureProjectChannel(dying.ports, 'acme/web', FIRST)), 'killed');
    const channel = await ensureProjectChannel(worldOf(chat, channels, { members }).ports, 'acme/web', FIRST);
    assert.equal(await membersOf(chat, channel), [chat.bot.id, chat.alice.id].sort());
  } finally {
    await chat.sim.close();
  }
});

test('a member whom the chat is too busy to add is added by the next attempt, and the pause that it asks for is kept', async () => {
  const chat = await startChat();
  try {
    const carol = chat.sim.createUser({ username: 'carol', teamIds: [chat.teamId] });
    const added: string[] = [];
    let isBusy = true;
    const rest: Partial<MattermostRest> = {
      async addMember(channelId, userId) {
        if (isBusy && userId === carol.id) {
          isBusy = false;
          const busy = { code: 'CHAT_RATE', message: 'slow down', retryable: true, status: 429 } as const;
          throw new ChatError({ ...busy, retryAfterMs: 1234 });
        }
        added.push(userId);
        return chat.bot.rest.addMember(channelId, userId);
      },
    };
    const { ports, pauses } = worldOf(chat, new Map(), { rest, members: [chat.alice.id, 'carol'] });
    assert.is(await failure(ensureProjectChannel(ports, 'acme/web', FIRST)), 'CHAT_RATE');
    assert.equal(pauses, [1234]);
    const channel = await ensureProjectChannel(ports, 'acme/web', { ...FIRST, attempt: 2 });
    assert.equal(added, [chat.alice.id, carol.id], 'who is there is not added again');
    assert.equal(await membersOf(chat, channel), [chat.bot.id, chat.alice.id, carol.id].sort());
    await chat.bot.rest.removeMember(channel, carol.id);
    await ensureProjectChannel(ports, 'acme/web', FIRST);
    assert.equal(await membersOf(chat, channel), [chat.bot.id, chat.alice.id].sort(), 'who was put out stays out');
  } finally {
    await chat.sim.close();
  }
});

test.run();
