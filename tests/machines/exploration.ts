/**
 * Walks a chart as far as representative events lead: what people and other actors send, its own timers, the ends of its
 * tasks, and both outcomes of everything it asked for. Two places count as the same when states and the facts that guards
 * ask for are the same.
 */
import { endTask, step, stepInitial, takeDueTimer } from '../../src/actors/step.ts';
import type { Envelope, KindDefinition } from '../../src/actors/types.ts';
import type { ActorKind, Address } from '../../src/machines/addresses.ts';
import type { Effect, ExternalEffect } from '../../src/machines/effects.ts';
import type { ChartEvent } from '../../src/machines/events.ts';
import type { Json, JsonObject } from '../../src/machines/json.ts';
import { by, ended, LINK_UP, prompt, READY, REQUEST, request, started, stop } from './sessionEvents.ts';
import { definitionOf, isExternal } from './support.ts';

export interface Place {
  readonly envelope: Envelope;
  /** Requests whose outcome has not come. */
  readonly pending: readonly ExternalEffect[];
  readonly rev: number;
  readonly now: number;
  /** The events that led here, for a message that helps. */
  readonly path: readonly string[];
}

interface Move {
  readonly from: Place;
  readonly event: ChartEvent;
  readonly to: Place;
  readonly effects: readonly Effect[];
}

export interface Explored {
  readonly places: readonly Place[];
  readonly moves: readonly Move[];
}

export interface Subject {
  readonly name: string;
  readonly kind: ActorKind;
  readonly address: Address;
  readonly births: readonly (JsonObject & { type: string })[];
  readonly env: Readonly<Record<string, string>>;
  /** What others may send, in this place. */
  events(context: JsonObject): readonly (JsonObject & { type: string })[];
  /** The facts besides the state that guards ask for. */
  facts(context: JsonObject): Json;
}

/** What a request gives when it is done; several where the chart tells them apart. */
const RESULTS: Readonly<Record<string, readonly JsonObject[]>> = {
  'chat.openThread': [{ channelId: 'c', rootId: 'r' }],
  'chat.card': [{ postId: 'card' }],
  'workspace.checkout': [{ path: '/w', branch: 'b' }],
  'workspace.tidy': [{ kept: '', path: '/w' }],
  'workspace.startWorker': [{ endpoint: 'e1', identity: 'i1' }],
  'workspace.inspect': [
    { found: 'worker', endpoint: 'e1' },
    { found: 'noWorker', endpoint: '' },
    { found: 'stopped', endpoint: '' },
    { found: 'gone', endpoint: '' },
  ],
  'workspace.reserve': [{ port: 50_051 }],
  'workspace.compare': [{ changed: true }, { changed: false }],
  'worker.probe': [
    { reachable: true, error: '' },
    { reachable: false, error: 'x' },
  ],
  'firewall.check': (['ask', 'granted', 'always', 'refused'] as const).map((standing) => {
    return { standing, hosts: ['pypi.org'], warnings: [], words: 'x' };
  }),
  'firewall.allow': [
    { enforced: true, late: [] },
    { enforced: false, late: [] },
  ],
};

const FAILURE = { code: 'X', message: 'm', human: 'No.' };

export function definitionFor({ kind, env }: Subject): KindDefinition {
  return definitionOf(kind, env);
}

/** @param most places at most; more than a chart of ours has. */
export function explore(subject: Subject, most: number): Explored {
  const definition = definitionFor(subject);
  const places = new Map<string, Place>();
  const moves: Move[] = [];
  const queue: Place[] = [];
  const keep = (place: Place): void => {
    const { value = null, context } = place.envelope.snapshot;
    const key = JSON.stringify([value, subject.facts(context as JsonObject)]);
    if (places.has(key)) return;
    if (places.size >= most) throw new Error(`${subject.name} has more than ${most} places`);
    places.set(key, place);
    queue.push(place);
  };
  for (const birth of subject.births) {
    const event: ChartEvent = { ...birth, at: 1_000 };
    const time = { rev: 1, now: 1_000 };
    const input = definition.inputOf(subject.address, event);
    const born = stepInitial(definition, subject.address, input, time);
    const blank: Place = { envelope: born.envelope, pending: born.effects.filter(isExternal), ...time, path: [] };
    const move = take(definition, subject, blank, born.envelope, event, undefined);
    moves.push(move);
    keep(blank);
    keep(move.to);
  }
  for (let place = queue.shift(); place !== undefined; place = queue.shift()) {
    for (const move of movesFrom(definition, subject, place)) {
      moves.push(move);
      keep(move.to);
    }
  }
  return { places: [...places.values()], moves };
}

