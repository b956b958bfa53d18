/**
 * Pending events in memory, per actor, in order of arrival. What is here is in the database too; beyond a limit an actor's
 * events stay there only, and are read when the actor's turn comes: an actor never sees a later event before an earlier one.
 */
import type { Address } from '../machines/addresses.ts';
import type { InboxRow } from './store.ts';

export interface Mailboxes {
  /** Rows that are in the database now. @returns the addresses that got something new. */
  add(rows: readonly InboxRow[]): ReadonlySet<Address>;
  of(address: Address): readonly InboxRow[];
  /** Nothing waits, neither here nor, as far as is known here, in the database. */
  isEmpty(address: Address): boolean;
  remove(address: Address, seqs: readonly number[]): void;
  /** Forgets what is pending for an actor: it is read from the database again. */
  forget(address: Address): void;
  /** One more attempt for the first events. */
  tried(address: Address, seqs: readonly number[]): void;
  /** Those of the actors whose events are to be read from the database now; to be answered by `fill`. */
  toRead(addresses: readonly Address[]): Address[];
  /** The first events of an actor. @param isAll nothing more was pending when they were read */
  fill(address: Address, rows: readonly InboxRow[], isAll: boolean): void;
  /** Events in memory. */
  size(): number;
}

/** @param most events kept in memory */
export function createMailboxes(most: number): Mailboxes {
  const boxes = new Map<Address, InboxRow[]>();
  const known = new Set<number>();
  /** Actors that may have events in the database only; true: there may be new ones since they were last read. */
  const left = new Map<Address, boolean>();

  function put(row: InboxRow): void {
    known.add(row.seq);
    const box = boxes.get(row.to) ?? [];
    boxes.set(row.to, box);
    let at = box.length;
    while (at > 0 && (box[at - 1]?.seq ?? 0) > row.seq) at -= 1;
    box.splice(at, 0, row);
  }

  function forget(address: Address): void {
    for (const { seq } of boxes.get(address) ?? []) known.delete(seq);
    boxes.delete(address);
    left.set(address, true);
  }

  return {
    add(rows) {
      const touched = new Set<Address>();
      for (const row of rows) {
        if (known.has(row.seq)) continue;
        touched.add(row.to);
        if (left.has(row.to)) left.set(row.to, true);
        else if (known.size < most) put(row);
        // Not only this one: an earlier one may still come.
        else forget(row.to);
      }
      return touched;
    },
    of: (address) => boxes.get(address) ?? [],
    isEmpty: (address) => !boxes.has(address) && !left.has(address),
    remove(address, seqs) {
      const gone = new Set(seqs);
      for (const seq of seqs) known.delete(seq);
      const rest = (boxes.get(address) ?? []).filter(({ seq }) => !gone.has(seq));
      if (rest.length === 0) boxes.delete(address);
      else boxes.set(address, rest);
    },
    forget,
    tried(address, seqs) {
      const box = boxes.get(address) ?? [];
      for (const [index, row] of box.entries()) {
        if (seqs.includes(row.seq)) box[index] = { ...row, attempts: row.attempts + 1 };
      }
    },
    toRead(addresses) {
      const wanted = addresses.filter((address) => left.get(address) ?? false);
      for (const address of addresses) if (left.get(address) === false && !boxes.has(address)) wanted.push(address);
      for (const address of wanted) left.set(address, false);
      return wanted;
    },
    fill(address, rows, isAll) {
      for (const row of rows) if (!known.has(row.seq)) put(row);
      if (isAll && left.get(address) === false) left.delete(address);
    },
    size: () => known.size,
  };
}
