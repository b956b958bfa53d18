/** Envelopes of earlier chart versions, made into those of the next. Golden envelopes of every version must load. */
import type { Envelope } from '../actors/index.ts';
import { NO_MACHINE } from '../machines/container/context.ts';
import type { Json, JsonObject } from '../machines/json.ts';

type Migrations = Readonly<Record<number, (envelope: Envelope) => Envelope>>;

function withContext(envelope: Envelope, change: (context: JsonObject) => JsonObject): Envelope {
  const { snapshot } = envelope;
  const context = (snapshot.context ?? {}) as JsonObject;
  return { ...envelope, snapshot: { ...snapshot, context: { ...context, ...change(context) } } };
}

export const SESSION_MIGRATIONS: Migrations = {
  // A session can change its model, who is answered, and be asked for a title.
  1: (envelope) =>
    withContext(envelope, ({ request, checkout, turn, queue, limits }) => ({
      titleFor: '',
      model: (request as JsonObject).model ?? '',
      audience: 'everyone',
      // Nobody told it; its first turn is long over.
      briefed: true,
      undelivered: [],
      verbosity: '',
      ownTurns: 0,
      raisedUsd: 0,
      limits: { ...(limits as JsonObject), ownTurns: 0 },
      turn: turn ? { ...(turn as JsonObject), by: (request as JsonObject).owner ?? null } : null,
      queue: ((queue ?? []) as readonly JsonObject[]).map((prompt) => ({ ...prompt, authorId: '', undelivered: [] })),
      // Without containers both names of the checkout are the same.
      cwd: checkout ?? '',
    })),
  // Who was heard is kept. Of those who were before, those are known whose words are still there.
  2: (envelope) =>
    withContext(envelope, ({ turn, queue }) => {
      const { by, also } = (turn ?? {}) as { readonly by?: JsonObject; readonly also?: readonly JsonObject[] };
      const prompts = ((queue ?? []) as readonly JsonObject[]).filter(({ sent }) => sent === true);
      const authors = prompts.map(({ authorId = '', author = '' }) => ({ id: authorId, name: author }));
      const people = [...(by ? [by] : []), ...(also ?? []), ...authors].filter(({ id }) => id !== '');
      return { heard: [...new Map(people.map((person) => [person.id, person])).values()] };
    }),
};

export const CONTAINER_MIGRATIONS: Migrations = {
  // What stands on the machine is known, and the health of what runs is a region of its own.
  1: (envelope) => {
    const added = { machine: NO_MACHINE, takenPorts: [], looks: 0, lookedAt: 0, fresh: false };
    const { snapshot } = withContext(envelope, () => added);
    return { ...envelope, snapshot: { ...snapshot, value: containerValue(snapshot.value ?? null) } };
  },
};

function containerValue(value: Json): Json {
  if (typeof value !== 'object' || value === null || !('running' in value || 'recovering' in value)) return value;
  const { running, recovering } = value as JsonObject;
  if (running !== undefined) return { running: { guests: running, health: 'healthy' } };
  // It was being looked at; the answer is still to come.
  return recovering === 'looking' ? { running: { guests: 'occupied', health: { suspect: 'looking' } } } : value;
}

export const APPROVAL_MIGRATIONS: Migrations = {
  // Network requests are checked first, and what they open is closed again some day.
  1: (envelope) =>
    withContext(envelope, ({ askedFor }) => ({
      askedBy: askedFor ?? null,
      askers: [],
      warnings: [],
      silent: false,
      opened: false,
      closesAt: 0,
      closed: '',
      closedBy: null,
      remindMs: 3_600_000,
      reminded: 0,
      grantMs: 8 * 3_600_000,
      needed: 1,
      agreed: [],
      probed: 0,
      probes: 0,
    })),
};
