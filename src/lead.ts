/**
 * Who leads acts: it listens to the chat and lets the actors run. Everybody else stands by, answers HTTP, takes clicks, and
 * leads as soon as it can. A process that loses the lead (the database went away, another was quicker) stands by again; it
 * never ends for that. All that acts has ended before the lead is let go.
 */
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { InboxItem, Retention, Store } from './actors/index.ts';
import { createMattermostSocket, type MattermostRest } from './adapters/mattermost/index.ts';
import { acquireLeadership, type Database, DEFAULT_RETENTION, type Leadership } from './adapters/postgres/index.ts';
import type { Deciders } from './approvers.ts';
import type { ChatFollower } from './chatFollower.ts';
import type { Config } from './config.ts';
import { createAnswers } from './flows/answers.ts';
import { recordEntry, recordRefusals } from './flows/audit.ts';
import { createIngress } from './flows/ingress.ts';
import { createReadGate } from './flows/readGate.ts';
import { createReadUpLoop } from './flows/readUpLoop.ts';
import { createRecovery } from './flows/recovery.ts';
import { keepTidy } from './flows/retention.ts';
import { GATEWAY } from './machines/addresses.ts';
import { mayUse } from './policy/people.ts';
import type { VmFollower } from './vmFollower.ts';
import { type Gateway, type Identity, permalinkOf } from './wiring.ts';

/** Between losing the lead and asking for it again, so that a process in trouble does not keep taking it. */
const REST_MS = 1_000;

export interface LeadParts {
  readonly config: Config;
  readonly identity: Identity;
  readonly deciders: Deciders;
  readonly gateway: Gateway;
  readonly database: Database;
  readonly store: Store;
  readonly rest: MattermostRest;
  readonly chat: ChatFollower;
  readonly vm: VmFollower | undefined;
  /** Chart versions by kind: an older program does not lead after a newer one. */
  readonly charts: Readonly<Record<string, number>>;
  /** Of this program. */
  readonly version: string;
  readonly log: Logger;
}

/** Leads whenever it may, until `stopping`. Resolves when nothing acts any more. Never rejects. */
export async function leadWhenever(parts: LeadParts, stopping: AbortSignal): Promise<void> {
  const { database, charts, log } = parts;
  while (!stopping.aborted) {
    try {
      const leadership = await acquireLeadership(database, {
        signal: stopping,
        holder: `${hostname()}/${process.pid}`,
        program: parts.version,
        charts,
        onWaiting: (reason) => log.info({ reason }, 'standing by'),
      });
      const reason = await reign(parts, leadership, stopping);
      if (!stopping.aborted) log.warn({ term: leadership.term, reason }, 'leading no more; standing by');
    } catch (error) {
      if (!stopping.aborted) log.error({ err: error }, 'cannot lead; standing by');
    }
    await sleep(REST_MS, undefined, { signal: stopping }).catch(() => undefined);
  }
}

/** One term. @returns why it ended; by then all that acted has stopped and the lead is free. */
async function reign(parts: LeadParts, leadership: Leadership, stopping: AbortSignal): Promise<string> {
  const { gateway, log } = parts;
  const { term } = leadership;
  log.info({ term }, 'leading');
  /** Undone from last to first. */
  const undo: (() => Promise<void>)[] = [() => leadership.release()];
  try {
    const over = Promise.race([leadership.lost, stopped(stopping)]);
    const reason = await Promise.race([act(parts, leadership, stopping, undo), over]);
    if (stopping.aborted) await tellRoot(gateway.runtime, 'DRAIN', term);
    return reason;
  } finally {
    for (const end of undo.reverse()) {
      await end().catch((error: unknown) => log.error({ err: error }, 'something did not stop as it should'));
    }
  }
}

