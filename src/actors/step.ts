/**
 * The pure core: an envelope and an event make the next envelope and what is asked of the world. No clock, no ids, no I/O.
 *
 * Guaranteed: the same envelope and event give the same result, also after a trip through JSON. Nothing given is changed.
 */
import type { AnyMachineSnapshot } from 'xstate';
import type { Address } from '../machines/addresses.ts';
import type { Effect } from '../machines/effects.ts';
import type { ChartEvent } from '../machines/events.ts';
import type { JsonObject } from '../machines/json.ts';
import { type Asked, begin, decide, isEnabled, persist, restore, type Stepped } from './scope.ts';
import { toPlain } from './text.ts';
import type { ActorStatus, Envelope, KindDefinition, TaskEntry, TimerEntry } from './types.ts';

export interface StepResult {
  readonly envelope: Envelope;
  readonly effects: readonly Effect[];
  /** False: the chart has no transition for this event now; nothing changed. */
  readonly handled: boolean;
  readonly status: ActorStatus;
}

export interface StepTime {
  /** The revision this step makes; part of the keys of tasks. */
  readonly rev: number;
  /** When it is decided. Timers count from here: an event that waited in the inbox does not make them late. */
  readonly now: number;
}

/** Live snapshots of envelopes made in this process, so that a hot actor is not rebuilt for every event. */
const live = new WeakMap<Envelope, AnyMachineSnapshot>();

function snapshotOf(definition: KindDefinition, envelope: Envelope): AnyMachineSnapshot {
  let snapshot = live.get(envelope);
  if (snapshot === undefined) {
    snapshot = restore(definition.machine, envelope.snapshot, envelope.tasks);
    live.set(envelope, snapshot);
  }
  return snapshot;
}

/**
 * One event.
 * @throws what the chart throws, and for actions that the runtime cannot make durable.
 */
export function step(
  definition: KindDefinition,
  address: Address,
  envelope: Envelope,
  event: ChartEvent,
  { rev, now }: StepTime,
): StepResult {
  const before = snapshotOf(definition, envelope);
  const stepped = decide(definition.machine, before, event);
  if (stepped.snapshot === before && stepped.asked.length === 0 && !isEnabled(definition.machine, before, event)) {
    return { envelope, effects: [], handled: false, status: statusOf(before) };
  }
  return apply(definition, address, envelope, stepped, { at: event.at, now, rev });
}

/** The first step of an actor. */
export function stepInitial(
  definition: KindDefinition,
  address: Address,
  input: JsonObject,
  { rev, now }: StepTime,
): StepResult {
  const empty: Envelope = { version: definition.version, snapshot: {}, timers: {}, tasks: {} };
  return apply(definition, address, empty, begin(definition.machine, input), { at: now, now, rev });
}

/** The first step of an actor: made from its birth event, which is then offered to its initial state. */
export function birthStep(definition: KindDefinition, address: Address, event: ChartEvent, time: StepTime): StepResult {
  const born = stepInitial(definition, address, definition.inputOf(address, event), time);
  if (born.status !== 'active') return born;
  const offered = step(definition, address, born.envelope, event, time);
  return { ...offered, handled: true, effects: [...born.effects, ...offered.effects] };
}

function apply(
  definition: KindDefinition,
  address: Address,
  envelope: Envelope,
  { snapshot, asked }: Stepped,
  { at, now, rev }: StepTime & { readonly at: number },
): StepResult {
  const timers: Record<string, TimerEntry> = { ...envelope.timers };
  const tasks: Record<string, TaskEntry> = { ...envelope.tasks };
  const effects: Effect[] = [];
  for (const [index, wish] of asked.entries()) {
    if (wish.type === 'custom') effects.push(...effectsOf(wish, at));
    else record(wish, { address, definition, timers, tasks, now, rev, index });
  }
  const status = statusOf(snapshot);
  const over = status !== 'active';
  const persisted = persist(definition.machine, snapshot);
  const next: Envelope = {
    version: definition.version,
    snapshot: persisted.json,
    timers: over ? {} : timers,
    tasks: over ? {} : tasks,
  };
  if (!persisted.cleaned) live.set(next, snapshot);
  return { envelope: next, effects, handled: true, status };
}

