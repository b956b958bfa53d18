/** What agents have cost, from the ends of their turns. */
import { type Database, run, type Statement } from '../database.ts';

/** A turn is on the account of whoever's post it took up first; one that began by itself, of who started its session. */
const SPENT_SINCE: Statement = {
  name: 'spent_since',
  text: `
select coalesce(sum(usd), 0)::float8 as all, coalesce(sum(usd) filter (where payer = $2), 0)::float8 as user
from (
  select (t.body->>'costUsd')::float8 as usd,
         coalesce(
           (select h.body->>'authorId' from transcript h
            where h.kind = 'heard' and h.body->>'postId' = t.body->'inputIds'->>0 and h.session = t.session limit 1),
           a.state #>> '{snapshot,context,request,owner,id}'
         ) as payer
  from transcript t left join actor a on a.id = t.session
  where t.kind = 'turnEnded' and t.at >= to_timestamp($1::bigint / 1000.0)
) turns`,
};

export async function spentSince(db: Database, at: number, userId: string): Promise<{ all: number; user: number }> {
  const [row] = await run<{ all: number; user: number }>(db, SPENT_SINCE, [at, userId]);
  return { all: row?.all ?? 0, user: row?.user ?? 0 };
}
