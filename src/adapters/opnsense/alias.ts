/**
 * The content of one alias: read, change, and see that the change is there. The API replaces the whole list, has no
 * versions, and forgets one of two changes made at once. So: one writer in this process, a list is only made of one that
 * was just read whole, and after writing it is read again.
 *
 * What remains: an entry that somebody else saves between our read and our write (milliseconds) is lost, and nobody can
 * see it. OPNsense's API offers nothing against that.
 */
import { RetryableError, TerminalError } from '../../actors/index.ts';
import { garbledError, noAlias, overwritten, refusedContent } from './errors.ts';
import type { Locks } from './locks.ts';
import type { OpnsenseClient } from './request.ts';
import { entriesOf, itemAnswer, reconfigureAnswer, saveAnswer, uuidAnswer } from './shapes.ts';

/** How often a change is made anew that somebody else has overwritten. */
const TRIES = 5;
const HOST = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

export interface Wish {
  /** Entries this program has added at some time: what is no longer wanted of them goes. */
  readonly ours: readonly string[];
  /** Must be there. */
  readonly wanted: readonly string[];
}

export interface Change {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** As it was read after the change. */
  readonly entries: readonly string[];
}

export interface AliasStore {
  readonly name: string;
  /** @throws TerminalError OPNSENSE_NO_ALIAS, OPNSENSE_WRONG_ALIAS */
  read(signal?: AbortSignal): Promise<readonly string[]>;
  /** Entries that are not ours stay as they are. Saved, not yet in force. */
  hold(wish: Wish, signal?: AbortSignal): Promise<Change>;
  /** Puts what is saved in force. `ok` does not prove that the live table has followed. */
  reconfigure(signal?: AbortSignal): Promise<void>;
  /** Saves what is there: proves that changes are allowed, and changes nothing. */
  touch(signal?: AbortSignal): Promise<void>;
  /** Makes an empty alias of type Host(s) unless there is one of that name. @returns whether it was made */
  create(signal?: AbortSignal): Promise<boolean>;
}

export function aliasStore(client: OpnsenseClient, locks: Locks, name: string): AliasStore {
  async function find(signal?: AbortSignal): Promise<string | undefined> {
    const answer = await client.get(`alias/getAliasUUID/${name}`, uuidAnswer, signal);
    return 'uuid' in answer ? answer.uuid : undefined;
  }

  async function load(signal?: AbortSignal): Promise<{ uuid: string; entries: readonly string[] }> {
    const uuid = await find(signal);
    if (uuid === undefined) throw noAlias(name);
    const item = await client.get(`alias/getItem/${uuid}`, itemAnswer, signal);
    // Removed between the two requests.
    if (!('alias' in item)) throw noAlias(name);
    return { uuid, entries: entriesOf(item, name) };
  }

  /** Only the content is sent. Without a name, a server that takes an unknown uuid for a new alias refuses it. */
  async function write(uuid: string, entries: readonly string[], signal?: AbortSignal): Promise<void> {
    const body = { alias: { content: entries.join('\n') } };
    try {
      const answer = await client.post(`alias/setItem/${uuid}`, body, saveAnswer, signal);
      if (answer.result === 'saved') return;
      const words = Object.entries(answer.validations ?? {});
      if (words.some(([field]) => field === 'alias.name')) throw noAlias(name);
      throw refusedContent(name, words.flatMap(([, said]) => said).join(' ') || answer.result);
    } catch (error) {
      // It may have been saved all the same: the next look tells.
      if (!isUnknownOutcome(error) || signal?.aborted) throw error;
    }
  }

  async function change(wish: Wish, signal?: AbortSignal): Promise<Change> {
    const first = await load(signal);
    let now = first;
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const next = merged(now.entries, wish);
      if (same(next, now.entries)) return { ...difference(first.entries, now.entries, wish), entries: now.entries };
      await write(now.uuid, next, signal);
      now = await load(signal);
    }
    throw overwritten(name);
  }

  return {
    name,
    read: async (signal) => (await load(signal)).entries,
    hold(wish, signal) {
      const bad = wish.wanted.find((host) => !HOST.test(host));
      if (bad !== undefined) {
        // A line break would be a second entry, and a single word another alias.
        throw new TerminalError('OPNSENSE_BAD_HOST', `not a host name: ${JSON.stringify(bad)}`, {
          human: 'This is no host name that can be opened.',
        });
      }
      return locks.with(name, () => change(wish, signal));
    },
    async reconfigure(signal) {
      const { status } = await client.post('alias/reconfigure', {}, reconfigureAnswer, signal);
      if (status !== 'ok') throw garbledError('POST alias/reconfigure', `status ${status}`);
    },
    touch: (signal) =>
      locks.with(name, async () => {
        const { uuid, entries } = await load(signal);
        await write(uuid, entries, signal);
      }),
    create: (signal) =>
      locks.with(name, async () => {
        if ((await find(signal)) !== undefined) return false;
        const alias = { enabled: '1', name, type: 'host', content: '', description: 'Domains approved for agents' };
        const answer = await client.post('alias/addItem', { alias }, saveAnswer, signal);
        if (answer.result === 'saved') return true;
        throw refusedContent(name, JSON.stringify(answer.validations ?? answer.result).slice(0, 300));
      }),
  };
}

/** What is not ours in its order, then what is wanted. */
function merged(entries: readonly string[], { ours, wanted }: Wish): readonly string[] {
  const kept = entries.filter((entry) => !ours.includes(entry) || wanted.includes(entry));
  return [...kept, ...new Set(wanted.filter((host) => !kept.includes(host)))];
}

function same(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((entry) => right.includes(entry));
}

function difference(before: readonly string[], after: readonly string[], { ours, wanted }: Wish) {
  return {
    added: wanted.filter((host) => !before.includes(host)),
    removed: ours.filter((host) => before.includes(host) && !after.includes(host)),
  };
}

/** Whether a request may have been carried out although it failed. */
export function isUnknownOutcome(error: unknown): boolean {
  const codes = ['OPNSENSE_TIMEOUT', 'OPNSENSE_UNREACHABLE', 'OPNSENSE_GARBLED'];
  return error instanceof RetryableError && codes.includes(error.code);
}
