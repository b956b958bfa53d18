/**
 * The only file that knows XState's inside. Everything else sees `decide`, `begin`, `restore` and `persist`.
 *
 * XState's public `transition()` builds a throw-away actor for every call. Here one inert actor scope per machine is
 * reused: the same machine code runs, several times faster. A contract test walks random paths and compares the two.
 *
 * What is relied on (xstate ~5.33): `machine.transition(snapshot, event, scope)` hands every action to
 * `scope.actionExecutor` in order; built-in actions come with `params`; `restoreSnapshot` rebuilds `children` from
 * `{snapshot, src, syncSnapshot}` and keeps references into its argument, so it is given a clone.
 */
import { type AnyMachineSnapshot, type AnyStateMachine, createEmptyActor } from 'xstate';
import type { JsonObject } from '../machines/json.ts';
import { isDelay, withCheckedDelays } from './delays.ts';
import { toPlain } from './text.ts';

/** What one transition asked for, in order. */
export type Asked =
  | { readonly type: 'custom'; readonly name: string; call(at: number): unknown }
  | {
      readonly type: 'raise';
      readonly id: string | undefined;
      readonly delay: number;
      readonly event: JsonObject & { readonly type: string };
    }
  | { readonly type: 'cancel'; readonly id: string }
  | { readonly type: 'spawn'; readonly id: string; readonly src: string; readonly input: unknown }
  | { readonly type: 'stop'; readonly id: string }
  | { readonly type: 'refused'; readonly name: string };

export interface Stepped {
  readonly snapshot: AnyMachineSnapshot;
  readonly asked: readonly Asked[];
}

type Scope = NonNullable<Parameters<AnyStateMachine['getInitialSnapshot']>[0]>;
type Persisted = Parameters<AnyStateMachine['restoreSnapshot']>[0];
type Collected = Parameters<Scope['actionExecutor']>[0];

const scopes = new WeakMap<AnyStateMachine, Scope>();

function scopeOf(machine: AnyStateMachine): Scope {
  let scope = scopes.get(machine);
  if (scope === undefined) {
    // An actor that never runs: children need a parent and a system to belong to.
    const self = createEmptyActor() as Scope['self'];
    scope = {
      self,
      system: self.system,
      id: '',
      sessionId: '',
      logger: () => {},
      defer: () => {},
      emit: () => {},
      stopChild: () => {},
      actionExecutor: () => {},
    };
    scopes.set(machine, scope);
  }
  return scope;
}

function collecting<Result>(
  given: AnyStateMachine,
  run: (machine: AnyStateMachine, scope: Scope) => Result,
): [Result, Asked[]] {
  const machine = withCheckedDelays(given);
  const collected: Collected[] = [];
  const scope: Scope = {
    ...scopeOf(machine),
    actionExecutor: (action) => {
      collected.push(action);
    },
  };
  const result = run(machine, scope);
  return [result, collected.map((action) => readAction(machine, action))];
}

/** One event through the chart. @throws whatever a guard, an assignment or a delay throws. */
export function decide(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  event: JsonObject & { readonly type: string },
): Stepped {
  const [next, asked] = collecting(machine, (checked, scope) => checked.transition(snapshot, event, scope));
  return { snapshot: next, asked };
}

/** The chart's initial state. @throws what its context function or an initial action throws. */
export function begin(machine: AnyStateMachine, input: JsonObject): Stepped {
  const [snapshot, asked] = collecting(machine, (checked, scope) => checked.getInitialSnapshot(scope, input));
  if (snapshot.status === 'error') throw snapshot.error;
  return { snapshot, asked };
}

/** Whether the chart has a transition that this event enables now. A transition that changes nothing counts. */
export function isEnabled(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  event: JsonObject & { readonly type: string },
): boolean {
  return withCheckedDelays(machine).getTransitionData(snapshot, event).length > 0;
}

/** Plain JSON of a snapshot, without its children; `cleaned` if its text had to be changed to be storable. */
export function persist(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
): { json: JsonObject; cleaned: boolean } {
  const { children: _children, ...rest } = withCheckedDelays(machine).getPersistedSnapshot(snapshot) as JsonObject;
  return toPlain<JsonObject>(rest);
}

