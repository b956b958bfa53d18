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

/** One step of a walk: the envelope it is taken from and the event. */
export interface Stride {
  readonly from: Envelope;
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
  const go = (from: Envelope, event: ChartEvent) => {
    rev += 1;
    visit({ from, event, rev, now });
    const result = step(definition, address, from, event, { rev, now });
    pending.push(...result.effects.filter(isExternal));
    envelope = result.envelope;
  };
  go(envelope, { ...walked.birth, at: now });
  for (const number of numbers) {
    if (envelope.snapshot.status !== 'active') break;
    now += 7;
    const options: (() => void)[] = [];
    const due = takeDueTimer(envelope, Number.MAX_SAFE_INTEGER);
    if (due) {
      options.push(() => {
        now = Math.max(now, due.due);
        go(due.rest, { ...due.event, at: now });
      });
    }
    for (const [id, { ended }] of Object.entries(envelope.tasks)) {
      if (ended) continue;
      for (const outcome of [{ type: `xstate.done.actor.${id}` }, { type: `xstate.error.actor.${id}`, error: {} }]) {
        options.push(() => go(endTask(envelope, id), { ...outcome, at: now }));
      }
    }
    for (const effect of pending) {
      for (const outcome of outcomesOf(effect)) {
        options.push(() => {
          pending = pending.filter((other) => other !== effect);
          go(envelope, { ...outcome, at: now });
        });
      }
    }
    for (const body of walked.events((envelope.snapshot.context ?? {}) as JsonObject)) {
      options.push(() => go(envelope, { ...body, at: now }));
    }
    options[number % options.length]?.();
  }
  return envelope;
}

export function first({ definition, address, birth }: Walked, now: number): Envelope {
  const input = definition.inputOf(address, { ...birth, at: now });
  return stepInitial(definition, address, input, { rev: 1, now }).envelope;
}
