/** The channel of a repository: made once, private, and remembered by its id, never found by its name. */
import { createHash } from 'node:crypto';
import { type Log, type StorePorts, TerminalError } from '../actors/index.ts';
import { isChatError, type MattermostRest } from '../adapters/mattermost/index.ts';

const MAX_NAME = 64;

export interface ProjectChannelPorts {
  readonly rest: Pick<
    MattermostRest,
    'channel' | 'createChannel' | 'addMember' | 'putInCategory' | 'userByUsername' | 'usersByIds'
  >;
  readonly store: Pick<StorePorts, 'projectChannel' | 'putProjectChannel'>;
  readonly botUserId: string;
  readonly teamId: string;
  /** Of the bot's own sidebar. */
  readonly category: string;
  /** Names or ids of people who belong into every new channel. */
  readonly members: readonly string[];
  readonly log: Log;
}

/** @returns the id of the repository's channel, created if it has none or its channel was archived. */
export async function ensureProjectChannel(ports: ProjectChannelPorts, repo: string): Promise<string> {
  const { rest, store } = ports;
  const known = await store.projectChannel(repo);
  if (known !== undefined) {
    const channel = await rest.channel(known);
    if (channel && !channel.archived) return known;
  }
  const created = await createChannel(ports, repo);
  const holds = await store.putProjectChannel(repo, created, { replace: known !== undefined });
  await furnish(ports, holds);
  return holds;
}

/** A taken name may be anybody's channel, so it is never adopted: a numbered name with a hash is tried instead. */
async function createChannel({ rest, teamId }: ProjectChannelPorts, repo: string): Promise<string> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    try {
      const channel = await rest.createChannel({
        teamId,
        name: channelName(repo, attempt),
        displayName: [...repo].slice(0, MAX_NAME).join(''),
        type: 'P',
        purpose: `Claude sessions for ${repo}`,
      });
      return channel.id;
    } catch (error) {
      if (!isChatError(error, 'CHAT_CHANNEL_EXISTS')) throw error;
    }
  }
  throw new TerminalError('CHANNEL_NAMES_TAKEN', `No free channel name for ${repo}`, {
    human: `Every channel name for ${repo} is taken. Remove or rename one of them.`,
  });
}

/** Once, and as far as it works: nobody's session waits for how a channel is sorted or for somebody who has left. */
async function furnish(ports: ProjectChannelPorts, channelId: string): Promise<void> {
  const { rest, botUserId: userId, teamId, category, members, log } = ports;
  const orGoOn = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      log.warn({ channelId, what, err: error }, 'a new channel is not quite as it should be');
    }
  };
  await orGoOn('category', () => rest.putInCategory({ userId, teamId, name: category }, channelId));
  for (const member of members) {
    await orGoOn(`member ${member}`, async () => rest.addMember(channelId, await idOf(rest, member)));
  }
}

async function idOf(rest: ProjectChannelPorts['rest'], member: string): Promise<string> {
  const [byId] = /^[a-z0-9]{26}$/.test(member) ? await rest.usersByIds([member]) : [];
  const found = byId ?? (await rest.userByUsername(member));
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