/** A live snapshot out of what `persist` gave, with a stand-in for every task so that leaving a state can stop it. */
export function restore(
  machine: AnyStateMachine,
  persisted: JsonObject,
  tasks: Readonly<Record<string, { readonly src: string }>>,
): AnyMachineSnapshot {
  const children: Record<string, unknown> = {};
  for (const [id, task] of Object.entries(tasks)) {
    children[id] = { snapshot: { status: 'active' }, src: task.src, syncSnapshot: false };
  }
  const snapshot: unknown = { ...structuredClone(persisted), children };
  const checked = withCheckedDelays(machine);
  return checked.restoreSnapshot(snapshot as Persisted, scopeOf(checked)) as AnyMachineSnapshot;
}

export interface Wanted {
  readonly spawns: readonly { readonly id: string; readonly src: string; readonly input: unknown }[];
  readonly timers: readonly {
    readonly id: string;
    readonly delay: number;
    readonly event: JsonObject & { readonly type: string };
  }[];
}

/** What the active states of a snapshot ask for: tasks by id and the ids of their `after` timers with their delays. */
export function wanted(
  given: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  event: JsonObject & { readonly type: string },
): Wanted {
  const machine = withCheckedDelays(given);
  const args = { context: snapshot.context, event, self: scopeOf(machine).self };
  const spawns: Wanted['spawns'][number][] = [];
  const timers: Wanted['timers'][number][] = [];
  for (const node of snapshot._nodes) {
    for (const invoke of node.invoke) {
      const input: unknown = typeof invoke.input === 'function' ? invoke.input(args) : invoke.input;
      spawns.push({ id: invoke.id, src: String(invoke.src), input });
    }
    for (const { delay, eventType } of node.after) {
      const ms = delayOf(machine, delay, args);
      timers.push({ id: eventType, delay: ms, event: { type: eventType } });
    }
  }
  return { spawns, timers };
}

function delayOf(machine: AnyStateMachine, delay: unknown, args: { context: unknown; event: unknown }): number {
  if (typeof delay === 'number') return delay;
  const named: unknown = typeof delay === 'string' ? machine.implementations.delays[delay] : delay;
  const ms: unknown = typeof named === 'function' ? named(args, undefined) : named;
  if (!isDelay(ms)) throw new Error(`Delay ${String(delay)} gives ${String(ms)} ms`);
  return ms;
}

function readAction(machine: AnyStateMachine, action: Collected): Asked {
  const params = (action.params ?? {}) as Record<string, unknown>;
  switch (action.type) {
    case 'xstate.raise': {
      const event = params.event as JsonObject & { readonly type: string };
      // Without a delay XState has handled it within the same step already.
      if (typeof params.delay !== 'number') return { type: 'custom', name: 'xstate.raise', call: () => undefined };
      if (!isDelay(params.delay)) throw new Error(`Event "${event.type}" is raised after ${params.delay} ms`);
      return { type: 'raise', id: params.id as string | undefined, delay: params.delay, event };
    }
    case 'xstate.cancel':
      return { type: 'cancel', id: String(params.sendId) };
    case 'xstate.spawnChild':
      return { type: 'spawn', id: String(params.id), src: String(params.src), input: params.input };
    case 'xstate.stopChild':
      return { type: 'stop', id: stoppedId(action.params) };
    case 'xstate.log':
      return { type: 'custom', name: 'xstate.log', call: () => undefined };
  }
  const { exec, info, type } = action;
  if (type.startsWith('xstate.') || exec === undefined || machine.implementations.actions[type] !== exec) {
    return { type: 'refused', name: type };
  }
  return { type: 'custom', name: type, call: (at) => callNamed(exec, info, action.params, at) };
}

/** `at` is set for the few events that XState makes itself within a step (initial, done, eventless). */
function callNamed(exec: unknown, info: { context: unknown; event: object }, params: unknown, at: number): unknown {
  const event = 'at' in info.event ? info.event : { ...info.event, at };
  return (exec as (input: { context: unknown; event: unknown }, params: unknown) => unknown)(
    { context: info.context, event },
    params,
  );
}

function stoppedId(child: unknown): string {
  return typeof child === 'object' && child !== null && 'id' in child ? String(child.id) : '';
}
