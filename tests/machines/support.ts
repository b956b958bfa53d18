/** Drives one chart through the pure core, as the runtime does, and keeps what it asked for. */
import { complaintsOf } from '../../src/actors/register.ts';
import { step, stepInitial } from '../../src/actors/step.ts';
import type { Envelope, KindDefinition } from '../../src/actors/types.ts';
import { loadConfig } from '../../src/config.ts';
import { kindsOf } from '../../src/flows/kinds.ts';
import type { ActorKind, Address } from '../../src/machines/addresses.ts';
import type { Effect } from '../../src/machines/effects.ts';
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

export function definitions(env: Readonly<Record<string, string>> = {}): readonly KindDefinition[] {
  const loaded = loadConfig({ ...ENV, ...env }, () => '');
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return kindsOf(loaded.config);
}

export const complaints = (definition: KindDefinition) => complaintsOf(definition, { workerLink: async () => {} });

export interface Driven {
  send(type: string, fields?: JsonObject): readonly Effect[];
  value(): Json;
  context(): JsonObject;
  /** Everything asked for so far. */
  readonly asked: Effect[];
  kinds(): string[];
}

/** @param birth the event that creates the actor; it is offered to the new chart at once */
export function drive(kind: ActorKind, address: Address, birth: JsonObject & { type: string }, env = {}): Driven {
  const definition = definitions(env).find((each) => each.kind === kind);
  if (!definition) throw new Error(`no kind ${kind}`);
  const asked: Effect[] = [];
  let at = 1_000;
  let rev = 1;
  const first: ChartEvent = { ...birth, at };
  const born = stepInitial(definition, address, definition.inputOf(address, first), { now: at, rev });
  asked.push(...born.effects);
  let envelope: Envelope = born.envelope;
  const send = (type: string, fields: JsonObject = {}): readonly Effect[] => {
    at += 10;
    rev += 1;
    // Through JSON and back, as between two processes.
    const stored = JSON.parse(JSON.stringify(envelope)) as Envelope;
    const result = step(definition, address, stored, { ...fields, type, at }, { rev, now: at });
    envelope = result.envelope;
    asked.push(...result.effects);
    return result.effects;
  };
  send(birth.type, birth);
  return {
    send,
    asked,
    value: () => envelope.snapshot.value ?? null,
    context: () => envelope.snapshot.context as JsonObject,
    kinds: () => asked.map((effect) => effect.kind),
  };
}
