/**
 * Drives one chart through the pure core, as the runtime does: through JSON between two steps, with timers and tasks of the
 * envelope, and with the outcomes of effects as their `reply` names them.
 */
import { complaintsOf } from '../../src/actors/register.ts';
import { step, stepInitial, tagsOf, takeDueTimer } from '../../src/actors/step.ts';
import type { Envelope, KindDefinition, TaskEntry } from '../../src/actors/types.ts';
import { loadConfig } from '../../src/config.ts';
import { kindsOf } from '../../src/flows/kinds.ts';
import type { ActorKind, Address } from '../../src/machines/addresses.ts';
import type { Effect, ExternalEffect, ExternalKind } from '../../src/machines/effects.ts';
import type { ChartEvent } from '../../src/machines/events.ts';
import type { Json, JsonObject } from '../../src/machines/json.ts';

const ENV = {
  SM_MATTERMOST_URL: 'http://127.0.0.1:1',
  SM_MATTERMOST_TOKEN: 'token',
  SM_MATTERMOST_TEAM_ID: 'a'.repeat(26),
  SM_CALLBACK_SECRET: '0123456789abcdef0123456789abcdef',
  SM_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
  SM_WORKSPACE: 'local',
  SM_FIREWALL: 'none',
};

const known = new Map<string, readonly KindDefinition[]>();

export function definitions(env: Readonly<Record<string, string>> = {}): readonly KindDefinition[] {
  const key = JSON.stringify(env);
  const found = known.get(key);
  if (found) return found;
  const loaded = loadConfig({ ...ENV, ...env }, () => '');
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const kinds = kindsOf(loaded.config);
  known.set(key, kinds);
  return kinds;
}

export function definitionOf(kind: ActorKind, env: Readonly<Record<string, string>> = {}): KindDefinition {
  const definition = definitions(env).find((each) => each.kind === kind);
  if (!definition) throw new Error(`no kind ${kind}`);
  return definition;
}

export const complaints = (definition: KindDefinition) => complaintsOf(definition, { workerLink: async () => {} });

export function isExternal(effect: Effect): effect is ExternalEffect {
  return 'params' in effect;
}

export interface Driven {
  send(type: string, fields?: JsonObject): readonly Effect[];
  /** The oldest request of this kind that has no outcome yet is done. */
  done(kind: ExternalKind, result?: JsonObject): readonly Effect[];
  /** It has failed for good. */
  fails(kind: ExternalKind, human?: string, code?: string): readonly Effect[];
  /** Time passes; what falls due fires. */
  wait(ms: number): readonly Effect[];
  value(): Json;
  context(): JsonObject;
  tags(): readonly string[];
  tasks(): Readonly<Record<string, TaskEntry>>;
  timers(): readonly string[];
  envelope(): Envelope;
  now(): number;
  /** Everything asked for so far. */
  readonly asked: Effect[];
  /** Requests that wait for their outcome. */
  readonly pending: ExternalEffect[];
  /** Types of events for which the chart had no transition. */
  readonly unhandled: string[];
  kinds(): string[];
}

/** @param birth the event that creates the actor; it is offered to the new chart at once */
export function drive(kind: ActorKind, address: Address, birth: JsonObject & { type: string }, env = {}): Driven {
  const definition = definitionOf(kind, env);
  const asked: Effect[] = [];
  const pending: ExternalEffect[] = [];
  const unhandled: string[] = [];
  let at = 1_000;
  let rev = 1;
  const first: ChartEvent = { ...birth, at };
  const born = stepInitial(definition, address, definition.inputOf(address, first), { now: at, rev });
  asked.push(...born.effects);
  let envelope: Envelope = born.envelope;

  const take = (event: ChartEvent, from: Envelope): readonly Effect[] => {
    rev += 1;
    const stored = JSON.parse(JSON.stringify(from)) as Envelope;
    const result = step(definition, address, stored, event, { rev, now: at });
    envelope = result.envelope;
    asked.push(...result.effects);
    pending.push(...result.effects.filter(isExternal).filter((effect) => effect.reply !== undefined));
    if (!result.handled) unhandled.push(event.type);
    return result.effects;
  };
  const send = (type: string, fields: JsonObject = {}): readonly Effect[] => {
    at += 10;
    return take({ ...fields, type, at }, envelope);
  };
  const conclude = (wanted: ExternalKind, outcome: 'done' | 'failed', fields: JsonObject): readonly Effect[] => {
    const index = pending.findIndex((effect) => effect.kind === wanted);
    const [effect] = index < 0 ? [] : pending.splice(index, 1);
    if (!effect) throw new Error(`nothing pending of ${wanted}`);
    const type = effect.reply?.[outcome];
    return type === undefined ? [] : send(type, { ...fields, ...effect.reply?.with });
  };
  send(birth.type, birth);
  return {
    send,
    asked,
    pending,
    unhandled,
    done: (wanted, result = {}) => conclude(wanted, 'done', result),
    fails: (wanted, human = 'No.', code = 'X') => conclude(wanted, 'failed', { code, message: 'm', human }),
    wait(ms) {
      const effects: Effect[] = [];
      const end = at + ms;
      for (;;) {
        const timer = takeDueTimer(envelope, end);
        if (!timer) break;
        at = Math.max(at, timer.due);
        effects.push(...take({ ...timer.event, at }, timer.rest));
      }
      at = end;
      return effects;
    },
    value: () => envelope.snapshot.value ?? null,
    context: () => envelope.snapshot.context as JsonObject,
    tags: () => tagsOf(definition, envelope),
    tasks: () => envelope.tasks,
    timers: () => Object.keys(envelope.timers),
    envelope: () => envelope,
    now: () => at,
    kinds: () => asked.map((effect) => effect.kind),
  };
}

export const said = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.kind === 'say' ? [effect.text] : []));
export const prompted = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.kind === 'worker.prompt' ? [effect.params.inputId] : []));
export const kindsIn = (effects: readonly Effect[]) => effects.map((effect) => effect.kind);
export const tells = (effects: readonly Effect[], type: string) =>
  effects.flatMap((effect) => (effect.kind === 'tell' && effect.event.type === type ? [effect] : []));
/** Who is told of it. */
export const told = (effects: readonly Effect[], type: string) => tells(effects, type).map(({ to }) => to);
