/** Sessions as a gateway in use has them: made by the real chart, event by event, and copied by SQL. */
import { step, stepInitial, wakeAtOf } from '../../src/actors/step.ts';
import type { Envelope, InboxItem, KindDefinition } from '../../src/actors/types.ts';
import type { Database } from '../../src/adapters/postgres/index.ts';
import type { Address } from '../../src/machines/addresses.ts';
import type { JsonObject } from '../../src/machines/json.ts';
import type { SessionRequest } from '../../src/machines/session/context.ts';
import type { SessionEvent } from '../../src/machines/session/events.ts';
import { definitions } from '../../tests/machines/support.ts';

/** Longer than any measurement, so that no timer fires in one, yet near enough to be armed. */
const LIVENESS_SECONDS = 8 * 60;
/** Stands for an address's key in what is copied. */
const KEY = 'kkkkkkkkkkkkkkkkkkkkkkkkkk';
const AGENT = '4f8b8f1e-7a52-4d0a-9f2b-1c3f0a1b2c3d';
const CHECKOUT = '/workspaces/acme/web-shop/checkout-totals';
const CONTAINER = 'container/acme/web-shop@main';

export const KINDS = definitions({ SM_SESSION_LIVENESS_TIMEOUT_SECS: String(LIVENESS_SECONDS) });

export interface Template {
  readonly envelope: Envelope;
  readonly rev: number;
}

const REQUEST: SessionRequest = {
  repo: { repo: 'acme/web-shop', source: 'https://git.example.com/acme/web-shop.git', branch: 'main' },
  worktree: 'checkout-totals',
  plan: false,
  review: false,
  model: 'claude-sonnet',
  owner: { id: 'u'.repeat(26), name: 'alice.miller' },
  askedIn: { channelId: 'c'.repeat(26), rootId: '' },
  askedBy: KEY,
};

const TEXT =
  'The totals in the cart are off by one cent for some orders with a discount. Please find out where the rounding ' +
  'happens, write a failing test for it first, then mend it without changing what the API returns. Thanks!';

function person(postId: string) {
  return {
    postId,
    channelId: REQUEST.askedIn.channelId,
    rootId: 'r'.repeat(26),
    userId: REQUEST.owner.id,
    userName: REQUEST.owner.name,
  };
}

function prompt(at: number, postId: string): SessionEvent {
  return { type: 'PROMPT', at, ...person(postId), text: TEXT, fileIds: [], addressed: false };
}

function turnStarted(at: number, turnId: string, postId: string): SessionEvent {
  return { type: 'TURN.STARTED', at, turnId, inputIds: [postId] };
}

function turnEnded(at: number, turnId: string, postId: string): SessionEvent {
  const tokens = { inputTokens: 12_345, outputTokens: 2_345, costUsd: 0.0735, contextTokens: 81_234 };
  const ids = { turnId, inputIds: [postId], agentSessionId: AGENT };
  return { type: 'TURN.ENDED', at, outcome: 'completed', contextWindow: 200_000, ...tokens, ...ids };
}

/** From the command to an agent that is ready. */
function opening(at: number): readonly SessionEvent[] {
  return [
    { type: 'THREAD.OPENED', at, channelId: REQUEST.askedIn.channelId, rootId: 'r'.repeat(26) },
    { type: 'WORKSPACE.READY', at, path: CHECKOUT, branch: 'checkout-totals' },
    { type: 'CONTAINER.READY', at, endpoint: '10.20.30.40:31234', generation: 3, identity: 'worker-3-a1b2c3d4' },
    {
      type: 'LINK.UP',
      at,
      agentSessionId: AGENT,
      agentState: 'idle',
      historyLost: false,
      logId: 'log-1',
      plan: false,
      turnId: '',
      openRequestIds: [],
    },
    prompt(at, 'p'.repeat(26)),
    turnStarted(at, 'turn-1', 'p'.repeat(26)),
    turnEnded(at, 'turn-1', 'p'.repeat(26)),
  ];
}

/** The agent is there and nothing runs: a task (the worker's link) and a timer. */
export const idleSession = () => sessionAfter(opening(Date.now()));

