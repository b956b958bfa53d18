/** The bot's own sidebar: nobody may sort anybody else's. */
import { z } from 'zod';
import { type Call, path } from './request.ts';

/** A category is replaced as a whole: fields that are not known here must come back as they were. */
const wireCategory = z.looseObject({
  id: z.string().min(1),
  type: z.string().default(''),
  display_name: z.string().default(''),
  channel_ids: z.array(z.string()).nullish(),
});

const wireCategories = z.object({ categories: z.array(wireCategory) });

export interface CategoryOfOwn {
  /** The bot's: `me` works in addresses only, not in what is sent. */
  readonly userId: string;
  readonly teamId: string;
  readonly name: string;
}

type Ask = <T>(call: Call, shape: z.ZodType<T>) => Promise<T>;

/**
 * Puts the channel into the bot's category of that name, which is made if there is none. Reads first in any case: the server
 * makes a sidebar only when it is looked at.
 */
export async function putInCategory(
  ask: Ask,
  { userId, teamId, name }: CategoryOfOwn,
  channelId: string,
): Promise<void> {
  const at = path`/users/${userId}/teams/${teamId}/channels/categories`;
  const { categories } = await ask({ method: 'GET', path: at }, wireCategories);
  const found = categories.find(({ type, display_name }) => type === 'custom' && display_name === name);
  const own = { user_id: userId, team_id: teamId };
  if (found === undefined) {
    const json = { ...own, display_name: name, type: 'custom', channel_ids: [channelId] };
    await ask({ method: 'POST', path: at, json }, wireCategory);
    return;
  }
  const channels = found.channel_ids ?? [];
  if (channels.includes(channelId)) return;
  const json = { ...found, ...own, channel_ids: [channelId, ...channels] };
  await ask({ method: 'PUT', path: `${at}/${found.id}`, json }, wireCategory);
}