interface Recording {
  readonly address: Address;
  readonly definition: KindDefinition;
  readonly timers: Record<string, TimerEntry>;
  readonly tasks: Record<string, TaskEntry>;
  readonly now: number;
  readonly rev: number;
  readonly index: number;
}

/** Timers and tasks are part of the envelope: asked for again, an entry is replaced, never doubled. */
function record(wish: Exclude<Asked, { type: 'custom' }>, into: Recording): void {
  switch (wish.type) {
    case 'raise': {
      const id = wish.id ?? `raise/${into.rev}/${into.index}`;
      into.timers[id] = { due: into.now + Math.max(0, Math.round(wish.delay)), event: plain(wish.event) };
      return;
    }
    case 'cancel':
      delete into.timers[wish.id];
      return;
    case 'spawn':
      into.tasks[wish.id] = {
        key: `${into.address}/${into.rev}/${wish.id}`,
        src: wish.src,
        input: plain(wish.input ?? {}),
      };
      return;
    case 'stop':
      delete into.tasks[wish.id];
      return;
    case 'refused':
      throw new Error(
        `Chart "${into.definition.machine.id}" used action "${wish.name}", which cannot be made durable: ` +
          'name it in setup() and let it return an effect',
      );
  }
}

function plain<Value>(value: Value): Value & JsonObject {
  return toPlain<Value & JsonObject>(value).json;
}

function effectsOf(wish: Extract<Asked, { type: 'custom' }>, at: number): readonly Effect[] {
  const value = wish.call(at);
  if (value === undefined || value === null) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  for (const item of list) {
    if (typeof item !== 'object' || item === null || !('kind' in item) || typeof item.kind !== 'string') {
      throw new Error(`Action "${wish.name}" returned something that is not an effect: ${JSON.stringify(item)}`);
    }
  }
  return plain({ list }).list as readonly Effect[];
}

function statusOf(snapshot: AnyMachineSnapshot): ActorStatus {
  switch (snapshot.status) {
    case 'active':
      return 'active';
    case 'done':
      return 'done';
    case 'error':
    case 'stopped':
      return 'error';
  }
}

/** Tags of the states an envelope is in, for people and status pages. */
export function tagsOf(definition: KindDefinition, envelope: Envelope): readonly string[] {
  return [...snapshotOf(definition, envelope).tags].map(String).sort();
}

/** The earliest timer; undefined if there is none. */
export function wakeAtOf(envelope: Envelope): number | undefined {
  let earliest: number | undefined;
  for (const { due } of Object.values(envelope.timers)) {
    if (earliest === undefined || due < earliest) earliest = due;
  }
  return earliest;
}

/** The next timer due at `now`, and the envelope without it: a timer fires once. */
export function takeDueTimer(
  envelope: Envelope,
  now: number,
): { readonly id: string; readonly due: number; readonly event: ChartEvent; readonly rest: Envelope } | undefined {
  let first: { id: string; entry: TimerEntry } | undefined;
  for (const [id, entry] of Object.entries(envelope.timers)) {
    if (entry.due <= now && (first === undefined || entry.due < first.entry.due)) first = { id, entry };
  }
  if (first === undefined) return undefined;
  const { [first.id]: _fired, ...timers } = envelope.timers;
  const { type, ...fields } = first.entry.event;
  return {
    id: first.id,
    due: first.entry.due,
    event: { ...fields, type, at: now },
    rest: withSnapshotOf(envelope, { ...envelope, timers }),
  };
}

/** The task ended: it stays known to its state, but is not started again. */
export function endTask(envelope: Envelope, id: string): Envelope {
  const entry = envelope.tasks[id];
  if (entry === undefined) return envelope;
  const tasks = { ...envelope.tasks, [id]: { ...entry, ended: true as const } };
  return withSnapshotOf(envelope, { ...envelope, tasks });
}

/** Timers and tasks are not part of XState's snapshot, so the live one serves both envelopes. */
function withSnapshotOf(from: Envelope, to: Envelope): Envelope {
  const snapshot = live.get(from);
  if (snapshot !== undefined) live.set(to, snapshot);
  return to;
}
