/** Pending events in memory, per actor, in order of arrival. What is here is in the database too. */
import type { Address } from '../machines/addresses.ts';
import type { InboxRow } from './store.ts';

export interface Mailboxes {
  /** @returns the addresses that got something new. */
  add(rows: readonly InboxRow[]): ReadonlySet<Address>;
  of(address: Address): readonly InboxRow[];
  remove(address: Address, seqs: readonly number[]): void;
  /** Forgets what is pending for an actor: it is read from the database again. */
  forget(address: Address): void;
  /** One more attempt for the first events. */
  tried(address: Address, seqs: readonly number[]): void;
  size(): number;
}

export function createMailboxes(): Mailboxes {
  const boxes = new Map<Address, InboxRow[]>();
  const known = new Set<number>();

  return {
    add(rows) {
      const touched = new Set<Address>();
      for (const row of rows) {
        if (known.has(row.seq)) continue;
        known.add(row.seq);
        const box = boxes.get(row.to) ?? [];
        boxes.set(row.to, box);
        let at = box.length;
        while (at > 0 && (box[at - 1]?.seq ?? 0) > row.seq) at -= 1;
        box.splice(at, 0, row);
        touched.add(row.to);
      }
      return touched;
    },
    of: (address) => boxes.get(address) ?? [],
    remove(address, seqs) {
      const gone = new Set(seqs);
      for (const seq of seqs) known.delete(seq);
      const rest = (boxes.get(address) ?? []).filter(({ seq }) => !gone.has(seq));
      if (rest.length === 0) boxes.delete(address);
      else boxes.set(address, rest);
    },
    forget(address) {
      for (const { seq } of boxes.get(address) ?? []) known.delete(seq);
      boxes.delete(address);
    },
    tried(address, seqs) {
      const box = boxes.get(address) ?? [];
      for (const [index, row] of box.entries()) {
        if (seqs.includes(row.seq)) box[index] = { ...row, attempts: row.attempts + 1 };
      }
    },
    size: () => known.size,
  };
}
