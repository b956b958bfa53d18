/** A list that is read in pages, newest first, and of which the first page is read again when something changes. */
import { type Signal, signal } from '@preact/signals';
import { wordsOf } from './ask.ts';
import { loading } from './loading.ts';

export interface PagedOptions<Answer, Item, Mark> {
  read(before: Mark | undefined): Promise<Answer>;
  items(answer: Answer): readonly Item[];
  keyOf(item: Item): string | number;
  /** In the list's order. */
  isAfter(item: Item, other: Item): boolean;
}

export interface Paged<Item> {
  readonly items: Signal<readonly Item[] | undefined>;
  readonly error: Signal<string>;
  readonly hasMore: Signal<boolean>;
  refresh(): void;
  more(): void;
  reset(): void;
  update(change: (item: Item) => Item): void;
}

export function paged<Answer extends { readonly next?: Mark }, Item, Mark extends string | number>(
  options: PagedOptions<Answer, Item, Mark>,
): Paged<Item> {
  const items = signal<readonly Item[] | undefined>(undefined);
  const hasMore = signal(false);
  let next: Mark | undefined;
  let pages = 0;
  let generation = 0;

  const first = loading(async () => {
    const mine = generation;
    const answer = await options.read(undefined);
    if (mine !== generation) return;
    const fresh = options.items(answer);
    const last = fresh.at(-1);
    const keys = new Set(fresh.map(options.keyOf));
    const before = items.value ?? [];
    const meets = before.some((item) => keys.has(options.keyOf(item)));
    const rest = last === undefined ? [] : before.filter((item) => options.isAfter(item, last));
    if (pages <= 1 || !meets || rest.length === 0) {
      // Nothing further was read, or so much is new that the pages do not meet any more.
      pages = 1;
      next = answer.next;
      items.value = fresh;
    } else items.value = [...fresh, ...rest];
    hasMore.value = next !== undefined;
  });

  async function readMore(): Promise<void> {
    const mine = generation;
    const from = next;
    if (from === undefined) return;
    next = undefined;
    try {
      const answer = await options.read(from);
      if (mine !== generation) return;
      const known = new Set((items.value ?? []).map(options.keyOf));
      pages += 1;
      next = answer.next;
      items.value = [
        ...(items.value ?? []),
        ...options.items(answer).filter((item) => !known.has(options.keyOf(item))),
      ];
    } catch (problem) {
      next = from;
      first.error.value = wordsOf(problem);
    }
    hasMore.value = next !== undefined;
  }

  return {
    items,
    error: first.error,
    hasMore,
    refresh: first.refresh,
    more: () => void readMore(),
    reset() {
      generation += 1;
      pages = 0;
      next = undefined;
      items.value = undefined;
      hasMore.value = false;
      first.reset();
    },
    update(change) {
      if (items.value !== undefined) items.value = items.value.map(change);
    },
  };
}
