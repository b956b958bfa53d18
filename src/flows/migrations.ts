/** Envelopes of earlier chart versions, made into those of the next. Golden envelopes of every version must load. */
import type { Envelope } from '../actors/index.ts';
import type { JsonObject } from '../machines/json.ts';

type Migrations = Readonly<Record<number, (envelope: Envelope) => Envelope>>;

function withContext(envelope: Envelope, change: (context: JsonObject) => JsonObject): Envelope {
  const { snapshot } = envelope;
  const context = (snapshot.context ?? {}) as JsonObject;
  return { ...envelope, snapshot: { ...snapshot, context: { ...context, ...change(context) } } };
}

export const SESSION_MIGRATIONS: Migrations = {
  // A session can change its model, who is answered, and be asked for a title.
  1: (envelope) =>
    withContext(envelope, ({ request }) => ({
      titleFor: '',
      model: (request as JsonObject).model ?? '',
      audience: 'everyone',
    })),
};

export const APPROVAL_MIGRATIONS: Migrations = {
  // Network requests are checked first, and what they open is closed again some day.
  1: (envelope) =>
    withContext(envelope, () => ({
      warnings: [],
      silent: false,
      opened: false,
      closesAt: 0,
      closed: '',
      grantMs: 8 * 3_600_000,
      needed: 1,
      agreed: [],
      probed: 0,
      probes: 0,
    })),
};
