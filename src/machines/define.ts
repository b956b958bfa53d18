/**
 * How chart authors write actions and tasks.
 *
 * XState types a custom action as a function that returns nothing. Here an action is pure and returns what it wants done;
 * these helpers check the returned value and hand XState the type it expects.
 *
 * ```ts
 * const { effect } = chart<Context, Events>();
 * const machine = setup({
 *   types: {} as { context: Context; events: Events; input: Input },
 *   actors: { link: task<{ endpoint: string }>() },
 *   actions: { tellContainer: effect(({ context, event }) => ({ kind: 'tell', to: context.container, event: {...} })) },
 * }).createMachine({ ... });
 * ```
 *
 * Rules that the runtime checks when a machine is registered: actions are named; `invoke` has an explicit `id` and a
 * registered `src`; no `sendTo`, `sendParent`, `spawnChild`, `emit`, inline actions or nested machines.
 */
import { fromPromise, type PromiseActorLogic } from 'xstate';
import type { Effect } from './effects.ts';
import type { ChartEvent } from './events.ts';
import type { JsonObject } from './json.ts';

/** What one action may ask for. */
export type Asked = Effect | readonly Effect[] | undefined;

/** What an action is given: the context after the assignments before it, and the event with the time it was seen. */
export interface ActionInput<Context, Event> {
  readonly context: Context;
  readonly event: Event;
}

export interface ChartHelpers<Context, Event> {
  /** Declares a named action that asks for effects. `event.at` is always set, also in entry actions of the initial state. */
  effect<Params = unknown>(
    ask: (input: ActionInput<Context, Event>, params: Params) => Asked,
  ): (input: ActionInput<Context, Event>, params: Params) => void;
}

/** The helpers of one chart, typed with its context and the union of its events. */
export function chart<Context extends JsonObject, Event extends ChartEvent>(): ChartHelpers<Context, Event> {
  return { effect: (ask) => ask };
}

/**
 * Declares a durable task for `setup({ actors })`. The chart never runs it: the runtime starts the runner registered under
 * the same name after the commit, and its completion comes back as `xstate.done.actor.<id>` or `xstate.error.actor.<id>`.
 */
export function task<Input extends JsonObject = JsonObject, Output = JsonObject | undefined>(): PromiseActorLogic<
  Output,
  Input
> {
  return fromPromise<Output, Input>(() => new Promise<Output>(() => {}));
}
