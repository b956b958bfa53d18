// An endless input for the SDK: what is pushed comes out in order, and `end` ends it once everything pushed was taken.

export interface PushQueue<T> extends AsyncIterable<T> {
  push(item: T): void;
  end(): void;
}

export function createPushQueue<T>(): PushQueue<T> {
  const items: T[] = [];
  let ended = false;
  let wake: (() => void) | undefined;
  const signal = () => {
    wake?.();
    wake = undefined;
  };
  return {
    push(item) {
      items.push(item);
      signal();
    },
    end() {
      ended = true;
      signal();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const item = items.shift();
        if (item !== undefined) yield item;
        else if (ended) return;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    },
  };
}
