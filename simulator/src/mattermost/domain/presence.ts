import type { Presence } from '../entities.ts';
import type { World } from '../world.ts';

export function presenceOf(world: World, userId: string): Presence {
  const known = world.store.presence.get(userId);
  if (known) return known;
  const presence: Presence = {
    user_id: userId,
    status: 'offline',
    manual: false,
    last_activity_at: world.now(),
    dnd_end_time: 0,
  };
  world.store.presence.set(userId, presence);
  return presence;
}

/** Sets a status; only a change is an event, and only the user's own connections get it. */
export function setStatus(world: World, userId: string, status: string, manual: boolean): Presence {
  const presence = presenceOf(world, userId);
  if (presence.manual && !manual) return presence;
  const changed = presence.status !== status;
  presence.status = status;
  presence.manual = manual && status !== 'online';
  presence.last_activity_at = world.now();
  if (changed) world.hub.publish({ event: 'status_change', data: { status, user_id: userId }, audience: { userId } });
  return presence;
}

export function userOnline(world: World, userId: string): void {
  setStatus(world, userId, 'online', false);
}

/** Offline once the last of the user's sockets is gone; the event then waits, numbered, in the user's own queues. */
export function userOffline(world: World, userId: string): void {
  const here = world.hub.all().some((connection) => connection.userId === userId && connection.socket !== undefined);
  if (!here) setStatus(world, userId, 'offline', false);
}

/** Typing reaches everybody in the channel but the one who types. */
export function publishTyping(world: World, userId: string, channelId: string, parentId: string): void {
  world.hub.publish({
    event: 'typing',
    data: { parent_id: parentId, user_id: userId },
    audience: { channelId, omitUserId: userId },
  });
}
