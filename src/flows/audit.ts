/** Who did what, in the append-only audit log. */
import { randomUUID } from 'node:crypto';
import type { EffectHandlers, StorePorts } from '../actors/index.ts';

import type { RefusedClick } from './decisions.ts';

export function auditHandlers(store: StorePorts, now: () => number) {
  return {
    'audit.record': async ({ key, params: { action, who, subject, detail } }) => {
      await store.appendAudit({ key, at: now(), action, who, subject, detail });
    },
  } satisfies EffectHandlers;
}

/** A click that was refused has changed nothing, so no actor can tell of it. */
export function recordRefusals(store: Pick<StorePorts, 'appendAudit'>, now: () => number) {
  return async ({ by, approval, action, postId, why }: RefusedClick): Promise<void> => {
    const detail = { userId: by.id, button: action, postId, why };
    await store.appendAudit({
      key: `refused/${randomUUID()}`,
      at: now(),
      action: 'click.refused',
      who: by.name,
      subject: approval,
      detail,
    });
  };
}
