import { WebSocket } from 'ws';
import {
  type MattermostOptions,
  type MattermostSimulator,
  type SeededUser,
  startMattermost,
} from '../../src/mattermost/index.ts';

export interface Crew {
  mattermost: MattermostSimulator;
  teamId: string;
  channelId: string;
  alice: SeededUser;
  bot: SeededUser;
}

/** A stand-in with a team, a person, a bot and a channel both are in. */
export async function startCrew(options: MattermostOptions = {}): Promise<Crew> {
  const mattermost = await startMattermost(options);
  const team = mattermost.createTeam({ name: 'crew' });
  const alice = mattermost.createUser({ username: 'alice', teamIds: [team.id] });
  const bot = mattermost.createBot({ username: 'claude', teamIds: [team.id] });
  const channel = mattermost.createChannel({ teamId: team.id, name: 'work', creatorId: bot.id });
  mattermost.addMember(channel.id, alice.id);
  return { mattermost, teamId: team.id, channelId: channel.id, alice, bot };
}

/** Resolves when `check` gives something; rejects after `ms`. */
export async function eventually<T>(check: () => T | undefined | false, what: string, ms = 5_000): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    const value = check();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export interface Answer {
  status: number;
  type: string;
  text: string;
  json: Record<string, unknown>;
}

/** One request to the API; rejects when no answer comes. */
export async function api(
  mattermost: MattermostSimulator,
  token: string,
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<Answer> {
  const answer = await fetch(`${mattermost.url}/api/v4${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  const text = await answer.text();
  const type = answer.headers.get('content-type') ?? '';
  return {
    status: answer.status,
    type,
    text,
    json: type === 'application/json' && text !== '' ? JSON.parse(text) : {},
  };
}

export interface Frame {
  event: string;
  seq: number;
  data: Record<string, unknown>;
}

/** A bare WebSocket client that keeps its frames. */
export interface Listener {
  socket: WebSocket;
  frames: Frame[];
  closed: boolean;
  /** Texts of the posts that arrived, system messages left out. */
  posts(): string[];
}

/** Opens a WebSocket with the token in the header; resolves once it is open. */
export function listen(mattermost: MattermostSimulator, token: string, query = ''): Promise<Listener> {
  const socket = new WebSocket(`${mattermost.url.replace('http', 'ws')}/api/v4/websocket${query}`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  const listener: Listener = {
    socket,
    frames: [],
    closed: false,
    posts: () =>
      listener.frames
        .filter((frame) => frame.event === 'posted')
        .map((frame) => JSON.parse(String(frame.data.post)))
        .filter((post) => post.type === '')
        .map((post) => post.message),
  };
  socket.on('message', (data) => listener.frames.push(JSON.parse(data.toString())));
  socket.on('close', () => {
    listener.closed = true;
  });
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(listener));
    socket.once('error', reject);
  });
}

/** The id under which a connection can be resumed. */
export async function connectionId(listener: Listener): Promise<string> {
  const hello = await eventually(() => listener.frames.find((frame) => frame.event === 'hello'), 'hello');
  return String(hello.data.connection_id);
}
