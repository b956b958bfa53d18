/**
 * The runtime's half of the store, in memory and as strict as the database: a turn is written whole or not at all, and only at
 * its revision, with its events undone, under the term that leads. What went in and came out stays readable as evidence.
 */
import type {
  ActorRow,
  ClaimedEffect,
  DeliverResult,
  InboxRow,
  InnerItem,
  JournalRow,
  RuntimeStore,
  StoredLetter,
  TurnCommit,
} from '../../src/actors/index.ts';
import { FencedError } from '../../src/actors/index.ts';
import type { Address } from '../../src/machines/addresses.ts';

export interface StoredEvent extends InboxRow {
  term: number | undefined;
  done: boolean;
  attempts: number;
}

interface StoredEffect extends ClaimedEffect {
  term: number;
  status: 'pending' | 'done' | 'failed';
  attempts: number;
  runAt: number;
}

export interface MemoryStore extends RuntimeStore {
  /** Who leads from now on; every earlier term is fenced. */
  lead(): number;
  readonly actors: Map<Address, ActorRow>;
  /** In order of arrival. */
  readonly inbox: StoredEvent[];
  readonly effects: Map<string, StoredEffect>;
  readonly journal: (JournalRow & { readonly address: Address })[];
  readonly deadLetters: StoredLetter[];
}

/** What a database gives back is never what it was given. */
const copy = <Value>(value: Value): Value => structuredClone(value);

