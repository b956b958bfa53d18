/** Counts the statements that are sent to a server, by name: each is a round trip. */
import type pg from 'pg';
import type { Database } from '../../src/adapters/postgres/index.ts';

export interface Statements {
  of(name: string): number;
  total(): number;
}

/** @returns the same database, whose lent connections count what is asked on them. */
export function counting(database: Database): { readonly db: Database; readonly statements: Statements } {
  const counts = new Map<string, number>();
  const count = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  return {
    db: { ...database, lend: (doing, work) => database.lend(doing, (client) => work(watched(client, count))) },
    statements: {
      of: (name) => counts.get(name) ?? 0,
      total: () => [...counts.values()].reduce((sum, one) => sum + one, 0),
    },
  };
}

function watched(client: pg.PoolClient, count: (name: string) => void): pg.PoolClient {
  return new Proxy(client, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]): unknown => {
        if (property === 'query') count(nameOf(args[0]));
        return Reflect.apply(value, target, args);
      };
    },
  });
}

function nameOf(query: unknown): string {
  return typeof query === 'object' && query !== null && 'name' in query ? String(query.name) : 'unnamed';
}