function movesFrom(definition: KindDefinition, subject: Subject, place: Place): Move[] {
  const { envelope, pending } = place;
  const go = (from: Envelope, event: JsonObject & { type: string }, settled?: ExternalEffect, now = place.now + 1) =>
    take(definition, subject, place, from, { ...event, at: now }, settled);
  const found = subject.events(envelope.snapshot.context as JsonObject).map((event) => go(envelope, event));
  for (const id of Object.keys(envelope.timers)) {
    const entry = envelope.timers[id];
    if (!entry) continue;
    // Only this one, as if the others were due later.
    const due = takeDueTimer({ ...envelope, timers: { [id]: entry } }, entry.due);
    const { [id]: _fired, ...timers } = envelope.timers;
    if (due) found.push(go({ ...envelope, timers }, due.event, undefined, Math.max(place.now, entry.due)));
  }
  for (const [id, task] of Object.entries(envelope.tasks)) {
    if (!task.ended) found.push(go(endTask(envelope, id), { type: `xstate.error.actor.${id}`, error: FAILURE }));
  }
  for (const effect of pending) for (const outcome of outcomesOf(effect)) found.push(go(envelope, outcome, effect));
  return found;
}

/** The events that may come back for a request. */
export function outcomesOf({ kind, reply }: ExternalEffect): (JsonObject & { type: string })[] {
  const failed = reply?.failed === undefined ? [] : [{ ...FAILURE, ...reply.with, type: reply.failed }];
  const { done } = reply ?? {};
  if (done === undefined) return failed;
  return [...failed, ...(RESULTS[kind] ?? [{}]).map((result) => ({ ...result, ...reply?.with, type: done }))];
}

function take(
  definition: KindDefinition,
  subject: Subject,
  from: Place,
  envelope: Envelope,
  event: ChartEvent,
  settled: ExternalEffect | undefined,
): Move {
  const rev = from.rev + 1;
  const result = step(definition, subject.address, envelope, event, { rev, now: event.at });
  const asked = result.effects.filter(isExternal).filter(({ reply }) => reply !== undefined);
  const left = from.pending.filter((effect) => effect !== settled);
  const to: Place = {
    envelope: result.envelope,
    pending: [...left, ...asked],
    rev,
    now: event.at,
    path: [...from.path, event.type],
  };
  return { from, event, to, effects: result.effects };
}

const session: Subject = {
  name: 'session',
  kind: 'session',
  address: 'session/p0',
  env: {},
  births: [{ type: 'START', request: REQUEST }],
  events: ({ turn }) => [
    { type: 'PROMPT', ...prompt('p1') },
    { type: 'POST.DELETED', postId: 'p1' },
    { type: 'COMMAND.STOP', ...stop('s1') },
    { type: 'COMMAND.COMPACT', ...by('c1'), hint: '' },
    { type: 'COMMAND.CLEAR', ...by('c2') },
    { type: 'COMMAND.RESTART', ...by('c3') },
    { type: 'COMMAND.INTERRUPT', ...by('c4') },
    { type: 'COMMAND.RESUME', ...by('c5') },
    { type: 'COMMAND.STEER', ...by('c6'), text: 'also this', fileIds: [] },
    { type: 'COMMAND.QUEUE', ...by('c7'), drop: 'all' },
    { type: 'CONTAINER.READY', ...READY },
    { type: 'CONTAINER.PROGRESS', text: '…' },
    { type: 'CONTAINER.REFUSED', reason: 'full', next: '' },
    { type: 'CONTAINER.STOPPED' },
    { type: 'LINK.UP', ...LINK_UP },
    { type: 'LINK.UP', ...LINK_UP, agentState: 'asleep' },
    { type: 'LINK.DOWN', reason: 'x' },
    { type: 'TURN.STARTED', ...started('t1', 'p1') },
    { type: 'TURN.ENDED', ...ended(turn === null ? 't1' : String((turn as JsonObject).id), 'completed', 'p1') },
    { type: 'APPROVAL.REQUESTED', ...request('r1') },
    { type: 'APPROVAL.SETTLED', requestId: 'r1' },
    { type: 'MODE.CHANGED', plan: true },
    { type: 'MODE.CHANGED', plan: false },
    { type: 'OUTPUT.SEEN' },
    { type: 'SESSION.CLOSED', reason: 'requested', agentSessionId: 'a', error: '' },
    { type: 'SESSION.CLOSED', reason: 'other', agentSessionId: 'a', error: 'crash' },
  ],
  facts: ({ turn, sent, open, queue, rootId }) => [
    turn !== null,
    sent === null ? '' : ((sent as JsonObject).kind ?? ''),
    (open as readonly Json[]).length,
    Math.min(1, (queue as readonly Json[]).length),
    rootId !== '',
  ],
};

