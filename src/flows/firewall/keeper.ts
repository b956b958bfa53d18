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
  /** Hosts that agents cannot work without and cannot reach now, as seen from a container; none if none can be asked. */
  readonly needed: () => Promise<readonly string[]>;
  /** Milliseconds between two looks at those. */
  readonly neededEveryMs?: number;
  readonly log: Log;
  readonly now: () => number;
  /** Milliseconds from the end of one look to the next. */
  readonly everyMs?: number;
}

const EVERY_MS = 60_000;
const NEEDED_EVERY_MS = 60 * 60_000;
/** Longer than the firewall takes to show a change. */
const PATIENCE_MS = 150_000;

/** Resolves when `over` is aborted and no look is under way. */
export async function keepFirewall(ports: KeeperPorts, over: AbortSignal): Promise<void> {
  const { log, everyMs = EVERY_MS } = ports;
  const lookAtNeeded = neededLook(ports);
  let wasWell = true;
  while (!over.aborted) {
    try {
      await lookAfter(ports, over);
      await lookAtNeeded();
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

/**
 * What an agent needs changes: its maker moves a service, somebody tidies an alias. Then sessions fail one by one with errors of
 * their own, and nobody thinks of the firewall. Told once for each change.
 */
function neededLook({ grants, needed, neededEveryMs = NEEDED_EVERY_MS, store, tell, log, now }: KeeperPorts) {
  let lookedAt = Number.NEGATIVE_INFINITY;
  let told = '';
  return async (): Promise<void> => {
    const at = now();
    if (at - lookedAt < neededEveryMs) return;
    lookedAt = at;
    const lacking = (await needed()).join(', ');
    if (lacking === told) return;
    told = lacking;
    if (lacking === '') return;
    log.warn({ lacking }, 'agents cannot reach what they need');
    const subject = `firewall/${grants.enforcer.kind}`;
    await store.appendAudit({
      key: `needed/${at}`,
      at,
      action: 'firewall.lacking',
      who: '',
      subject,
      detail: { lacking },
    });
    await attempt(log, () =>
      tell(
        `Agents cannot reach what they cannot work without: ${lacking}. Open it in the firewall, or correct SM_BASE_HOSTS.`,
      ),
    );
  };
}

async function attempt(log: Log, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.warn({ err: error }, 'those who look after the gateway could not be told');
  }
}
