import * as assert from 'node:assert/strict';
import { suite } from 'uvu';
import { WebSocketServer } from 'ws';
import { createMattermostRest, createMattermostSocket } from '../../../src/adapters/mattermost/index.ts';
import { type Chat, fakeClock, type Heard, listen, quiet, rawServer, startChat, until } from './support.ts';

const test = suite('event stream');

let chat: Chat;
let open: Heard[] = [];
test.before.each(async () => {
  chat = await startChat();
});
test.after.each(async () => {
  for (const heard of open) heard.socket.stop();
  open = [];
  await chat.sim.close();
});

async function up(options: Parameters<typeof listen>[1] = {}): Promise<Heard> {
  const heard = listen(chat, options);
  open.push(heard);
  await until('the socket is up', () => heard.socket.state().name === 'up');
  return heard;
}

test('the first connection is a gap by name, and events come in order', async () => {
  const heard = await up();
  await until('the first gap', () => heard.gaps.length === 1);
  assert.deepEqual(heard.gaps, ['start']);
  const root = await chat.say('one');
  await chat.say('two', root);
  await chat.alice.rest.addReaction(chat.alice.id, root, 'eyes');
  await chat.alice.rest.removeReaction(root, 'eyes');
  await chat.alice.rest.patchPost(root, { message: 'one, edited' });
  await chat.alice.rest.deletePost(root);
  await until('the deletion', () => heard.events.some((event) => event.type === 'deleted'));
  const types = heard.events.map((event) => event.type).filter((type, i, all) => type !== all[i - 1]);
  assert.deepEqual(heard.messages(), ['one', 'two']);
  assert.deepEqual(
    types.filter((type) => type !== 'edited'),
    ['posted', 'reactionAdded', 'reactionRemoved', 'deleted'],
  );
  const edited = heard.events.find((event) => event.type === 'edited' && event.post.editAt > 0);
  assert.ok(edited?.type === 'edited' && edited.post.message === 'one, edited');
});

test('the bot hears of coming into a channel and of being removed', async () => {
  const heard = await up();
  const other = chat.sim.createChannel({ teamId: chat.teamId, name: 'other', creatorId: chat.alice.id });
  await chat.alice.rest.addMember(other.id, chat.bot.id);
  await until('added', () => heard.events.some((event) => event.type === 'userAdded'));
  await fetch(`${chat.sim.url}/api/v4/channels/${other.id}/members/${chat.bot.id}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${chat.alice.token}` },
  });
  await until('removed', () => heard.events.some((event) => event.type === 'userRemoved'));
  for (const event of heard.events) {
    if (event.type !== 'userAdded' && event.type !== 'userRemoved') continue;
    assert.deepEqual([event.channelId, event.userId], [other.id, chat.bot.id]);
  }
});

test('what is said while the connection is cut is replayed, once and in order, without a gap', async () => {
  const heard = await up();
  await chat.say('before');
  await until('the post before', () => heard.messages().length === 1);
  chat.sim.faults.sendNoise(chat.bot.id, 5);
  chat.sim.faults.cutWebSockets();
  for (let i = 0; i < 20; i += 1) await chat.say(`away ${i}`);
  await until('all of it', () => heard.messages().length === 21);
  await chat.say('after');
  await until('the post after', () => heard.messages().length === 22);
  assert.deepEqual(heard.messages(), ['before', ...Array.from({ length: 20 }, (_, i) => `away ${i}`), 'after']);
  assert.deepEqual(heard.gaps, ['start']);
  const { connections, streams } = heard.socket.stats();
  assert.ok(connections >= 2 && streams === 1, `${connections} connections, ${streams} streams`);
});

test('a stream that the server forgot is a gap', async () => {
  const heard = await up();
  await until('the first gap', () => heard.gaps.length === 1);
  chat.sim.faults.restart();
  await until('the second gap', () => heard.gaps.length === 2);
  assert.deepEqual(heard.gaps, ['start', 'newConnection']);
  await chat.say('still here');
  await until('the post', () => heard.messages().includes('still here'));
});

test('a connection that falls silent is noticed within its deadline and made again', async () => {
  const heard = await up({ pingEveryMs: 50, pingDeadlineMs: 250 });
  chat.sim.faults.blackHoleWebSockets();
  await chat.say('into the void');
  await until('it is down', () => heard.states.some((state) => state.name === 'down'));
  const down = heard.states.find((state) => state.name === 'down');
  assert.ok(down?.name === 'down' && /silent/.test(down.reason));
  await until('it is up again', () => heard.socket.state().name === 'up');
  await until('the gap is told', () => heard.gaps.includes('newConnection'), 5_000);
});

