/**
 * Caps on what agents cost. What has been spent is what the turns in the transcript have cost, and nothing else is kept: it
 * survives every restart, and a cap that is changed counts at once. What other turns have cost that still run counts when they
 * have ended; each of those is held to the caps by itself.
 */
import { type Runtime, type StorePorts, TerminalError } from '../actors/index.ts';
import { reachedCap } from '../chat/caps.ts';
import type { Config } from '../config.ts';
import type { Address } from '../machines/addresses.ts';
import type { Person, SessionContext } from '../machines/session/context.ts';

export interface SpendingPorts {
  readonly caps: Config['spending'];
  readonly store: Pick<StorePorts, 'spentSince'>;
  readonly runtime: Pick<Runtime, 'read'>;
  readonly trigger: string;
  readonly now: () => number;
}

export function createSpending({ caps, store, runtime, trigger, now }: SpendingPorts) {
  /** @param running what the session's running turn has cost so far; 0: none runs */
  const check = async (session: Address, by: Person, running: number) => {
    if (!isCapped(caps)) return undefined;
    const context = (await runtime.read(session))?.context as SessionContext | undefined;
    const today = await store.spentSince(new Date(now()).setUTCHours(0, 0, 0, 0), by.id);
    return reachedCap(
      {
        turn: running,
        session: (context?.usage.costUsd ?? 0) + running,
        user: today.user + running,
        day: today.all + running,
      },
      { ...caps, sessionUsd: caps.sessionUsd === 0 ? 0 : caps.sessionUsd + (context?.raisedUsd ?? 0) },
      { name: by.name, trigger },
    );
  };

  return {
    /** Rejects terminally if nothing may be spent for this person in this session now. */
    async mayCost(session: Address, by: Person): Promise<void> {
      const reached = await check(session, by, 0);
      if (reached === undefined) return;
      throw new TerminalError('CAP_REACHED', `The cap per ${reached.cap} is reached`, {
        human: `This was not passed on to Claude. ${reached.words}`,
      });
    },
    handlers: {
      'spending.check': async ({
        params: { session, costUsd, by },
      }: {
        readonly params: { readonly session: Address; readonly costUsd: number; readonly by: Person };
      }) => {
        const reached = await check(session, by, costUsd);
        return { cap: reached?.cap ?? '', human: reached?.words ?? '' };
      },
    },
  };
}

/** Whether anything is capped. */
export function isCapped({ turnUsd, sessionUsd, userUsd, dayUsd }: Config['spending']): boolean {
  return [turnUsd, sessionUsd, userUsd, dayUsd].some((cap) => cap > 0);
}
