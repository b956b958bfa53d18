import type { Category } from '../entities.ts';
import { newId } from '../ids.ts';
import type { World } from '../world.ts';

export const categoryKey = (userId: string, teamId: string) => `${userId}/${teamId}`;

/**
 * The sidebar of a user in a team, made on first sight. Channels that no category names are shown under "Channels";
 * a channel is only ever in one category.
 */
export function sidebar(world: World, userId: string, teamId: string): Category[] {
  const key = categoryKey(userId, teamId);
  const known = world.store.categories.get(key) ?? initial(userId, teamId);
  world.store.categories.set(key, known);
  const placed = new Set(known.flatMap((category) => category.channel_ids));
  const rest = known.find((category) => category.type === 'channels');
  for (const [channelId, members] of world.store.channelMembers) {
    const channel = world.store.channels.get(channelId);
    if (channel?.team_id === teamId && members.has(userId) && !placed.has(channelId)) rest?.channel_ids.push(channelId);
  }
  return known;
}

/** Adds a category of one's own in second place, after the favourites, as the server does. */
export function addCategory(
  world: World,
  userId: string,
  teamId: string,
  displayName: string,
  channelIds: string[],
): Category {
  const category: Category = { ...blank(userId, teamId, 'custom', displayName), id: newId() };
  const categories = sidebar(world, userId, teamId);
  categories.splice(1, 0, category);
  placeChannels(categories, category, channelIds);
  return category;
}

/** Gives a category exactly these channels, and takes them out of all others. */
export function placeChannels(categories: Category[], category: Category, channelIds: string[]): void {
  const moved = new Set(channelIds);
  for (const other of categories) {
    if (other !== category) other.channel_ids = other.channel_ids.filter((id) => !moved.has(id));
  }
  category.channel_ids = [...moved];
}

function initial(userId: string, teamId: string): Category[] {
  return [
    blank(userId, teamId, 'favorites', 'Favorites'),
    blank(userId, teamId, 'channels', 'Channels'),
    blank(userId, teamId, 'direct_messages', 'Direct Messages'),
  ];
}

function blank(userId: string, teamId: string, type: Category['type'], displayName: string): Category {
  return {
    id: `${type}_${userId}_${teamId}`,
    user_id: userId,
    team_id: teamId,
    type,
    display_name: displayName,
    sorting: '',
    muted: false,
    collapsed: false,
    channel_ids: [],
  };
}
