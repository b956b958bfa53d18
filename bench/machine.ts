/** Where figures were measured: they mean little without it. */
import { arch, availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';

export interface Machine {
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly node: string;
  /** Runnable processes over the last minute, before the run: above `cpus`, others were busy. */
  readonly loadBefore: number;
}

export interface Server {
  readonly version: string;
  readonly settings: Readonly<Record<string, string>>;
}

const SETTINGS = ['fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'autovacuum'];

export function thisMachine(): Machine {
  return {
    cpu: `${cpus()[0]?.model ?? 'unknown'} (${arch()})`,
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.version,
    loadBefore: loadavg()[0] ?? 0,
  };
}

export async function serverOf(pool: pg.Pool): Promise<Server> {
  const { rows } = await pool.query<{ name: string; value: string }>(
    `select name, current_setting(name) as value from pg_settings where name = any($1) or name = 'server_version'`,
    [SETTINGS],
  );
  const all = new Map(rows.map(({ name, value }) => [name, value]));
  return {
    version: all.get('server_version') ?? 'unknown',
    settings: Object.fromEntries(SETTINGS.map((name) => [name, all.get(name) ?? 'unknown'])),
  };
}

/**
 * Live bytes on the heap after a full collection.
 * @throws Error without `--expose-gc`.
 */
export async function heapBytes(): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('Run node with --expose-gc');
  globalThis.gc();
  // What was stopped a moment ago is still held by callbacks under way; what is finalised first only goes in the second.
  await sleep(100);
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

/** Processor time of this process so far, milliseconds. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
