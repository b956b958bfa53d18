/** What people have set for themselves. */
import { type Database, run, type Statement } from '../database.ts';

const WITHOUT_NOTICES: Statement = {
  name: 'without_notices',
  text: 'select user_id from person where user_id = any($1::text[]) and not notices',
};

export async function withoutNotices(db: Database, userIds: readonly string[]): Promise<readonly string[]> {
  const rows = await run<{ user_id: string }>(db, WITHOUT_NOTICES, [userIds]);
  return rows.map((row) => row.user_id);
}

const PUT_NOTICES: Statement = {
  name: 'put_notices',
  text: `
insert into person (user_id, notices) values ($1, $2)
on conflict (user_id) do update set notices = excluded.notices, updated_at = now()`,
};

export async function putNotices(db: Database, userId: string, on: boolean): Promise<void> {
  await run(db, PUT_NOTICES, [userId, on]);
}
