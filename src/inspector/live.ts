/**
 * What changes, as it changes, for every page that listens (server-sent events). A leader tells of its own commits; a standby
 * looks at the database now and then. Changes are collected for a moment, the newest of each actor is told.
 *
 * A hint, never the truth: a page reads what it shows from the store, and again whenever its stream was interrupted.
 */
import type { ServerResponse } from 'node:http';
import type { CommitNotice } from '../actors/types.ts';
import type { Address } from '../machines/addresses.ts';
import type { ChangeMark, InspectorLog, InspectorRuntime, InspectorStore } from './ports.ts';
import type { Redact } from './redact.ts';
import type { Change, Pulse } from './wire.ts';

export interface LiveOptions {
  readonly store: Pick<InspectorStore, 'changes'>;
  readonly runtime: Pick<InspectorRuntime, 'onCommit' | 'stats'>;
  readonly redact: Redact;
  readonly log: InspectorLog;
  readonly now?: () => number;
}

export interface Live {
  /** @returns false if too many listen already. */
  add(response: ServerResponse): boolean;
  close(): void;
}

const COLLECT_MS = 200;
const PULSE_MS = 5_000;
const POLL_MS = 2_000;
const MOST_LISTENERS = 40;
const MOST_CHANGES = 500;
/** A page that does not read is let go; it connects again and reads everything anew. */
const MOST_UNREAD_BYTES = 1024 * 1024;

export function createLive({ store, runtime, redact, log, now = Date.now }: LiveOptions): Live {
  const listeners = new Set<ServerResponse>();
  const waiting = new Map<string, Change>();
  const seen = new Map<Address, number>();
  const timers = new Set<NodeJS.Timeout>();
  let collecting = false;
  let polling = false;
  let mark: ChangeMark | undefined;

  const every = (ms: number, call: () => void): void => {
    timers.add(setInterval(call, ms).unref());
  };

  function send(event: string, data: object): void {
    const text = `event: ${event}\ndata: ${JSON.stringify(redact(data))}\n\n`;
    for (const response of listeners) {
      if (response.writableLength > MOST_UNREAD_BYTES) response.destroy();
      else response.write(text);
    }
  }

  function note(change: Change): void {
    if (listeners.size === 0) return;
    if (waiting.size < MOST_CHANGES || waiting.has(change.address)) waiting.set(change.address, change);
    if (collecting) return;
    collecting = true;
    setTimeout(() => {
      collecting = false;
      send('changes', [...waiting.values()]);
      waiting.clear();
    }, COLLECT_MS).unref();
  }

  async function poll(): Promise<void> {
    if (polling || listeners.size === 0 || runtime.stats().leading) return;
    polling = true;
    try {
      const first = mark === undefined;
      const found = await store.changes(mark ?? { at: now(), letter: 0 }, MOST_CHANGES);
      mark = found.mark;
      for (const { address, rev } of found.actors) {
        if (seen.get(address) === rev && rev !== 0) continue;
        seen.set(address, rev);
        if (!first) note({ address, rev });
      }
      if (seen.size > 10 * MOST_CHANGES) seen.clear();
    } finally {
      polling = false;
    }
  }

  const pulse = (): Pulse => ({ now: now(), ...runtime.stats() });
  const stopNotices = runtime.onCommit((notice) => note(changeOf(notice)));
  every(PULSE_MS, () => send('pulse', pulse()));
  every(POLL_MS, () => {
    poll().catch((error: unknown) => log.warn({ err: error }, 'inspector: changes could not be read'));
  });

  return {
    add(response) {
      if (listeners.size >= MOST_LISTENERS) return false;
      listeners.add(response);
      response.on('close', () => listeners.delete(response));
      response.write(`retry: 1000\nevent: pulse\ndata: ${JSON.stringify(pulse())}\n\n`);
      return true;
    },
    close() {
      stopNotices();
      for (const timer of timers) clearInterval(timer);
      for (const response of listeners) response.end();
    },
  };
}

function changeOf({ address, rev, status, to, event }: CommitNotice): Change {
  return { address, rev, status, value: to, event: event.type };
}
