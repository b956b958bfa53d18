/** Going back to a program with older charts than those that have led. */
import { type Database, run, type Statement } from './database.ts';

const NEWER_STATES: Statement = {
  name: 'newer_states',
  text: `
select a.kind, a.version, count(*) as count
from actor a left join jsonb_each_text($1::jsonb) own on own.key = a.kind
where a.status <> 'done' and a.version > coalesce(own.value::int, 0)
group by 1, 2 order by 1, 2`,
};

const FORGET_CHARTS: Statement = {
  name: 'forget_charts',
  text: `update lease set charts = '{}' where id = 1`,
};

/** Actors that are not over and whose state was written by a newer chart. */
export interface NewerStates {
  readonly kind: string;
  readonly version: number;
  readonly count: number;
}

/** @param charts the version of every chart this program runs. @returns what it could not read; it would leave these alone. */
export async function newerStates(db: Database, charts: Readonly<Record<string, number>>): Promise<NewerStates[]> {
  return run<NewerStates & Record<string, unknown>>(db, NEWER_STATES, [JSON.stringify(charts)]);
}

/** Forgets which charts have led: until a newer program leads again, an older one may. */
export async function forgetCharts(db: Database): Promise<void> {
  await run(db, FORGET_CHARTS);
}
