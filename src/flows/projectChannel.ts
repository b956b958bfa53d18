/** The channel of a repository: made once, private, and remembered by its id, never found by its name. */
import { createHash } from 'node:crypto';
import { type Log, RetryableError, type StorePorts, TerminalError } from '../actors/index.ts';
import type { MattermostRest } from '../adapters/mattermost/index.ts';
import type { Posting } from './posting.ts';

const MAX_NAME = 64;

export interface ProjectChannelPorts {
  readonly rest: Pick<
    MattermostRest,
    'channel' | 'createChannel' | 'channelMembers' | 'addMember' | 'putInCategory' | 'userByUsername' | 'usersByIds'
  >;
  readonly store: Pick<StorePorts, 'projectChannel' | 'putProjectChannel' | 'isFurnished' | 'putFurnished'>;
  readonly posting: Pick<Posting, 'call'>;
  readonly botUserId: string;
  readonly teamId: string;
  /** Of the bot's own sidebar. */
  readonly category: string;
  /** Names or ids of people who belong into every new channel. */
  readonly members: readonly string[];
  readonly log: Log;
}

/** One attempt at the effect that needs the channel. */
export interface ChannelAttempt {
  /** 1 for the first. */
  readonly attempt: number;
  readonly signal: AbortSignal;
}

/** So often is tried to furnish a channel before the session goes on without that. */
const PATIENT_ATTEMPTS = 5;

/** One request, in its turn. */
type Ask = <Result>(work: () => Promise<Result>) => Promise<Result>;

/**
 * @returns the id of the repository's channel, created if it has none or its channel was archived
 * @throws what the chat answers; what goes on from there is another attempt
 */
export async function ensureProjectChannel(
  ports: ProjectChannelPorts,
  repo: string,
  { attempt, signal }: ChannelAttempt,
): Promise<string> {
  const ask: Ask = (work) => ports.posting.call('decision', work, signal);
  const channelId = await channelOf(ports, repo, ask);
  if (await ports.store.isFurnished(channelId)) return channelId;
  try {
    await furnish(ports, channelId, ask);
    await ports.store.putFurnished(channelId);
  } catch (error) {
    if (!(error instanceof RetryableError) || attempt < PATIENT_ATTEMPTS) throw error;
    // The next session that begins here tries again.
    ports.log.warn({ channelId, err: error }, 'a new channel is not furnished yet');
  }
  return channelId;
}

async function channelOf(ports: ProjectChannelPorts, repo: string, ask: Ask): Promise<string> {
  const { rest, store } = ports;
  const known = await store.projectChannel(repo);
  if (known !== undefined) {
    const channel = await ask(() => rest.channel(known));
    if (channel && !channel.archived) return known;
  }
  const created = await createChannel(ports, repo, ask);
  return store.putProjectChannel(repo, created, { replace: known !== undefined });
}

/** A taken name may be anybody's channel, so it is never adopted: a numbered name with a hash is tried instead. */
async function createChannel({ rest, teamId }: ProjectChannelPorts, repo: string, ask: Ask): Promise<string> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    try {
      const displayName = [...repo].slice(0, MAX_NAME).join('');
      const purpose = `Claude sessions for ${repo}`;
      const asked = { teamId, name: channelName(repo, attempt), displayName, type: 'P', purpose } as const;
      const channel = await ask(() => rest.createChannel(asked));
      return channel.id;
    } catch (error) {
      if (!(error instanceof TerminalError) || error.code !== 'CHAT_CHANNEL_EXISTS') throw error;
    }
  }
  throw new TerminalError('CHANNEL_NAMES_TAKEN', `No free channel name for ${repo}`, {
    human: `Every channel name for ${repo} is taken. Remove or rename one of them.`,
  });
}

/**
 * Sorts the channel and adds who belongs into it, as far as the chat takes it: nobody's session waits for somebody who has left.
 * May be done again, in part or in full.
 */
async function furnish(ports: ProjectChannelPorts, channelId: string, ask: Ask): Promise<void> {
  const { rest, botUserId: userId, teamId, category, members, log } = ports;
  const unlessRefused = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof TerminalError)) throw error;
      log.warn({ channelId, what, err: error }, 'a new channel is not quite as it should be');
    }
  };
  await unlessRefused('category', () => ask(() => rest.putInCategory({ userId, teamId, name: category }, channelId)));
  if (members.length === 0) return;
  // Of many members, a later attempt adds only those that an earlier one did not get to.
  const there = new Set<string>();
  await unlessRefused('members', async () => {
    for (const member of await ask(() => rest.channelMembers(channelId, 0))) there.add(member.userId);
  });
  for (const member of members) {
    await unlessRefused(`member ${member}`, async () => {
      if (there.has(member)) return;
      const id = await idOf(rest, member, ask);
      if (!there.has(id)) await ask(() => rest.addMember(channelId, id));
    });
  }
}

async function idOf(rest: ProjectChannelPorts['rest'], member: string, ask: Ask): Promise<string> {
  const [byId] = /^[a-z0-9]{26}$/.test(member) ? await ask(() => rest.usersByIds([member])) : [];
  const found = byId ?? (await ask(() => rest.userByUsername(member)));
  if (!found) throw new TerminalError('NOBODY', `SM_CHANNEL_MEMBERS names ${member}, whom Mattermost does not know.`);
  return found.id;
}

/** Lower-case letters, digits and dashes, starting and ending with a letter or digit. */
export function channelName(repo: string, attempt: number): string {
  const slug = repo
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  if (attempt === 0 && slug.length >= 2 && slug.length <= MAX_NAME) return slug;
  const hash = createHash('sha256').update(`${repo}/${attempt}`).digest('hex').slice(0, 6);
  const room = slug.slice(0, MAX_NAME - hash.length - 1).replace(/-+$/, '');
  return room === '' ? `repo-${hash}` : `${room}-${hash}`;
}
