/** Random walks through charts: what a number means as the next event depends on where the walk is. */
import fc from 'fast-check';
import { endTask, step, stepInitial, takeDueTimer } from '../../src/actors/step.ts';
import type { Envelope, KindDefinition } from '../../src/actors/types.ts';
import type { Address } from '../../src/machines/addresses.ts';
import type { ExternalEffect } from '../../src/machines/effects.ts';
import type { ChartEvent } from '../../src/machines/events.ts';
import type { JsonObject } from '../../src/machines/json.ts';
import { definitionFor, outcomesOf, SUBJECTS } from '../machines/exploration.ts';
import { isExternal } from '../machines/support.ts';
import { LETTERS, ODD_KINDS } from './oddCharts.ts';

type Body = JsonObject & { readonly type: string };

export interface Walked {
  readonly name: string;
  readonly definition: KindDefinition;
  readonly address: Address;
  readonly birth: Body;
  events(context: JsonObject): readonly Body[];
}

/** The real charts and the made-up ones. */
export const WALKED: readonly Walked[] = [
  ...SUBJECTS.flatMap((subject) => {
    const [birth] = subject.births;
    return birth ? [{ ...subject, definition: definitionFor(subject), birth }] : [];
  }),
  ...ODD_KINDS.map((definition) => ({
    name: definition.machine.id,
    definition,
    address: 'session/odd' as const,
    birth: { type: 'A' },
    events: () => LETTERS.map((type) => ({ type })),
  })),
];

/** One step of a walk. */
export interface Stride {
  /** The envelope it is taken from: the one before, as `prepare` leaves it. */
  readonly from: Envelope;
  /** Takes out the timer that fires, or notes the task that has ended. */
  readonly prepare: (envelope: Envelope) => Envelope;
  readonly event: ChartEvent;
  readonly rev: number;
  readonly now: number;
}

export const choices = fc.array(fc.nat(100_000), { maxLength: 60, size: 'max' });

/** Takes a walk. @param visit sees each stride before it is taken. */
export function walk(walked: Walked, numbers: readonly number[], visit: (stride: Stride) => void): Envelope {
  const { definition, address } = walked;
  let now = 1_000;
  let rev = 1;
  let pending: ExternalEffect[] = [];
  let envelope = first(walked, now);
  const go = (event: ChartEvent, prepare: Stride['prepare'] = (same) => same) => {
    rev += 1;
    const from = prepare(envelope);
    visit({ from, prepare, event, rev, now });
    const result = step(definition, address, from, event, { rev, now });
    pending.push(...result.effects.filter(isExternal));
    envelope = result.envelope;
  };
  go({ ...walked.birth, at: now });
  for (const number of numbers) {
    if (envelope.snapshot.status !== 'active') break;
    now += 7;
    const options: (() => void)[] = [];
    const due = takeDueTimer(envelope, Number.MAX_SAFE_INTEGER);
    if (due) {
      options.push(() => {
        now = Math.max(now, due.due);
        go({ ...due.event, at: now }, (same) => takeDueTimer(same, due.due)?.rest ?? same);
      });
    }
    for (const [id, { ended }] of Object.entries(envelope.tasks)) {
      if (ended) continue;
      for (const outcome of [{ type: `xstate.done.actor.${id}` }, { type: `xstate.error.actor.${id}`, error: {} }]) {
        options.push(() => go({ ...outcome, at: now }, (same) => endTask(same, id)));
      }
    }
    for (const effect of pending) {
      for (const outcome of outcomesOf(effect)) {
        options.push(() => {
          pending = pending.filter((other) => other !== effect);
          go({ ...outcome, at: now });
        });
      }
    }
    // Every other stride goes on by itself where it can: else walks through long charts would not get far.
    const own = options.length;
    for (const body of walked.events((envelope.snapshot.context ?? {}) as JsonObject)) {
      options.push(() => go({ ...body, at: now }));
    }
    const among = own > 0 && number % 2 === 0 ? own : options.length;
    options[Math.floor(number / 2) % among]?.();
  }
  return envelope;
}

export function first({ definition, address, birth }: Walked, now: number): Envelope {
  const input = definition.inputOf(address, { ...birth, at: now });
  return stepInitial(definition, address, input, { rev: 1, now }).envelope;
}
