/** The channel of a repository: made once, private, and remembered by its id, never found by its name. */
import { createHash } from 'node:crypto';
import { type StorePorts, TerminalError } from '../actors/index.ts';
import { isChatError, type MattermostRest } from '../adapters/mattermost/index.ts';

const MAX_NAME = 64;

/** @returns the id of the repository's channel, created if it has none or its channel was archived. */
export async function ensureProjectChannel(
  rest: MattermostRest,
  store: StorePorts,
  teamId: string,
  repo: string,
): Promise<string> {
  const known = await store.projectChannel(repo);
  if (known !== undefined) {
    const channel = await rest.channel(known);
    if (channel && !channel.archived) return known;
  }
  const created = await createChannel(rest, teamId, repo);
  return store.putProjectChannel(repo, created, { replace: known !== undefined });
}

/** A taken name may be anybody's channel, so it is never adopted: a numbered name with a hash is tried instead. */
async function createChannel(rest: MattermostRest, teamId: string, repo: string): Promise<string> {
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
