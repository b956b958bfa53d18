/** What tests with a VM wait for, and how long: generous, because the machine may be doing something else. */
import pg from 'pg';
import { type Person, type Post, type Thread, until } from '../person.ts';

/** A container that is made, or a VM that comes back. */
export const LONG_MS = 240_000;

/** Waits for a condition; says what it waited for if it was in vain. */
export async function eventually(what: string, holds: () => Promise<boolean>, patienceMs = LONG_MS): Promise<void> {
  const held = await until(patienceMs, async () => ((await holds()) ? true : undefined));
  if (!held) throw new Error(`Waited in vain until ${what}.`);
}

/** The first post of the bot after the given one, or an edit of one after it, that fits. */
export async function hearAfter(
  you: Person,
  { rootId }: Thread,
  after: readonly Post[],
  fits: RegExp,
  patienceMs = LONG_MS,
): Promise<Post> {
  const known = new Map(after.map((post) => [post.id, post.message]));
  return you.hear(rootId, (post) => known.get(post.id) !== post.message && fits.test(post.message), patienceMs);
}

/** The agent answers: what is said is said back. */
export async function answers(you: Person, thread: Thread, mark: string, patienceMs = LONG_MS): Promise<Post> {
  await you.say(`say ${mark}`, thread);
  return you.hear(thread.rootId, (post) => post.message.includes(mark), patienceMs);
}

/** All that the bot has said in the thread, for messages of failed assertions. */
export async function said(you: Person, { rootId }: Thread): Promise<string> {
  return (await you.answersIn(rootId)).map(({ message }) => message).join('\n---\n');
}

/** What the actors of a repository went through last, for messages of failed assertions. */
export async function story(databaseUrl: string, repo: string): Promise<string> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ line: string }>(
      `select concat_ws(' ', to_char(at, 'HH24:MI:SS.MS'), actor_id, event->>'type', event->>'found', event->>'code',
         event->>'generation', left(concat(event->>'text', event->>'human', event->>'reason'), 120), value::text) as line
       from journal
       where actor_id = $1 or actor_id in (select id from actor where state->'snapshot'->'context'->>'container' = $1)
       order by at desc limit 60`,
      [`container/${repo}@`],
    );
    return rows
      .map(({ line }) => line)
      .reverse()
      .join('\n');
  } finally {
    await client.end();
  }
}
