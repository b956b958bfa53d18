/**
 * What a gateway does while it leads: it listens to the chat and lets the actors run. It ends all of that before it lets go of
 * the lead, so that two processes never act at the same time.
 */
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { InboxItem, Store } from './actors/index.ts';
import { createMattermostSocket, type MattermostRest, type SocketState } from './adapters/mattermost/index.ts';
import { acquireLeadership, type Database } from './adapters/postgres/index.ts';
import type { Config } from './config.ts';
import { createIngress } from './flows/ingress.ts';
import { kindsOf } from './flows/kinds.ts';
import { createRecovery } from './flows/recovery.ts';
import { GATEWAY } from './machines/addresses.ts';
import { mayUse } from './policy/people.ts';
import type { Gateway, Identity } from './wiring.ts';

export interface ChatFollower {
  name(): SocketState['name'];
  onState(state: SocketState): void;
}

/** Remembers whether the chat can be heard, and tells the root actor when that changes. */
export function followChat({ runtime, metrics }: Gateway, log: Logger): ChatFollower {
  let state: SocketState = { name: 'connecting', since: Date.now() };
  return {
    name: () => state.name,
    onState(next) {
      const was = state.name;
      state = next;
      log.info({ ...next }, 'chat connection');
      if (next.name === was || !runtime.stats().leading) return;
      if (next.name === 'up') metrics.reconnects.inc({ link: 'chat' });
      const reason = 'reason' in next ? next.reason : next.name;
      const type = next.name === 'up' ? 'SYSTEM.UP' : 'SYSTEM.DOWN';
      const event = { type, at: next.since, system: 'chat', reason };
      background(
        log,
        'tell the root of the chat',
        runtime.deliver([{ to: GATEWAY, event, dedupKey: `chat/${type}/${next.since}` }]),
      );
    },
  };
}

interface Parts {
  readonly config: Config;
  readonly identity: Identity;
  readonly gateway: Gateway;
  readonly database: Database;
  readonly store: Store;
  readonly rest: MattermostRest;
  readonly chat: ChatFollower;
  /** Undone from last to first. */
  readonly closers: (() => Promise<unknown>)[];
  readonly log: Logger;
}

/** Waits for the lead, then acts until it is lost. @returns why it ended. */
export async function lead(parts: Parts, stopping: AbortSignal): Promise<string> {
  const { config, gateway, database, store, rest, closers, log } = parts;
  const { runtime, view } = gateway;
  try {
    const leadership = await acquireLeadership(database, {
      signal: stopping,
      holder: hostname(),
      charts: Object.fromEntries(kindsOf(config).map(({ kind, version }) => [kind, version])),
      onWaiting: (reason, waitingFor) => log.info({ reason, waitingFor }, 'waiting for the lead'),
    });
    if (stopping.aborted) return 'stopping';
    closers.push(() => leadership.release());
    const { term } = leadership;
    let onFenced: (reason: string) => void = () => {};
    log.info({ term }, 'leading');

    const ingress = createIngress({
      runtime,
      store,
      rest,
      botUserId: parts.identity.botUserId,
      rules: routingRules(config),
      log,
      now: Date.now,
    });
    const recovery = createRecovery({ rest, store, runtime, ingress, teamId: config.mattermost.teamId, log });
    const readUp = (reason: string) =>
      background(
        log,
        'read the channels up',
        retrying(() => recovery.readUp(reason), stopping),
      );
    const openSocket = () =>
      createMattermostSocket({
        url: config.mattermost.url,
        token: config.mattermost.token.reveal(),
        rest,
        onEvent: (event) => {
          ingress.take(event).catch((error: unknown) => {
            log.warn({ err: error }, 'a chat event could not be taken');
            readUp('failed event');
          });
        },
        onGap: readUp,
        onState: (state) => parts.chat.onState(state),
        log,
      });
    closers.push(() => view.stop());
    closers.push(() => runtime.stop());
    const fenced = new Promise<string>((resolve) => {
      onFenced = resolve;
    });
    await runtime.start({
      term,
      onFenced,
      // Listening begins before reading up, so that nothing falls between the two.
      catchUp: async () => {
        await runtime.deliver([rootEvent('BOOT', term)]);
        const socket = openSocket();
        closers.push(async () => socket.stop());
        await recovery.readUp('start').catch((error: unknown) => {
          log.warn({ err: error }, 'the chat could not be read up at start');
          readUp('start');
        });
      },
    });
    closers.push(() => tellRoot(runtime, 'DRAIN', term));
    await view.resume();
    await tellRoot(runtime, 'RECOVERED', term);
    return await Promise.race([fenced, leadership.lost]);
  } catch (error) {
    if (stopping.aborted) return 'stopping';
    log.error({ err: error }, 'cannot lead');
    return error instanceof Error ? error.message : String(error);
  }
}

type Milestone = 'BOOT' | 'RECOVERED' | 'DRAIN';

function rootEvent(type: Milestone, term: number): InboxItem {
  return { to: GATEWAY, event: { type, at: Date.now() }, dedupKey: `${type.toLowerCase()}/${term}` };
}

async function tellRoot(runtime: Gateway['runtime'], type: Milestone, term: number): Promise<void> {
  await runtime.deliverAndWait(rootEvent(type, term), { timeoutMs: 2_000 });
}

function routingRules(config: Config) {
  const { mattermost, access, git, workspace } = config;
  return {
    trigger: mattermost.botTrigger,
    defaultOrg: git.defaultOrg ?? '',
    localRepos: workspace.kind === 'local' ? workspace.localRepos : {},
    allowPaths: false,
    allowed: (person: { readonly id: string; readonly name: string }, repo: string | null) =>
      mayUse(person, repo, { users: access.allowedUsers, repos: access.allowedRepos }),
  };
}

/** Tries again, ever more slowly, until it works or the process stops. */
async function retrying(work: () => Promise<void>, stopping: AbortSignal): Promise<void> {
  for (let pause = 1_000; !stopping.aborted; pause = Math.min(60_000, pause * 2)) {
    try {
      return await work();
    } catch (error) {
      if (stopping.aborted) return;
      await sleep(pause, undefined, { signal: stopping }).catch(() => undefined);
      if (pause >= 60_000) throw error;
    }
  }
}

/** For work nobody waits for: its failure is logged, never lost. */
function background(log: Logger, what: string, work: Promise<unknown>): void {
  work.catch((error: unknown) => log.error({ err: error }, `could not ${what}`));
}
