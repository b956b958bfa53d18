/**
 * What a firewall holds, in the three places where it can differ: the saved configuration, the tables that were last
 * reconfigured, and the live tables that packets are compared with.
 */
import { randomUUID } from 'node:crypto';

export interface Alias {
  readonly uuid: string;
  name: string;
  type: string;
  enabled: boolean;
  description: string;
  content: string[];
}

/** `alias`: change aliases. `aliasRead`: look at them. `tables`: the live tables. */
export type Privilege = 'alias' | 'aliasRead' | 'tables';

export interface ApiUser {
  readonly key: string;
  readonly secret: string;
  privileges: Privilege[];
  /** May call everything it has a privilege for, but every change of the configuration fails. */
  readonlyConfig: boolean;
}

/** Where the live tables go besides memory. */
export interface TableSink {
  /** Called one at a time, with everything a table holds from now on. */
  set(alias: string, addresses: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export type Resolve = (name: string) => Promise<readonly string[]>;

export interface World {
  readonly users: ApiUser[];
  readonly aliases: Map<string, Alias>;
  /** As of the last reconfigure: names to content. What the updater works from. */
  readonly applied: Map<string, readonly string[]>;
  readonly live: Map<string, Set<string>>;
  /** When each alias was last resolved, in epoch milliseconds. */
  readonly resolvedAt: Map<string, number>;
  readonly sink: TableSink | undefined;
  resolve: Resolve;
  readonly now: () => number;
  readonly knobs: Knobs;
}

export interface Knobs {
  /** Another run of the updater holds its lock: a reconfigure answers `ok` and refreshes nothing. */
  refreshLocked: boolean;
  /** A reconfigure answers that many milliseconds late; it is carried out although nobody waits any more. */
  reconfigureMs: number;
  /** The next so many reconfigures fail with the server's error. */
  failReconfigures: number;
  /** Called after a request was carried out, before it is answered: another writer's chance. */
  between: ((path: string) => void) | undefined;
  /** The next so many answers to fitting requests are lost: carried out, then the connection is cut. */
  loseAnswers: { left: number; path: RegExp } | undefined;
  /** The next so many fitting requests are answered like this and not carried out. */
  answer: { left: number; path: RegExp; status: number; body: string } | undefined;
}

export function newKnobs(): Knobs {
  return {
    refreshLocked: false,
    reconfigureMs: 0,
    failReconfigures: 0,
    between: undefined,
    loseAnswers: undefined,
    answer: undefined,
  };
}

export function addAlias(world: World, given: Partial<Alias> & { name: string }): Alias {
  const alias: Alias = {
    uuid: given.uuid ?? randomUUID(),
    name: given.name,
    type: given.type ?? 'host',
    enabled: given.enabled ?? true,
    description: given.description ?? '',
    content: [...(given.content ?? [])],
  };
  world.aliases.set(alias.uuid, alias);
  return alias;
}

export function aliasByName(world: World, name: string): Alias | undefined {
  return [...world.aliases.values()].find((alias) => alias.name === name);
}
