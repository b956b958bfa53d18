/** Channels: how far each was read, and which belongs to which repository. */
import type { CursorMove } from '../../../actors/types.ts';
import { type Database, run, type Statement } from '../database.ts';

const CHAT_CURSORS: Statement = {
  name: 'chat_cursors',
  text: 'select channel_id, read_up_to from chat_cursor order by channel_id',
};

export async function chatCursors(db: Database): Promise<CursorMove[]> {
  const rows = await run<{ channel_id: string; read_up_to: number }>(db, CHAT_CURSORS);
  return rows.map((row) => ({ channelId: row.channel_id, readUpTo: row.read_up_to }));
}

const PROJECT_CHANNEL: Statement = {
  name: 'project_channel',
  text: 'select channel_id from project_channel where repo = $1',
};

export async function projectChannel(db: Database, repo: string): Promise<string | undefined> {
  const [row] = await run<{ channel_id: string }>(db, PROJECT_CHANNEL, [repo]);
  return row?.channel_id;
}

const PROJECT_CHANNELS: Statement = {
  name: 'project_channels',
  text: 'select repo, channel_id from project_channel order by repo',
};

export async function projectChannels(db: Database): Promise<{ repo: string; channelId: string }[]> {
  const rows = await run<{ repo: string; channel_id: string }>(db, PROJECT_CHANNELS);
  return rows.map((row) => ({ repo: row.repo, channelId: row.channel_id }));
}

const IS_PROJECT_CHANNEL: Statement = {
  name: 'is_project_channel',
  text: 'select exists (select from project_channel where channel_id = $1) as is_one',
};

export async function isProjectChannel(db: Database, channelId: string): Promise<boolean> {
  const [row] = await run<{ is_one: boolean }>(db, IS_PROJECT_CHANNEL, [channelId]);
  return row?.is_one === true;
}

const PUT_PROJECT_CHANNEL: Statement = {
  name: 'put_project_channel',
  text: `
insert into project_channel as p (repo, channel_id, furnished) values ($1, $2, false)
on conflict (repo) do update set channel_id = case when $3::boolean then excluded.channel_id else p.channel_id end,
  furnished = p.furnished and not $3::boolean
returning channel_id`,
};

/** @returns the channel that holds: the first one put, unless it is replaced on purpose. */
export async function putProjectChannel(
  db: Database,
  repo: string,
  channelId: string,
  options: { readonly replace?: boolean } = {},
): Promise<string> {
  const [row] = await run<{ channel_id: string }>(db, PUT_PROJECT_CHANNEL, [repo, channelId, options.replace === true]);
  return row?.channel_id ?? channelId;
}

const IS_FURNISHED: Statement = {
  name: 'is_furnished',
  text: 'select furnished from project_channel where channel_id = $1',
};

export async function isFurnished(db: Database, channelId: string): Promise<boolean> {
  const [row] = await run<{ furnished: boolean }>(db, IS_FURNISHED, [channelId]);
  return row?.furnished === true;
}

const PUT_FURNISHED: Statement = {
  name: 'put_furnished',
  text: 'update project_channel set furnished = true where channel_id = $1',
};

export async function putFurnished(db: Database, channelId: string): Promise<void> {
  await run(db, PUT_FURNISHED, [channelId]);
}

const CHANNEL_VERBOSITY: Statement = {
  name: 'channel_verbosity',
  text: 'select verbosity from project_channel where channel_id = $1',
};

/** Undefined: it has none of its own, or it is no repository's channel. */
export async function channelVerbosity(db: Database, channelId: string): Promise<string | undefined> {
  const [row] = await run<{ verbosity: string | null }>(db, CHANNEL_VERBOSITY, [channelId]);
  return row?.verbosity ?? undefined;
}

const SET_CHANNEL_VERBOSITY: Statement = {
  name: 'set_channel_verbosity',
  text: `update project_channel set verbosity = nullif($2, '') where channel_id = $1 returning repo`,
};

/** @param verbosity empty: none of its own. @returns whether it is a repository's channel at all */
export async function setChannelVerbosity(db: Database, channelId: string, verbosity: string): Promise<boolean> {
  return (await run<{ repo: string }>(db, SET_CHANNEL_VERBOSITY, [channelId, verbosity])).length > 0;
}
