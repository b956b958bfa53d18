import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isFields } from './fields.ts';
import { addPost, membersOf, type Store } from './store.ts';

/** Changes within that many milliseconds of each other are written together. */
const QUIET_MS = 200;

export interface StateFile {
  changed(): void;
  /** Writes what is not written yet. */
  flush(): void;
}

/** Everything but the contents of files, which are only kept in memory. */
type Snapshot = ReturnType<typeof snapshot>;

const FORMAT = 1;

function snapshot(store: Store) {
  return {
    format: FORMAT,
    users: [...store.users.values()],
    tokens: [...store.tokens.values()],
    teams: [...store.teams.values()],
    teamMembers: [...store.teamMembers.values()],
    channels: [...store.channels.values()],
    channelMembers: [...store.channelMembers.values()].flatMap((members) => [...members.values()]),
    posts: [...store.posts.values()],
    reactions: [...store.reactions.values()].flat(),
    files: [...store.files.values()],
    categories: [...store.categories.values()],
  };
}

/**
 * Loads the store from `file`, if it is there, and keeps it up to date: each write goes to a file beside it that is
 * then renamed, so a reader never sees half of it. Throws when the file is there but is none of ours.
 */
export function openStateFile(file: string, store: Store): StateFile {
  if (existsSync(file)) load(store, parse(readFileSync(file, 'utf8'), file));
  let timer: NodeJS.Timeout | undefined;
  let dirty = false;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (!dirty) return;
    dirty = false;
    writeFileSync(`${file}.new`, JSON.stringify(snapshot(store)), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  };
  return {
    changed: () => {
      dirty = true;
      timer ??= setTimeout(flush, QUIET_MS).unref();
    },
    flush,
  };
}

function parse(text: string, file: string): Snapshot {
  const value: unknown = JSON.parse(text);
  if (!isSnapshot(value)) throw new Error(`${file} is not a state file of this version`);
  return value;
}

function isSnapshot(value: unknown): value is Snapshot {
  return isFields(value) && value.format === FORMAT && Array.isArray(value.users) && Array.isArray(value.posts);
}

function load(store: Store, saved: Snapshot): void {
  for (const user of saved.users) store.users.set(user.id, user);
  for (const access of saved.tokens) store.tokens.set(access.token, access);
  for (const team of saved.teams) store.teams.set(team.id, team);
  for (const member of saved.teamMembers) store.teamMembers.set(`${member.team_id}/${member.user_id}`, member);
  for (const channel of saved.channels) store.channels.set(channel.id, channel);
  for (const member of saved.channelMembers) membersOf(store, member.channel_id).set(member.user_id, member);
  for (const post of saved.posts) addPost(store, post);
  for (const reaction of saved.reactions) {
    store.reactions.set(reaction.post_id, [...(store.reactions.get(reaction.post_id) ?? []), reaction]);
  }
  for (const file of saved.files) store.files.set(file.id, file);
  for (const categories of saved.categories) {
    const [first] = categories;
    if (first) store.categories.set(`${first.user_id}/${first.team_id}`, categories);
  }
}
