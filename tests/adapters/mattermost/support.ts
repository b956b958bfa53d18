/** A chat world in the stand-in, and the small tools of these tests. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type MattermostSimulator, startMattermost } from '../../../simulator/src/mattermost/index.ts';
import {
  type ChatEvent,
  createMattermostRest,
  createMattermostSocket,
  type GapReason,
  type MattermostRest,
  type MattermostSocket,
  type MattermostSocketOptions,
  type SocketState,
} from '../../../src/adapters/mattermost/index.ts';
import type { Clock } from '../../../src/adapters/mattermost/time.ts';

export interface Chat {
  readonly sim: MattermostSimulator;
  readonly teamId: string;
  readonly channelId: string;
  readonly alice: { readonly id: string; readonly token: string; readonly rest: MattermostRest };
  readonly bot: { readonly id: string; readonly token: string; readonly rest: MattermostRest };
  say(message: string, rootId?: string): Promise<string>;
}

export async function startChat(options: Parameters<typeof startMattermost>[0] = {}): Promise<Chat> {
  const sim = await startMattermost(options);
  const team = sim.createTeam({ name: 'team' });
  const alice = sim.createUser({ username: 'alice', teamIds: [team.id] });
  const bot = sim.createBot({ username: 'claude', teamIds: [team.id] });
  const channel = sim.createChannel({ teamId: team.id, name: 'project', creatorId: alice.id });
  sim.addMember(channel.id, bot.id);
  const aliceRest = createMattermostRest({ url: sim.url, token: alice.token });
  return {
    sim,
    teamId: team.id,
    channelId: channel.id,
    alice: { ...alice, rest: aliceRest },
    bot: { ...bot, rest: createMattermostRest({ url: sim.url, token: bot.token }) },
    say: async (message, rootId = '') => (await aliceRest.createPost({ channelId: channel.id, rootId, message })).id,
  };
}

export interface Heard {
  readonly socket: MattermostSocket;
  readonly events: ChatEvent[];
  readonly gaps: GapReason[];
  readonly states: SocketState[];
  /** Messages of `posted` events, in the order they came. */
  messages(): string[];
}

/** A socket of the bot that writes down all it hears. Intervals are short, so that a dead connection shows soon. */
export function listen(chat: Chat, options: Partial<MattermostSocketOptions> = {}): Heard {
  const events: ChatEvent[] = [];
  const gaps: GapReason[] = [];
  const states: SocketState[] = [];
  const socket = createMattermostSocket({
    url: chat.sim.url,
    token: chat.bot.token,
    rest: chat.bot.rest,
    onEvent: (event) => events.push(event),
    onGap: (reason) => gaps.push(reason),
    onState: (state) => states.push(state),
    log: quiet,
    pingEveryMs: 200,
    pingDeadlineMs: 2_000,
    backoff: { minMs: 5, maxMs: 50 },
    ...options,
  });
  const messages = (): string[] =>
    events.flatMap((event) => (event.type === 'posted' && event.post.type === '' ? [event.post.message] : []));
  return { socket, events, gaps, states, messages };
}

export const quiet = { debug() {}, info() {}, warn() {}, error() {} };

export async function until(what: string, done: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end; await pause(5)) if (await done()) return;
  throw new Error(`not within ${ms} ms: ${what}`);
}

/** Time that passes only when told to. */
export function fakeClock(start = 1_000_000): Clock & { advance(ms: number): void; waiting(): number[] } {
  let now = start;
  const timers = new Set<{ at: number; run: () => void }>();
  return {
    now: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const next = [...timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        timers.delete(next);
        now = next.at;
        next.run();
      }
      now = end;
    },
    /** Milliseconds until each timer, soonest first. */
    waiting: () => [...timers].map((timer) => timer.at - now).sort((a, b) => a - b),
  };
}

/** A bare server for answers that no chat server would give. */
export async function rawServer(answer: RequestListener): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
