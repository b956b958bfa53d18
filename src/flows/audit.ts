/** Who did what, in the append-only audit log. */
import { randomUUID } from 'node:crypto';
import { type AuditEntry, cleanJson, type EffectHandlers, type StorePorts } from '../actors/index.ts';

import type { RefusedDecision } from './decisions.ts';

export function auditHandlers(store: StorePorts, now: () => number) {
  return {
    'audit.record': async ({ key, params: { action, who, subject, detail } }) => {
      await store.appendAudit({ key, at: now(), action, who, subject, detail });
    },
  } satisfies EffectHandlers;
}

/** Writes an entry made of what came from outside, which may hold what no database takes. */
export function recordEntry(store: Pick<StorePorts, 'appendAudit'>) {
  return (entry: AuditEntry): Promise<void> => store.appendAudit(cleanJson(entry));
}

/** A click, a reaction or words that were refused have changed nothing, so no actor can tell of it. */
export function recordRefusals(store: Pick<StorePorts, 'appendAudit'>, now: () => number) {
  const record = recordEntry(store);
  return ({ by, approval, action, postId, why, key }: RefusedDecision): Promise<void> =>
    record({
      key: `refused/${key ?? randomUUID()}`,
      at: now(),
      action: 'decision.refused',
      who: clip(by.name),
      subject: clip(approval),
      detail: { userId: clip(by.id), by: action, postId: clip(postId), why },
    });
}

/** A forged click may be as long as a request. */
function clip(text: string): string {
  return text.slice(0, 300);
}
