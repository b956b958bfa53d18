/**
 * Grants, and the firewall that follows them. Stored first, applied then: what is stored is what is wished, and whatever
 * happens in between, the next look brings the firewall there.
 */
import type { ActorSummary, GrantRow, StorePorts } from '../../actors/index.ts';
import type { Address } from '../../machines/addresses.ts';
import type { GrantScope } from '../../machines/effects.ts';
import { assertNever } from '../../machines/json.ts';
import type { Desired, Enforcer, Held, Opening } from './enforcer.ts';

export interface GrantWish {
  /** Of the effect: the same one again changes nothing, a later one of the same approval does. */
  readonly key: string;
  readonly approval: Address;
  readonly session: Address;
  readonly container: Address;
  readonly repo: string;
  readonly hosts: readonly string[];
  readonly scope: GrantScope;
  readonly expiresAt: number | undefined;
  /** User name of who decided; empty: the operator's policy. */
  readonly by: string;
}

export interface Grants {
  readonly enforcer: Enforcer;
  /** Idempotent per approval and host. */
  open(wish: GrantWish, signal?: AbortSignal): Promise<Held>;
  /** Ends grants, and takes out of the firewall what nothing else needs. */
  close(matching: (grant: GrantRow) => boolean, signal?: AbortSignal): Promise<readonly GrantRow[]>;
  /**
   * Ends grants in what is stored alone, at once, whatever the firewall does; `bring` takes them out of it.
   * @param key of what ends them: asked again with it, whatever happened in between, the answer is the same
   * @returns all that were ended under the key
   */
  end(key: string, matching: (grant: GrantRow) => boolean): Promise<readonly GrantRow[]>;
  /** Brings the firewall to what is granted. */
  bring(signal?: AbortSignal): Promise<void>;
  /** Looks whether all is as it should be, and makes it so. Says all drift since the last time, whoever came upon it. */
  sync(signal?: AbortSignal): Promise<Held>;
  active(): Promise<readonly GrantRow[]>;
}

export interface GrantPorts {
  readonly enforcer: Enforcer;
  readonly store: Pick<
    StorePorts,
    | 'putGrant'
    | 'revokeGrant'
    | 'grantsRevokedUnder'
    | 'activeGrants'
    | 'claimedHosts'
    | 'claimHosts'
    | 'releaseHosts'
    | 'listActors'
  >;
  readonly now: () => number;
}

export function createGrants({ enforcer, store, now }: GrantPorts): Grants {
  let last: Promise<unknown> = Promise.resolve();
  /** Opening and closing come upon it, too, and have nobody to tell. */
  const untold: string[] = [];
  /** Closings that wait for their turn: nobody waits for what is slow to open before them. */
  let closings = 0;
  /** One after the other: each reads the whole state and writes the whole state. */
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
  const closing = <Result>(work: () => Promise<Result>): Promise<Result> => {
    closings += 1;
    return inTurn(() => {
      closings -= 1;
      return work();
    });
  };

  async function hold(signal?: AbortSignal): Promise<Held> {
    const at = now();
    const rows = await store.activeGrants(at);
    const ours = await claimed(
      rows.map(({ host }) => host),
      signal,
    );
    const desired: Desired = { openings: await openingsOf(rows, store), ours };
    const held = await enforcer.hold(desired, signal, () => closings > 0);
    untold.push(...held.drift);
    const wanted = new Set(rows.map(({ host }) => host));
    const gone = ours.filter((host) => !wanted.has(host));
    if (gone.length > 0) await store.releaseHosts(gone, at);
    return held;
  }

  /**
   * Hosts that this program has entered, or is about to: before the first write, what is there was entered by somebody else. Looked
   * at each time, because somebody may have taken theirs out meanwhile, and then it is entered by us.
   */
  async function claimed(wanted: readonly string[], signal?: AbortSignal): Promise<readonly string[]> {
    const ours = await store.claimedHosts();
    const others = [...new Set(wanted.filter((host) => !ours.includes(host)))];
    if (others.length === 0) return ours;
    const there = await enforcer.entered(others, signal);
    const mine = others.filter((host) => !there.includes(host));
    if (mine.length > 0) await store.claimHosts(mine);
    return [...ours, ...mine];
  }

  return {
    enforcer,
    active: () => store.activeGrants(now()),
    end: async (key, matching) => {
      const wanted = (await store.activeGrants(now())).filter(matching);
      for (const { id } of wanted) await store.revokeGrant(id, now(), key);
      return store.grantsRevokedUnder(key);
    },
    bring: (signal) => closing(async () => void (await hold(signal))),
    sync: (signal) => inTurn(async () => ({ ...(await hold(signal)), drift: untold.splice(0) })),
    open: ({ key, approval, session, container, repo, hosts, scope, expiresAt, by }, signal) =>
      inTurn(async () => {
        for (const host of hosts) {
          await store.putGrant({
            id: `${key}/${host}`,
            approval,
            session,
            host,
            scope,
            openedAt: now(),
            expiresAt,
            revokedAt: undefined,
            detail: { repo, container, by },
          });
        }
        const held = await hold(signal);
        return { ...held, late: held.late.filter((host) => hosts.includes(host)) };
      }),
    close: (matching, signal) =>
      closing(async () => {
        const ended = (await store.activeGrants(now())).filter(matching);
        for (const { id } of ended) await store.revokeGrant(id, now());
        await hold(signal);
        return ended;
      }),
  };
}

async function openingsOf(rows: readonly GrantRow[], store: Pick<StorePorts, 'listActors'>): Promise<Opening[]> {
  const openings: Opening[] = [];
  for (const row of rows) {
    const { host, expiresAt } = row;
    for (const target of await targetsOf(row, store)) openings.push({ for: target, host, expiresAt });
  }
  return openings;
}

async function targetsOf(
  { scope, detail }: GrantRow,
  store: Pick<StorePorts, 'listActors'>,
): Promise<readonly ('all' | Address)[]> {
  const known = scope as GrantScope;
  switch (known) {
    case 'always':
      return ['all'];
    case 'session':
      return [detail.container as Address];
    case 'repo': {
      const found: readonly ActorSummary[] = await store.listActors({
        kind: 'container',
        keyPrefix: `${detail.repo}@`,
      });
      return found.map(({ address }) => address);
    }
    default:
      return assertNever(known);
  }
}