export function createMemoryStore(): MemoryStore {
  const actors = new Map<Address, ActorRow>();
  const inbox: StoredEvent[] = [];
  const byKey = new Map<string, StoredEvent>();
  const effects = new Map<string, StoredEffect>();
  const journal: MemoryStore['journal'] = [];
  const deadLetters: MemoryStore['deadLetters'] = [];
  const hints = new Set<() => void>();
  let leader = 0;

  const demandLead = (term: number): void => {
    if (term !== leader) throw new FencedError(`term ${term} does not lead any more`);
  };

  function insert(item: InnerItem, term: number | undefined): InboxRow | undefined {
    if (byKey.has(item.dedupKey)) return undefined;
    const row: StoredEvent = {
      ...copy(item),
      seq: inbox.length + 1,
      cause: item.cause,
      taskKey: item.taskKey,
      attempts: 0,
      term,
      done: false,
    };
    inbox.push(row);
    byKey.set(item.dedupKey, row);
    return publicRow(row);
  }

  const insertAll = (items: readonly InnerItem[], term: number | undefined): InboxRow[] =>
    items.flatMap((item) => insert(item, term) ?? []);

  const undone = (seq: number): StoredEvent | undefined => {
    const row = inbox[seq - 1];
    return row === undefined || row.done ? undefined : row;
  };

  function isCurrent({ address, prevRev, actor, taken, tried }: TurnCommit): boolean {
    if (![...taken, ...tried].every((seq) => undone(seq) !== undefined)) return false;
    const stored = actors.get(address);
    if (actor === undefined) return stored === undefined;
    return (stored?.rev ?? 0) === prevRev;
  }

  function write(turn: TurnCommit, term: number, commitId: string): InboxRow[] {
    const { address, actor } = turn;
    if (actor !== undefined) actors.set(address, copy({ ...actor, address, commitId }));
    for (const seq of turn.taken) {
      const row = undone(seq);
      if (row) row.done = true;
    }
    for (const seq of turn.tried) {
      const row = undone(seq);
      if (row) row.attempts += 1;
    }
    for (const effect of turn.effects) {
      if (effects.has(effect.key)) throw new Error(`effect ${effect.key} is there already`);
      effects.set(effect.key, { ...copy(effect), seq: effects.size + 1, term, status: 'pending' });
    }
    for (const row of turn.journal) {
      if (journal.some((other) => other.address === address && other.rev === row.rev)) {
        throw new Error(`${address} has revision ${row.rev} already`);
      }
      journal.push({ ...copy(row), address });
    }
    for (const letter of turn.deadLetters) {
      deadLetters.push({ ...copy(letter), address, id: deadLetters.length + 1, settledAt: undefined });
    }
    for (const { id } of turn.settled) {
      const letter = deadLetters[id - 1];
      if (letter !== undefined) deadLetters[id - 1] = { ...letter, settledAt: 0 };
    }
    return insertAll(turn.tells, term);
  }

  const pendingOf = (wanted: (row: StoredEvent) => boolean): InboxRow[] =>
    inbox.filter((row) => !row.done && wanted(row)).map(publicRow);

  return {
    actors,
    inbox,
    effects,
    journal,
    deadLetters,
    lead() {
      leader += 1;
      return leader;
    },

    async commit(term, commitId, turns) {
      demandLead(term);
      const current = turns.filter(isCurrent);
      const delivered = current.flatMap((turn) => write(turn, term, commitId));
      return { committed: current.map(({ address }) => address), delivered };
    },
    async lastCommits(addresses) {
      return new Map(addresses.flatMap((address) => pair(address, actors.get(address)?.commitId)));
    },

    async deliver(items, { term, limitOf }) {
      const holder = term === leader ? term : undefined;
      const known = new Set(items.map(({ dedupKey }) => dedupKey).filter((key) => byKey.has(key)));
      const full = new Set(items.map(({ to }) => to).filter((to) => isFull(to, limitOf(to))));
      const rows = pendingOf(({ dedupKey }) => known.has(dedupKey));
      const results = items.map((item): DeliverResult => {
        if (known.has(item.dedupKey)) return 'duplicate';
        if (full.has(item.to)) return 'busy';
        const row = insert(item, holder);
        if (row) rows.push(row);
        return row ? 'accepted' : 'duplicate';
      });
      if (holder === undefined && results.includes('accepted')) for (const hint of hints) hint();
      return { results, rows: rows.sort((left, right) => left.seq - right.seq) };
    },
    async appendOutputs(term, { rows, events }) {
      demandLead(term);
      return { heldSeq: Math.max(0, ...rows.map(({ seq }) => seq)), rows: insertAll(events, term) };
    },
    async adoptInbox(term, limit) {
      if (term !== leader) return [];
      const adopted = inbox.filter((row) => !row.done && row.term !== term).slice(0, limit);
      for (const row of adopted) row.term = term;
      return adopted.map(publicRow);
    },
    async pendingInbox(term, { after, limit }) {
      return pendingOf((row) => row.term === term && row.seq > after).slice(0, limit);
    },
    async inboxOf(addresses, each) {
      return addresses.flatMap((address) => {
        const rows = pendingOf((row) => row.to === address);
        const isOrder = ({ event }: InboxRow) => event.type === 'runtime.operator';
        return [...rows.filter(isOrder), ...rows.filter((row) => !isOrder(row))].slice(0, each);
      });
    },
    async inboxState(dedupKey) {
      const row = byKey.get(dedupKey);
      if (row === undefined) return undefined;
      if (!row.done) return 'pending';
      return deadLetters.some((letter) => letter.dedupKey === dedupKey) ? 'dead' : 'done';
    },

    async loadActors(addresses) {
      return addresses.flatMap((address) => copy(actors.get(address)) ?? []);
    },
    async wakeups(until) {
      return [...actors.values()].flatMap(({ address, status, wakeAt }) =>
        status === 'active' && wakeAt !== undefined && wakeAt <= until ? [{ address, wakeAt }] : [],
      );
    },
    async actorsToResume(versions) {
      return [...actors.values()]
        .filter(({ status, envelope, kind, version }) => {
          const hasTasks = Object.keys(envelope.tasks).length > 0;
          return status === 'active' && (hasTasks || version < (versions[kind] ?? 0));
        })
        .map(({ address }) => address);
    },

    async deadLetter(id) {
      return copy(deadLetters[id - 1]);
    },
    async lastPoison(address) {
      const open = deadLetters.filter((letter) => letter.address === address && letter.settledAt === undefined);
      return copy(open.filter(({ reason }) => reason === 'poison').at(-1));
    },
    async birthOf(address) {
      return copy(journal.find((row) => row.address === address && row.rev === 1)?.event);
    },

    async claimEffects(term, { after, limit } = { after: 0, limit: 1_000 }) {
      if (term !== leader) return [];
      const undone = [...effects.values()].filter(({ status, seq }) => status === 'pending' && seq > after);
      const page = undone.slice(0, limit);
      for (const effect of page) {
        if (effect.term === term) continue;
        effect.term = term;
        effect.attempts += 1;
      }
      return copy(page);
    },
    async finishEffects(term, outcomes) {
      demandLead(term);
      return outcomes.flatMap(({ key, status, attempts, reply }) => {
        const effect = effects.get(key);
        if (effect?.status !== 'pending' || effect.term !== term) return [];
        effect.status = status;
        effect.attempts = attempts;
        return reply === undefined ? [] : insertAll([reply], term);
      });
    },
    async retryEffect(term, { key, attempts, runAt }) {
      const effect = effects.get(key);
      if (effect?.status !== 'pending' || effect.term !== term) return;
      effect.attempts = attempts;
      effect.runAt = runAt;
    },

    onHint(listener) {
      hints.add(listener);
      return () => hints.delete(listener);
    },
  };

  function isFull(to: Address, limit: number | undefined): boolean {
    return limit !== undefined && inbox.filter((row) => row.to === to && !row.done).length >= limit;
  }
}

function publicRow({ seq, to, event, dedupKey, cause, taskKey, attempts }: StoredEvent): InboxRow {
  return copy({ seq, to, event, dedupKey, cause, taskKey, attempts });
}

function pair<Key, Value>(key: Key, value: Value | undefined): [Key, Value][] {
  return value === undefined ? [] : [[key, value]];
}
