/** Counts the statements that reach a server, by name. */
import type { Database } from '../../src/adapters/postgres/index.ts';

export interface Statements {
  count(name: string): void;
  of(name: string): number;
  total(): number;
}

export function countStatements(): Statements {
  const counts = new Map<string, number>();
  return {
    count: (name) => counts.set(name, (counts.get(name) ?? 0) + 1),
    of: (name) => counts.get(name) ?? 0,
    total: () => [...counts.values()].reduce((sum, count) => sum + count, 0),
  };
}

/** The same database; every `pool.query` is counted under its statement's name. */
export function counted(database: Database, statements: Statements): Database {
  const pool = new Proxy(database.pool, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]): unknown => {
        if (property === 'query') statements.count(nameOf(args[0]));
        return Reflect.apply(value, target, args);
      };
    },
  });
  return { ...database, pool };
}

function nameOf(query: unknown): string {
  return typeof query === 'object' && query !== null && 'name' in query ? String(query.name) : 'unnamed';
}
