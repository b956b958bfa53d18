/** An alias brought to a wished state, in force as far as the firewall shows it. */
import { setTimeout as delay } from 'node:timers/promises';
import { aliasStore, type Change, isUnknownOutcome, type Wish } from './alias.ts';
import { lingeringIn, missingIn, type ResolveHost, readTable } from './liveTable.ts';
import { createLocks } from './locks.ts';
import type { OpnsenseClient } from './request.ts';

export interface Times {
  /** Between two looks at the live table. */
  readonly lookMs: number;
  /** The updater is asked again after this: another run may have held its lock. */
  readonly againMs: number;
  /** The live table may take this long: the minute's job picks up what was missed. */
  readonly patienceMs: number;
}

export const TIMES: Times = { lookMs: 500, againMs: 5_000, patienceMs: 75_000 };

export interface Held extends Change {
  /** Hosts the live table had not followed for when patience was over: wanted ones not in it, removed ones still in it. */
  readonly late: readonly string[];
}

export interface OpnsenseFirewall {
  readonly alias: string;
  entries(signal?: AbortSignal): Promise<readonly string[]>;
  live(signal?: AbortSignal): Promise<ReadonlySet<string>>;
  /**
   * Idempotent. What of it was done before an error is found by the next call.
   * @param isAwaited whether somebody waits for this to be over: then what is written and asked for is not waited for
   */
  hold(wish: Wish, signal?: AbortSignal, isAwaited?: () => boolean): Promise<Held>;
  /** Makes the alias if it is not there. @returns whether it was made */
  create(signal?: AbortSignal): Promise<boolean>;
  /** Saves and puts in force what is there: proves the privileges to change, and changes nothing. */
  prove(signal?: AbortSignal): Promise<void>;
}

export interface FirewallOptions {
  readonly client: OpnsenseClient;
  readonly alias: string;
  readonly resolve: ResolveHost;
  readonly times?: Times;
  readonly now?: () => number;
}

export function opnsenseFirewall({
  client,
  alias,
  resolve,
  times = TIMES,
  now = Date.now,
}: FirewallOptions): OpnsenseFirewall {
  const store = aliasStore(client, createLocks(), alias);
  const live = (signal?: AbortSignal) => readTable(client, alias, signal);

  /** A lost answer says nothing; the table does. */
  async function apply(signal?: AbortSignal): Promise<void> {
    try {
      await store.reconfigure(signal);
    } catch (error) {
      if (!isUnknownOutcome(error) || signal?.aborted) throw error;
    }
  }

  async function behind(change: Change, wish: Wish, signal?: AbortSignal): Promise<readonly string[]> {
    const table = await live(signal);
    const [missing, lingering] = await Promise.all([
      missingIn(table, wish.wanted, resolve),
      lingeringIn(table, change.removed, change.entries, resolve),
    ]);
    return [...missing, ...lingering];
  }

  return {
    alias,
    entries: (signal) => store.read(signal),
    live,
    create: (signal) => store.create(signal),
    async prove(signal) {
      await store.touch(signal);
      await store.reconfigure(signal);
    },
    async hold(wish, signal, isAwaited = () => false) {
      const change = await store.hold(wish, signal);
      const changed = change.added.length + change.removed.length > 0;
      // Also without a change: an earlier attempt may have saved and then failed.
      if (changed || (await behind(change, wish, signal)).length > 0) await apply(signal);
      const until = now() + times.patienceMs;
      let askedAt = now();
      let late = await behind(change, wish, signal);
      while (late.length > 0 && now() < until && !isAwaited()) {
        await delay(times.lookMs, undefined, signal ? { signal } : {});
        if (now() - askedAt >= times.againMs) {
          await apply(signal);
          askedAt = now();
        }
        late = await behind(change, wish, signal);
      }
      return { ...change, late };
    },
  };
}
