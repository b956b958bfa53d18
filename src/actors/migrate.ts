/**
 * Envelopes of older charts: upcast step by step, then reconciled. What the active states ask for and is missing is
 * started; tasks and timers that no active state asks for are dropped. Delayed raises are kept: no state owns them.
 */
import type { Address } from '../machines/addresses.ts';
import { restore, wanted } from './scope.ts';
import type { Envelope, KindDefinition, TaskEntry, TimerEntry } from './types.ts';

/** @throws Error for an envelope newer than the chart, and what a migration throws. */
export function upcast(
  definition: KindDefinition,
  address: Address,
  stored: Envelope,
  { rev, now }: { readonly rev: number; readonly now: number },
): Envelope {
  if (stored.version === definition.version) return stored;
  if (stored.version > definition.version) {
    throw new Error(`${address} was written by chart version ${stored.version}; this is ${definition.version}`);
  }
  let envelope = stored;
  for (let version = stored.version; version < definition.version; version += 1) {
    const migrate = definition.migrate?.[version];
    if (migrate === undefined) throw new Error(`Chart "${definition.kind}" has no migration from version ${version}`);
    envelope = { ...migrate(envelope), version: version + 1 };
  }
  return reconcile(definition, address, envelope, { rev, now });
}

function reconcile(
  definition: KindDefinition,
  address: Address,
  envelope: Envelope,
  { rev, now }: { readonly rev: number; readonly now: number },
): Envelope {
  if (envelope.snapshot.status !== 'active') return { ...envelope, timers: {}, tasks: {} };
  const snapshot = restore(definition.machine, envelope.snapshot, envelope.tasks);
  const asked = wanted(definition.machine, snapshot, { type: 'runtime.migrated', at: now });
  const tasks: Record<string, TaskEntry> = {};
  for (const spawn of asked.spawns) {
    const input = JSON.parse(JSON.stringify(spawn.input ?? {})) as TaskEntry['input'];
    const kept = envelope.tasks[spawn.id];
    tasks[spawn.id] = kept?.src === spawn.src ? kept : { key: `${address}/${rev}/${spawn.id}`, src: spawn.src, input };
  }
  const timers: Record<string, TimerEntry> = {};
  for (const [id, timer] of Object.entries(envelope.timers)) {
    if (!id.startsWith('xstate.after.')) timers[id] = timer;
  }
  for (const timer of asked.timers) {
    timers[timer.id] = envelope.timers[timer.id] ?? { due: now + timer.delay, event: timer.event };
  }
  return { ...envelope, timers, tasks };
}
