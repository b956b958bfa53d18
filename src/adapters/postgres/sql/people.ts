/** What people have set for themselves, and who they are that a session heard. */
import type { Address } from '../../../machines/addresses.ts';
import type { Person } from '../../../machines/session/context.ts';
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

const HEARD_FROM: Statement = {
  name: 'heard_from',
  text: `
select body->>'authorId' as id, body->>'author' as name from transcript
where kind = 'heard' and body->>'postId' = any($2::text[]) and session = $1 and coalesce(body->>'authorId', '') <> ''
order by transcript.id`,
};

/** Who wrote these posts, by what the session heard: each of them once for each post. */
export async function heardFrom(db: Database, session: Address, postIds: readonly string[]): Promise<Person[]> {
  const rows = await run<{ id: string; name: string | null }>(db, HEARD_FROM, [session, postIds]);
  return rows.map(({ id, name }) => ({ id, name: name ?? '' }));
}