/** A turn runs, a person is asked, two messages wait: as much as a session has to remember on a busy day. */
export function busySession(): Template {
  const at = Date.now();
  return sessionAfter([
    ...opening(at),
    prompt(at, 'q'.repeat(26)),
    turnStarted(at, 'turn-2', 'q'.repeat(26)),
    prompt(at, 's'.repeat(26)),
    prompt(at, 't'.repeat(26)),
  ]);
}

/** Ended by its people; it can be resumed, so its actor stays, without task or timer. */
export function stoppedSession(): Template {
  const at = Date.now();
  const stop = { type: 'COMMAND.STOP', at, ...person('z'.repeat(26)), container: false, all: false } as const;
  return sessionAfter([
    ...opening(at),
    stop,
    { type: 'SESSION.CLOSED', at, reason: 'asked', agentSessionId: '', error: '' },
    { type: 'WORKSPACE.TIDIED', at, kept: '', path: '', checkout: CHECKOUT },
  ]);
}

/** @throws Error when the chart does not take one of the events: the benchmark is older than the chart. */
function sessionAfter(events: readonly SessionEvent[]): Template {
  const definition = sessionKind();
  const address: Address = `session/${KEY}`;
  const at = Date.now();
  const start = { type: 'START', at, request: REQUEST } as const;
  let { envelope } = stepInitial(definition, address, definition.inputOf(address, start), { rev: 1, now: at });
  let rev = 1;
  for (const event of [start, ...events]) {
    rev += 1;
    const stepped = step(definition, address, envelope, event as SessionEvent & JsonObject, { rev, now: at });
    if (!stepped.handled) throw new Error(`A session does not take ${event.type}`);
    envelope = stepped.envelope;
  }
  return { envelope, rev };
}

function sessionKind(): KindDefinition {
  const found = KINDS.find(({ kind }) => kind === 'session');
  if (found === undefined) throw new Error('No kind "session"');
  return found;
}

export function sessionAt(prefix: string, index: number): Address {
  return `session/${prefix}${String(index).padStart(KEY.length - prefix.length, '0')}`;
}

/** `count` copies of a session, with what the past of each left in inbox and effects. */
export async function insertSessions(
  { pool }: Database,
  prefix: string,
  count: number,
  { envelope, rev }: Template,
): Promise<void> {
  const wakeAt = wakeAtOf(envelope) ?? null;
  const values = [prefix, count, KEY, envelope.version, rev, CONTAINER, wakeAt, JSON.stringify(envelope)];
  await pool.query({
    text: `
with k as materialized (
  select $1::text || lpad(i::text, length($3::text) - length($1::text), '0') as key from generate_series(1, $2::int) i
), past as (
  insert into inbox (actor_id, dedup_key, event, done_at)
  select 'session/' || key, 'past/' || n || '/' || key, '{"type":"OUTPUT.SEEN","at":1}', now() from k, generate_series(1, 2) n
), asked as (
  insert into effect (key, actor_id, kind, params, status, term, run_at, deadline, done_at)
  select 'session/' || key || '/2/0', 'session/' || key, 'worker.prompt', '{}', 'done', 0, now(), now(), now() from k
)
insert into actor (id, kind, key, version, rev, term, commit_id, status, parent, wake_at, state)
select 'session/' || key, 'session', key, $4::int, $5::bigint, 0, gen_random_uuid(), 'active', $6,
       to_timestamp($7::bigint / 1000.0), replace($8::text, $3, key)::jsonb
from k`,
    values,
  });
  await pool.query('vacuum analyze actor, inbox, effect');
}

/** The n-th event of an endless conversation: a person writes, the agent starts, the agent is done. */
export function conversationEvent(session: Address, n: number): InboxItem {
  const at = Date.now();
  const name = `${n - (n % 3)}`.padStart(26, 'n');
  const events = [prompt(at, name), turnStarted(at, `turn-${name}`, name), turnEnded(at, `turn-${name}`, name)];
  const event = events[n % 3];
  if (event === undefined) throw new RangeError(`${n} is no index`);
  return { to: session, event: event as SessionEvent & JsonObject, dedupKey: `${session}/bench/${n}` };
}
