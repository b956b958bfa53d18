/** What all figures are compared with: the smallest durable write that this server can do, again and again. */
import type pg from 'pg';
import { cpuMs } from '../machine.ts';

export interface BareResult {
  readonly perSecond: number;
  /** Milliseconds per UPDATE. */
  readonly each: readonly number[];
  /** Processor time of this process per UPDATE. */
  readonly cpuMs: number;
}

const UPDATE = { name: 'bench_bare', text: 'update bench_bare set n = n + 1 where id = $1' };

export async function prepareBare(pool: pg.Pool): Promise<void> {
  await pool.query('create table bench_bare (id int primary key, n bigint not null)');
  await pool.query('insert into bench_bare select id, 0 from generate_series(1, 64) id');
}

/** @param loops how many at the same time, each with a row of its own; at most the pool's connections make sense. */
export async function runBare(pool: pg.Pool, loops: number, ms: number): Promise<BareResult> {
  const each: number[] = [];
  const cpuBefore = cpuMs();
  const started = performance.now();
  await Promise.all(
    Array.from({ length: loops }, async (_, index) => {
      for (let from = performance.now(); from - started < ms; ) {
        await pool.query({ ...UPDATE, values: [index + 1] });
        const to = performance.now();
        each.push(to - from);
        from = to;
      }
    }),
  );
  const perSecond = (each.length * 1000) / (performance.now() - started);
  return { perSecond, each, cpuMs: (cpuMs() - cpuBefore) / each.length };
}
