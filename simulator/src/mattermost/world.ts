import type { PendingPosts } from './domain/pending.ts';
import type { FaultState } from './faults.ts';
import type { SimLog } from './log.ts';
import type { Store } from './store.ts';
import type { Hub } from './websocket/hub.ts';

/** What every part of the stand-in works on. One per running server. */
export interface World {
  readonly store: Store;
  readonly hub: Hub;
  readonly log: SimLog;
  readonly faults: FaultState;
  readonly pending: PendingPosts;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Hosts that message buttons may call. */
  readonly integrationHosts: ReadonlySet<string>;
  /** Says that something was changed that the state file should hold. */
  readonly changed: () => void;
}

/** The version the stand-in speaks, in the form of the header X-Version-Id and of hello. */
export const SERVER_VERSION = '11.6.0.11.6.0.simulator.false';

/** Length limits of the server, in code points unless said otherwise. */
export const LIMITS = {
  message: 16_383,
  props: 800_000,
  fileIds: 300,
  channelName: 64,
  displayName: 64,
  header: 1_024,
  purpose: 250,
  /** Bytes of a JSON request body (MaximumPayloadSizeBytes). */
  body: 300_000,
  /** Bytes of one uploaded file (MaxFileSize). */
  file: 100 * 1024 * 1024,
} as const;

/** Number of code points: what the server counts, and not what `.length` gives. */
export function runes(value: string): number {
  let count = 0;
  for (const _ of value) count += 1;
  return count;
}
