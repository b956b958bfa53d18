/** What waits to be done, for metrics. */
import type { DeadReason, StorePorts } from '../../../actors/store.ts';
import { type Database, run, type Statement } from '../database.ts';

const OLDEST_EFFECT: Statement = {
  name: 'oldest_effect',
  text: `
select coalesce(extract(epoch from now() - min(run_at)) * 1000, 0)::bigint as ms
from effect where status = 'pending' and run_at <= now()`,
};

const OPEN_LETTERS: Statement = {
  name: 'open_letters',
  text: 'select reason, count(*) as count from dead_letter where settled_at is null group by reason order by reason',
};

export async function backlog(db: Database): ReturnType<StorePorts['backlog']> {
  const [oldest] = await run<{ ms: number }>(db, OLDEST_EFFECT);
  const deadLetters = await run<{ reason: DeadReason; count: number }>(db, OPEN_LETTERS);
  return { oldestEffectMs: oldest?.ms ?? 0, deadLetters };
}
