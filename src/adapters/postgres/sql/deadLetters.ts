/** Events that came to nothing, and the event an actor was made of. */
import type { DeadReason, StoredLetter } from '../../../actors/store.ts';
import type { Address } from '../../../machines/addresses.ts';
import type { ChartEvent } from '../../../machines/events.ts';
import { type Database, run, type Statement } from '../database.ts';

interface LetterRecord {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly actor_id: Address;
  readonly reason: DeadReason;
  readonly event: ChartEvent;
  readonly dedup_key: string;
  readonly cause: string | null;
  readonly error: string | null;
  readonly at: number;
  readonly settled_at: number | null;
}

const COLUMNS = 'id, actor_id, reason, event, dedup_key, cause, error, at, settled_at';

function readLetter(record: LetterRecord): StoredLetter {
  const { id, actor_id, reason, event, dedup_key, cause, error, at, settled_at } = record;
  return {
    id,
    address: actor_id,
    reason,
    event,
    dedupKey: dedup_key,
    cause: cause ?? undefined,
    error: error ?? undefined,
    at,
    settledAt: settled_at ?? undefined,
  };
}

const DEAD_LETTER: Statement = {
  name: 'dead_letter',
  text: `select ${COLUMNS} from dead_letter where id = $1`,
};

export async function deadLetter(db: Database, id: number): Promise<StoredLetter | undefined> {
  return (await run<LetterRecord>(db, DEAD_LETTER, [id])).map(readLetter)[0];
}

const LAST_POISON: Statement = {
  name: 'last_poison',
  text: `
select ${COLUMNS} from dead_letter
where actor_id = $1 and reason = 'poison' and settled_at is null
order by id desc limit 1`,
};

/** What parked an actor: the newest poison that nobody has settled. */
export async function lastPoison(db: Database, address: Address): Promise<StoredLetter | undefined> {
  return (await run<LetterRecord>(db, LAST_POISON, [address])).map(readLetter)[0];
}

const BIRTH_OF: Statement = {
  name: 'birth_of',
  text: 'select event from journal where actor_id = $1 and rev = 1',
};

export async function birthOf(db: Database, address: Address): Promise<ChartEvent | undefined> {
  return (await run<{ event: ChartEvent }>(db, BIRTH_OF, [address]))[0]?.event;
}
