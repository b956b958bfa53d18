/** What stands between containers and the network, whichever it is. It is told the whole wished state, every time. */
import type { Address } from '../../machines/addresses.ts';

/** What an enforcer can hold. Cards offer and say only what is true. */
export interface Capabilities {
  /** A way is open for one container, not for all of them. */
  readonly perContainer: boolean;
  /** Only the port that was approved is opened (443). */
  readonly port: boolean;
  /** A way with an end closes by itself, even if nobody is there to close it. */
  readonly ttl: boolean;
  /** Open connections end when their way is closed. */
  readonly cuts: boolean;
}

export interface Opening {
  readonly for: 'all' | Address;
  readonly host: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number | undefined;
}

export interface Desired {
  readonly openings: readonly Opening[];
  /** Hosts that this program has entered and not taken out again. Entries of others are never touched. */
  readonly ours: readonly string[];
}

export interface Held {
  /** Wished hosts that were not yet seen in force. */
  readonly late: readonly string[];
  /** What somebody else had changed since the last time, in words; it is as wished again. */
  readonly drift: readonly string[];
}

export interface Enforcer {
  readonly kind: 'opnsense' | 'nftables' | 'none';
  readonly capabilities: Capabilities;
  /** Which of these hosts are open already. Somebody may have entered them by hand. */
  entered(hosts: readonly string[], signal?: AbortSignal): Promise<readonly string[]>;
  /**
   * Brings the firewall to this state. Idempotent.
   * @param isAwaited whether something is to be closed as soon as this is done: then what is slow to come into force is `late`
   * @throws TerminalError, RetryableError
   */
  hold(desired: Desired, signal?: AbortSignal, isAwaited?: () => boolean): Promise<Held>;
}
