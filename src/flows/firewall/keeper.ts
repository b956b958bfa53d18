/**
 * Looks after the firewall as long as this process leads: names move, grants end, somebody edits the firewall by hand. Drift
 * is repaired, recorded and told.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { failureOf, type Log, type StorePorts } from '../../actors/index.ts';
import type { Grants } from './grants.ts';

export interface KeeperPorts {
  readonly grants: Grants;
  readonly store: Pick<StorePorts, 'appendAudit'>;
  /** Tells those who look after the gateway. */
  readonly tell: (words: string) => Promise<void>;
  readonly log: Log;
  readonly now: () => number;
  /** Milliseconds from the end of one look to the next. */
  readonly everyMs?: number;
}

const EVERY_MS = 60_000;
/** Longer than the firewall takes to show a change. */
const PATIENCE_MS = 150_000;

/** Resolves when `over` is aborted and no look is under way. */
export async function keepFirewall(ports: KeeperPorts, over: AbortSignal): Promise<void> {
  const { log, everyMs = EVERY_MS } = ports;
  let wasWell = true;
  while (!over.aborted) {
    try {
      await lookAfter(ports, over);
      wasWell = true;
    } catch (error) {
      if (over.aborted) return;
      const { human } = failureOf(error);
      log.warn({ err: error }, 'the firewall could not be looked after');
      // Told once, not every minute.
      if (wasWell) await attempt(log, () => ports.tell(`The firewall could not be looked after: ${human}`));
      wasWell = false;
    }
    await sleep(everyMs, undefined, { signal: over }).catch(() => undefined);
  }
}

/** Brings the firewall to what is granted, once; what somebody else had changed is recorded and told. */
export async function lookAfter({ grants, store, tell, log, now }: KeeperPorts, over?: AbortSignal): Promise<void> {
  const limit = AbortSignal.any([...(over ? [over] : []), AbortSignal.timeout(PATIENCE_MS)]);
  const { drift } = await grants.sync(limit);
  if (drift.length === 0) return;
  const at = now();
  log.warn({ drift }, 'the firewall was not as it should be; repaired');
  const subject = `firewall/${grants.enforcer.kind}`;
  await store.appendAudit({ key: `drift/${at}`, at, action: 'firewall.drift', who: '', subject, detail: { drift } });
  await attempt(log, () =>
    tell(`The firewall had been changed by somebody else, and was repaired: ${drift.join('; ')}.`),
  );
}

async function attempt(log: Log, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.warn({ err: error }, 'those who look after the gateway could not be told');
  }
}
