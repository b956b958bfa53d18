/** Something read from the server: what is known of it, whether it is being read, and what went wrong. */
import { type Signal, signal } from '@preact/signals';
import { wordsOf } from './ask.ts';

export interface Loading<Value> {
  readonly value: Signal<Value | undefined>;
  readonly error: Signal<string>;
  /** Reads (again). Calls while one runs lead to one more afterwards. */
  refresh(): void;
  /** Forgets what was read: the next answer is about something else. */
  reset(): void;
}

export function loading<Value>(read: () => Promise<Value>): Loading<Value> {
  const value = signal<Value | undefined>(undefined);
  const error = signal('');
  let generation = 0;
  let running = false;
  let again = false;

  /** Never rejects: what goes wrong is shown. */
  async function run(): Promise<void> {
    const mine = generation;
    try {
      const answer = await read();
      if (mine !== generation) return;
      value.value = answer;
      error.value = '';
    } catch (problem) {
      if (mine === generation) error.value = wordsOf(problem);
    }
  }
  function refresh(): void {
    if (running) {
      again = true;
      return;
    }
    running = true;
    void run().then(() => {
      running = false;
      if (!again) return;
      again = false;
      refresh();
    });
  }
  return {
    value,
    error,
    refresh,
    reset() {
      generation += 1;
      value.value = undefined;
      error.value = '';
    },
  };
}

/** At most one call within the time; the last one asked for is made. */
export function throttled(ms: number, call: () => void): () => void {
  let waiting = false;
  let last = 0;
  return () => {
    if (waiting) return;
    waiting = true;
    setTimeout(
      () => {
        waiting = false;
        last = Date.now();
        call();
      },
      Math.max(0, last + ms - Date.now()),
    );
  };
}
