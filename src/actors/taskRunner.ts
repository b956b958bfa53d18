/**
 * Runs tasks as long as their states are active. Which tasks should run is what the committed envelope says; `sync` makes
 * it so. A completion carries its task's key and counts only while the envelope still has that key.
 */
import { randomUUID } from 'node:crypto';
import type { Address } from '../machines/addresses.ts';
import type { ChartEvent } from '../machines/events.ts';
import type { Clock } from './clock.ts';
import { failureOf } from './errors.ts';
import type { Log } from './log.ts';
import type { InnerItem } from './store.ts';
import { cleanJson, toPlain } from './text.ts';
import type { TaskEntry, TaskRunners } from './types.ts';

export interface TaskSet {
  /** Starts and aborts tasks until exactly those of the envelope run. */
  sync(address: Address, tasks: Readonly<Record<string, TaskEntry>>): void;
  /** Aborts all and resolves when none runs, or after `graceMs` with the number of those that do not listen. */
  stop(graceMs: number): Promise<number>;
  running(): number;
}

export interface TaskSetOptions {
  readonly runners: TaskRunners;
  readonly clock: Clock;
  readonly log: Log;
  readonly term: number;
  /** Puts an event into an inbox; resolves when committed, keeps trying while this process leads. */
  deliver(item: InnerItem): Promise<void>;
}

export function createTaskSet({ runners, clock, log, term, deliver }: TaskSetOptions): TaskSet {
  const byActor = new Map<Address, Map<string, { readonly key: string; readonly abort: AbortController }>>();
  const inFlight = new Set<Promise<void>>();
  let stopped = false;

  function sync(address: Address, tasks: Readonly<Record<string, TaskEntry>>): void {
    const current = byActor.get(address);
    for (const [id, task] of current ?? []) {
      if (tasks[id]?.key === task.key) continue;
      task.abort.abort(new Error('the state was left'));
      current?.delete(id);
    }
    if (stopped) return;
    for (const [id, entry] of Object.entries(tasks)) {
      if (!entry.ended && current?.get(id) === undefined) start(address, id, entry);
    }
    if (byActor.get(address)?.size === 0) byActor.delete(address);
  }

  function start(address: Address, id: string, { key, src, input }: TaskEntry): void {
    const abort = new AbortController();
    const tasks = byActor.get(address) ?? new Map();
    byActor.set(address, tasks.set(id, { key, abort }));
    const { signal } = abort;
    const emit = async (event: ChartEvent, dedupKey?: string) => {
      signal.throwIfAborted();
      await deliver({
        to: address,
        event: cleanJson(event),
        dedupKey: dedupKey ?? `${key}/${randomUUID()}`,
        cause: key,
      });
    };
    const runner = runners[src];
    const run = (async () => {
      let event: ChartEvent;
      try {
        if (runner === undefined) throw new Error(`no task runner "${src}"`);
        const output = await runner({ key, actor: address, id, input }, { signal, term, log, emit });
        event = toPlain<ChartEvent>({ type: `xstate.done.actor.${id}`, at: clock.now(), output, actorId: id }).json;
      } catch (error) {
        if (!signal.aborted) log.warn({ task: key, err: error }, 'task failed');
        const fields = { type: `xstate.error.actor.${id}`, at: clock.now(), error: failureOf(error), actorId: id };
        event = toPlain<ChartEvent>(fields).json;
      }
      if (signal.aborted) return;
      await deliver({ to: address, event, dedupKey: `${key}/end`, cause: key, taskKey: key });
    })()
      .catch((error: unknown) => {
        if (!signal.aborted) log.error({ task: key, err: error }, 'the end of a task could not be delivered');
      })
      .finally(() => inFlight.delete(run));
    inFlight.add(run);
  }

  return {
    sync,
    async stop(graceMs) {
      stopped = true;
      for (const tasks of byActor.values()) for (const { abort } of tasks.values()) abort.abort(new Error('stopping'));
      byActor.clear();
      let cancel: () => void = () => {};
      const tooLong = new Promise<void>((resolve) => {
        cancel = clock.after(graceMs, resolve);
      });
      await Promise.race([Promise.all(inFlight), tooLong]);
      cancel();
      return inFlight.size;
    },
    running: () => inFlight.size,
  };
}
