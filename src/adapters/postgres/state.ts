/** Whether the database can be used, as its statements show. */
export type DatabaseState =
  | { readonly name: 'up'; readonly since: number }
  | {
      readonly name: 'down';
      /** Milliseconds since the epoch. */
      readonly since: number;
      /** The last error. */
      readonly error: string;
      /** Reading may still work. */
      readonly onlyWrites: boolean;
    };

export interface StateWatch {
  current(): DatabaseState;
  /** A statement was answered. */
  worked(reads: boolean): void;
  failed(error: string, affects: 'all' | 'writes'): void;
  readonly listeners: Set<(state: DatabaseState) => void>;
}

/** Up until a statement shows otherwise; down until one works that needs what failed. Listeners hear of changes only. */
export function watchState(now: () => number = Date.now): StateWatch {
  let state: DatabaseState = { name: 'up', since: now() };
  const listeners = new Set<(state: DatabaseState) => void>();
  const change = (next: DatabaseState) => {
    const isNews = next.name !== state.name;
    state = next;
    if (isNews) for (const listener of listeners) listener(next);
  };
  return {
    current: () => state,
    worked(reads) {
      if (state.name === 'up' || (state.onlyWrites && reads)) return;
      change({ name: 'up', since: now() });
    },
    failed(error, affects) {
      const since = state.name === 'down' ? state.since : now();
      change({ name: 'down', since, error, onlyWrites: affects === 'writes' });
    },
    listeners,
  };
}
