// The official client is the held-out judge: it was written against the real server and knows nothing of the stand-in.
import { strict as assert } from 'node:assert';
import type { WebSocketMessage } from '@mattermost/client';
import client from '@mattermost/client';
import type { Channel } from '@mattermost/types/channels';
import type { Post } from '@mattermost/types/posts';
import { suite } from 'uvu';
import { WebSocket } from 'ws';
import { type Crew, eventually, startCrew } from './helpers.ts';

const { Client4, WebSocketClient } = client;

// The client expects a browser's globals.
class CloseEvent extends Event {
  readonly code: number;
  constructor(type: string, init: { code: number }) {
    super(type);
    this.code = init.code;
  }
}
Object.assign(globalThis, { WebSocket, CloseEvent });
const silence = console.log;
console.log = (...args: unknown[]) =>
  String(args[0]).startsWith('w') || String(args[0]).startsWith('got') ? undefined : silence(...args);

const test = suite<{ crew: Crew }>('official client');

test.before.each(async (context) => {
  context.crew = await startCrew();
});
test.after.each(async ({ crew }) => {
  await crew.mattermost.close();
});

function restClient(crew: Crew, token: string) {
  const client = new Client4();
  client.setUrl(crew.mattermost.url);
  client.setToken(token);
  return client;
}

interface Live {
  socket: InstanceType<typeof WebSocketClient>;
  messages: WebSocketMessage[];
  missed: number;
}

/** @param header the token goes into the upgrade request; otherwise the client answers the challenge. */
function liveClient(crew: Crew, token: string, header: boolean): Live {
  const options = header ? { headers: { Authorization: `Bearer ${token}` } } : {};
  // The library's socket behaves like a browser's; only its type is another.
  const newWebSocketFn = (url: string) => Reflect.construct(WebSocket, [url, options]);
  const socket = new WebSocketClient({ minWebSocketRetryTime: 50, reconnectJitterRange: 10, newWebSocketFn });
  const live: Live = { socket, messages: [], missed: 0 };
  socket.addMessageListener((message) => live.messages.push(message));
  socket.addMissedMessageListener(() => {
    live.missed += 1;
  });
  socket.initialize(`${crew.mattermost.url.replace('http', 'ws')}/api/v4/websocket`, header ? undefined : token);
  return live;
}

function texts(live: Live): string[] {
  return live.messages.flatMap((message) => {
    const { post } = message.data as { post?: string };
    return message.event === 'posted' && post !== undefined ? [String(JSON.parse(post).message)] : [];
  });
}

const greeted = (live: Live) => eventually(() => live.messages.some((message) => message.event === 'hello'), 'hello');

test('channels, posts, threads, edits and reactions work over REST', async ({ crew }) => {
  const client = restClient(crew, crew.bot.token);
  const me = await client.getMe();
  assert.equal(me.id, crew.bot.id);
  const channel = await client.createChannel({
    team_id: crew.teamId,
    name: 'made-here',
    display_name: 'Made here',
    type: 'O',
  } as Channel);
  await client.addToChannel(crew.alice.id, channel.id);
  const root = await client.createPost({ channel_id: channel.id, message: 'root' } as Post);
  const reply = await client.createPost({ channel_id: channel.id, message: 'reply', root_id: root.id } as Post);
  const patched = await client.patchPost({ id: reply.id, message: 'better' } as Post);
  assert.equal(patched.message, 'better');
  await client.addReaction(crew.bot.id, root.id, 'eyes');
  const thread = await client.getPostThread(reply.id);
  assert.ok(thread.order.includes(root.id) && thread.order.includes(reply.id));
  assert.equal(thread.posts[reply.id]?.message, 'better');
  const page = await client.getPosts(channel.id);
  assert.equal(page.order[0], reply.id);
  const named = await client.getChannelByName(crew.teamId, 'made-here');
  assert.equal(named.id, channel.id);
});

test('errors arrive as the errors of the server', async ({ crew }) => {
  const client = restClient(crew, crew.bot.token);
  await assert.rejects(client.getPost('aaaaaaaaaaaaaaaaaaaaaaaaaa'), {
    server_error_id: 'app.post.get.app_error',
    status_code: 404,
  });
  const stranger = restClient(crew, 'zzzzzzzzzzzzzzzzzzzzzzzzzz');
  await assert.rejects(stranger.getMe(), {
    server_error_id: 'api.context.session_expired.app_error',
    status_code: 401,
  });
});

test('events arrive over a challenged connection', async ({ crew }) => {
  const live = liveClient(crew, crew.bot.token, false);
  await greeted(live);
  await restClient(crew, crew.alice.token).createPost({
    channel_id: crew.channelId,
    message: 'hello @claude',
  } as Post);
  await eventually(() => texts(live).includes('hello @claude'), 'the post');
  live.socket.close();
});

test('with header authentication a reconnect replays what was missed', async ({ crew }) => {
  const live = liveClient(crew, crew.bot.token, true);
  const alice = restClient(crew, crew.alice.token);
  await greeted(live);
  assert.equal(crew.mattermost.faults.cutWebSockets(), 1);
  for (const message of ['missed 1', 'missed 2'])
    await alice.createPost({ channel_id: crew.channelId, message } as Post);
  await eventually(() => texts(live).length === 2, 'the replay');
  await alice.createPost({ channel_id: crew.channelId, message: 'live again' } as Post);
  await eventually(() => texts(live).length === 3, 'the next event');
  assert.deepEqual(texts(live), ['missed 1', 'missed 2', 'live again']);
  assert.equal(live.missed, 0);
  live.socket.close();
});

test('with a challenge every reconnect is a gap', async ({ crew }) => {
  const live = liveClient(crew, crew.bot.token, false);
  await greeted(live);
  crew.mattermost.faults.cutWebSockets();
  await restClient(crew, crew.alice.token).createPost({ channel_id: crew.channelId, message: 'lost' } as Post);
  await eventually(() => live.missed === 1, 'the gap to be noticed');
  assert.deepEqual(texts(live), []);
  live.socket.close();
});

test.run();
