/** Who did what, in the append-only audit log. */
import type { EffectHandlers, StorePorts } from '../actors/index.ts';

export function auditHandlers(store: StorePorts, now: () => number) {
  return {
    'audit.record': async ({ key, params: { action, who, subject, detail } }) => {
      await store.appendAudit({ key, at: now(), action, who, subject, detail });
    },
  } satisfies EffectHandlers;
}