const container: Subject = {
  name: 'container',
  kind: 'container',
  address: 'container/acme/web@',
  env: { SM_CONTAINER_MAX_SESSIONS: '2' },
  births: [{ type: 'ATTACH', session: 'session/a', repo: REQUEST.repo, main: true }],
  events: ({ generation = 0 }) => [
    { type: 'ATTACH', session: 'session/a', repo: REQUEST.repo, main: true },
    { type: 'ATTACH', session: 'session/b', repo: REQUEST.repo, main: false },
    { type: 'DETACH', session: 'session/a', scope: 'session' },
    { type: 'DETACH', session: 'session/b', scope: 'container' },
    { type: 'KEEP', session: 'session/a', generation, main: true },
    { type: 'LOST', session: 'session/a', generation },
  ],
  facts: ({ guests }) => (guests as readonly JsonObject[]).map(({ session: guest = '' }) => guest).sort(),
};

function approval(kind: 'tool' | 'network'): Subject {
  const verdict = (outcome: string) => ({ outcome, by: { id: 'u', name: 'a' }, at: 1, words: '', answers: {} });
  return {
    name: `approval (${kind})`,
    kind: 'approval',
    address: 'approval/p0/r1',
    env: { SM_APPROVAL_TIMEOUT_SECS: '600' },
    births: [
      {
        ...request('r1'),
        type: 'REQUESTED',
        session: 'session/p0',
        kind,
        repo: 'acme/web',
        askedFor: { id: 'u', name: 'a' },
        channelId: 'c',
        rootId: 'r',
        inputJson: '{"hosts":["pypi.org"]}',
      },
    ],
    events: () => [
      { type: 'DECIDE', verdict: verdict('approved') },
      { type: 'DECIDE', verdict: { ...verdict('approved'), scope: 'repo' } },
      { type: 'DECIDE', verdict: verdict('denied') },
      { type: 'WITHDRAW', reason: 'x' },
      { type: 'RETRY' },
      { type: 'GIVEN.UP', reason: 'x' },
      { type: 'CARD.DELETED' },
      { type: 'REVOKE', reason: 'x' },
    ],
    facts: ({ verdict: taken, cardPostId, silent, opened, closed, retold, closesAt, probes }) => [
      taken === null ? '' : ((taken as JsonObject).outcome ?? ''),
      cardPostId === '',
      silent ?? false,
      opened ?? false,
      closed !== '',
      retold ?? false,
      closesAt !== 0,
      probes ?? 0,
    ],
  };
}

const gateway: Subject = {
  name: 'gateway',
  kind: 'gateway',
  address: 'gateway/root',
  env: {},
  births: [{ type: 'BOOT' }],
  events: () => [
    { type: 'BOOT' },
    { type: 'RECOVERED' },
    { type: 'DRAIN' },
    { type: 'DRAINED' },
    ...(['chat', 'vm', 'firewall'] as const).flatMap((system) => [
      { type: 'SYSTEM.UP', system },
      { type: 'SYSTEM.DOWN', system, reason: 'x' },
    ]),
    { type: 'SYSTEM.WARNING', text: 'x' },
    { type: 'CHILD.TROUBLED', address: 'session/p0', status: 'parked', reason: 'x' },
  ],
  facts: ({ gathering, down }) => [
    gathering ?? false,
    (down as readonly JsonObject[]).map(({ system }) => system ?? '').sort(),
  ],
};

/** Every kind there is; an approval once per way through it. */
export const SUBJECTS: readonly Subject[] = [session, container, approval('tool'), approval('network'), gateway];