test('RT-1: a socket that falls silent without closing is pinged and replaced in less than a minute, as it comes', async () => {
  const clock = fakeClock();
  const states: string[] = [];
  // With the product's own intervals.
  const socket = createMattermostSocket({
    url: chat.sim.url,
    token: chat.bot.token,
    rest: chat.bot.rest,
    onEvent: () => {},
    onGap: () => {},
    onState: ({ name }) => states.push(name),
    log: quiet,
    clock,
    random: () => 1,
  });
  try {
    await until('the socket is up', () => socket.state().name === 'up');
    const [ping = 0] = clock.waiting();
    assert.ok(ping >= 25_000 && ping <= 30_000, `a ping after ${ping} ms: proxies cut what is idle for longer`);
    chat.sim.faults.blackHoleWebSockets();
    const deadSince = clock.now();
    const soon = () => clock.now() - deadSince < 60_000;
    while (soon() && socket.state().name === 'up') clock.advance(Math.min(...clock.waiting()));
    assert.equal(states.at(-1), 'down');
    clock.advance(Math.min(...clock.waiting()));
    assert.ok(soon(), `after ${clock.now() - deadSince} ms`);
    await until('it is up again', () => socket.state().name === 'up');
  } finally {
    socket.stop();
  }
});

test('a healthy connection stays up over many pings', async () => {
  const heard = await up({ pingEveryMs: 20, pingDeadlineMs: 5_000 });
  const frames = (): number => heard.socket.stats().ignored + heard.socket.stats().events;
  for (let i = 0; i < 10; i += 1) {
    const before = frames();
    chat.sim.faults.sendNoise(chat.bot.id, 1);
    await until('the noise', () => frames() > before);
  }
  assert.equal(heard.socket.stats().connections, 1);
});

test('RT-4: a wrong token says so, is tried ever more rarely, and works once it is mended', async () => {
  const clock = fakeClock();
  let token = 'wrong';
  const heard = listen(chat, {
    clock,
    random: () => 1,
    // As it comes.
    backoff: { minMs: 250, maxMs: 30_000 },
    pingDeadlineMs: 60_000,
    rest: { me: () => createMattermostRest({ url: chat.sim.url, token }).me() },
  });
  open.push(heard);
  const waits: number[] = [];
  for (let i = 0; i < 9; i += 1) {
    await until('a pause', () => clock.waiting().length === 1);
    waits.push(clock.waiting()[0] ?? 0);
    clock.advance(clock.waiting()[0] ?? 0);
    await until('the next refusal', () => heard.states.length === i + 2);
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  assert.deepEqual([...new Set(heard.states.map((state) => state.name))], ['unauthorised']);
  assert.equal(new Set(heard.states.map((state) => state.since)).size, 1, 'since when is told, not since the last try');
  token = chat.bot.token;
  clock.advance(30_000);
  await until('it is up', () => heard.socket.state().name === 'up');
});

test('a token that stops working while connected is told apart from a bad network', async () => {
  const heard = await up();
  chat.sim.faults.revokeToken(chat.bot.token);
  await until('it is told', () => heard.socket.state().name === 'unauthorised');
});

test('a handler that throws loses nothing silently and ends nothing', async () => {
  let fails = true;
  const messages: string[] = [];
  const heard = await up({
    onEvent: (event) => {
      if (fails) throw new Error('not now');
      if (event.type === 'posted') messages.push(event.post.message);
    },
  });
  await chat.say('lost');
  await until('the gap is told', () => heard.gaps.includes('handler'));
  fails = false;
  await chat.say('heard');
  await until('the next one', () => messages.includes('heard'));
  assert.equal(heard.socket.stats().connections, 1);
});

test('no frame ends the connection, whatever is in it', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/api/v4/websocket' });
  const http = await rawServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"u","username":"claude"}');
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  server.on('connection', (ws) => {
    const send = (event: string, seq: number, data: object): void =>
      ws.send(JSON.stringify({ event, data, broadcast: {}, seq }));
    send('hello', 0, { connection_id: 'c' });
    ws.send('not json');
    ws.send(Buffer.from([1, 2, 3]));
    ws.send('[]');
    ws.send('null');
    send('posted', 1, { post: 'not json' });
    send('posted', 2, { post: '{}' });
    send('nonsense', 3, {});
    send('channel_deleted', 4, { channel_id: 'x' });
    send('channel_deleted', 7, { channel_id: 'y' });
  });
  const events: string[] = [];
  const gaps: string[] = [];
  const socket = createMattermostSocket({
    url: `http://127.0.0.1:${port}`,
    token: 't',
    rest: createMattermostRest({ url: http.url, token: 't' }),
    onEvent: (event) => events.push(event.type === 'channelDeleted' ? event.channelId : event.type),
    onGap: (reason) => gaps.push(reason),
    onState: () => {},
    log: quiet,
  });
  try {
    await until('the last event', () => events.includes('y'));
    assert.deepEqual(events, ['x', 'y']);
    assert.deepEqual(gaps, ['start', 'sequence']);
    assert.deepEqual(socket.stats(), {
      connections: 1,
      streams: 1,
      events: 2,
      ignored: 1,
      malformed: 6,
      gaps: 2,
    });
  } finally {
    socket.stop();
    for (const client of server.clients) client.terminate();
    server.close();
    await http.close();
  }
});

test('a stopped socket stays stopped, also in the middle of connecting', async () => {
  const heard = listen(chat);
  heard.socket.stop();
  heard.socket.stop();
  const running = await up();
  running.socket.stop();
  const said = running.events.length;
  await chat.say('nobody listens');
  assert.equal(heard.socket.state().name, 'stopped');
  assert.deepEqual(
    heard.states.map((state) => state.name),
    ['stopped'],
  );
  assert.equal(running.events.length, said);
  assert.equal(running.socket.state().name, 'stopped');
});

test.run();