/** Begins everything that acts. @returns the reason when a write was refused because another process leads. */
async function act(
  parts: LeadParts,
  leadership: Leadership,
  stopping: AbortSignal,
  undo: (() => Promise<void>)[],
): Promise<string> {
  const { config, gateway, store, rest, log } = parts;
  const { runtime, view, boards, chatBudget } = gateway;
  const { term } = leadership;
  const over = new AbortController();
  const ending = AbortSignal.any([stopping, over.signal]);
  const gate = createReadGate();
  // Only while it leads may a process tell what it hears in the chat.
  const hearing: Pick<typeof runtime, 'deliver' | 'read'> = {
    read: runtime.read,
    deliver: (items, extra) => runtime.deliver(items, { ...extra, term }),
  };
  const { botUserId } = parts.identity;
  const ingress = createIngress({
    runtime: hearing,
    store,
    rest,
    gate,
    answers: createAnswers({
      runtime: hearing,
      whyNot: parts.deciders.whyNot,
      mayOpenForGood: parts.deciders.mayOpenForGood,
      postedAt: async (postId) => (await rest.getPost(postId))?.createAt,
    }),
    botUserId,
    rules: routingRules(config, parts.deciders),
    permalink: permalinkOf(config, parts.identity),
    record: recordEntry(store),
    onRefused: recordRefusals(store, Date.now),
    loopLimit: config.mattermost.loopLimit,
    log,
    now: Date.now,
    onAccepted: gateway.stages.accepted,
    onBoardDeleted: boards.deleted,
  });
  const { teamId } = config.mattermost;
  const recovery = createRecovery({ rest, store, runtime: hearing, ingress, gate, botUserId, teamId, log });
  const readUp = createReadUpLoop({ recovery, gate, log }, ending);
  const listen = () => {
    const socket = createMattermostSocket({
      url: config.mattermost.url,
      token: config.mattermost.token.reveal(),
      rest,
      onEvent: (event) => {
        ingress.take(event).catch((error: unknown) => {
          if (ending.aborted) return;
          log.warn({ err: error }, 'a chat event could not be taken');
          readUp('failed event');
        });
      },
      onGap: readUp,
      onState: (state) => parts.chat.onState(state, term),
      log,
    });
    undo.push(async () => socket.stop());
  };
  undo.push(() => view.stop());
  undo.push(() => boards.stop());
  undo.push(() => {
    const ended = runtime.stop();
    // What waits for its turn to speak must not hold up the next leader, nor speak after it.
    chatBudget.close();
    return ended;
  });
  chatBudget.open();
  // The chat is no longer listened to by then.
  undo.push(async () => {
    if (stopping.aborted) await tellRoot(runtime, 'DRAINED', term);
  });
  let tidying: Promise<unknown> = Promise.resolve();
  undo.push(async () => void (await tidying));
  undo.push(async () => over.abort(new Error('leading no more')));
  return new Promise((resolve, reject) => {
    const start = async () => {
      await runtime.start({
        term,
        onFenced: resolve,
        certain: () => leadership.certain(),
        // Listening begins before reading up, so that nothing falls between the two.
        catchUp: async () => {
          await runtime.deliver([rootEvent('BOOT', term)]);
          if (ending.aborted) return;
          // What is committed need not wait until everything is read.
          background(
            log,
            'show what is not shown yet',
            retrying(() => view.resume(), ending, log),
          );
          boards.resume();
          listen();
          await recovery.readUp('start').catch((error: unknown) => {
            log.warn({ err: error }, 'the chat could not be read up at start');
            readUp('start');
          });
        },
      });
      // The lead may have been lost meanwhile: what this term would tell now is another's to tell.
      if (ending.aborted) return;
      await tellRoot(runtime, 'RECOVERED', term);
      parts.vm?.tell();
      tidying = Promise.all([
        keepTidy({ store, retention: retentionOf(config), log }, ending),
        gateway.vm?.keepInOrder(ending),
        gateway.firewall.keep(ending),
      ]);
    };
    start().catch(reject);
  });
}

const DAY_MS = 24 * 60 * 60_000;

function retentionOf({ retention }: Config): Retention {
  return {
    ...DEFAULT_RETENTION,
    doneEventsMs: retention.eventsDays * DAY_MS,
    doneEffectsMs: retention.eventsDays * DAY_MS,
    settledLettersMs: retention.eventsDays * DAY_MS,
    openLettersMs: retention.sessionsDays * DAY_MS,
    endedSessionsMs: retention.sessionsDays * DAY_MS,
    journalRows: retention.journalRows,
  };
}

function stopped(stopping: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    if (stopping.aborted) resolve('stopping');
    stopping.addEventListener('abort', () => resolve('stopping'), { once: true });
  });
}

type Milestone = 'BOOT' | 'RECOVERED' | 'DRAIN' | 'DRAINED';

function rootEvent(type: Milestone, term: number): InboxItem {
  return { to: GATEWAY, event: { type, at: Date.now() }, dedupKey: `${type.toLowerCase()}/${term}` };
}

async function tellRoot(runtime: Gateway['runtime'], type: Milestone, term: number): Promise<void> {
  await runtime.deliverAndWait(rootEvent(type, term), { timeoutMs: 2_000 });
}

function routingRules(config: Config, { isApprover }: Deciders) {
  const { mattermost, access, git, workspace } = config;
  return {
    trigger: mattermost.botTrigger,
    defaultOrg: git.defaultOrg ?? '',
    localRepos: workspace.kind === 'local' ? workspace.localRepos : {},
    allowPaths: false,
    allowed: (person: { readonly id: string; readonly name: string }, repo: string | null) =>
      mayUse(person, repo, { users: access.allowedUsers, repos: access.allowedRepos }),
    isApprover,
  };
}

/** Tries again, ever more slowly, until it works or is not wanted any more. */
async function retrying(work: () => Promise<void>, ending: AbortSignal, log: Logger): Promise<void> {
  for (let pause = 1_000; !ending.aborted; pause = Math.min(60_000, pause * 2)) {
    try {
      return await work();
    } catch (error) {
      if (ending.aborted) return;
      log.warn({ err: error }, 'will try again');
      await sleep(pause, undefined, { signal: ending }).catch(() => undefined);
    }
  }
}

/** For work nobody waits for: its failure is logged, never lost. */
function background(log: Logger, what: string, work: Promise<unknown>): void {
  work.catch((error: unknown) => log.error({ err: error }, `could not ${what}`));
}
