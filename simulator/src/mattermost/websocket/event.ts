/** Who an event is for. Empty strings mean "not narrowed by this". */
export interface Audience {
  userId?: string;
  channelId?: string;
  teamId?: string;
  omitUserId?: string;
}

/** An event before it is numbered for a connection. */
export interface HubEvent {
  event: string;
  data: Record<string, unknown>;
  audience: Audience;
  /** Fields that only a certain receiver gets, e.g. `mentions`. */
  dataFor?: (userId: string) => Record<string, unknown>;
}

/** Events that are dropped without taking a number when a connection has fallen behind. */
const DISPENSABLE = new Set(['typing', 'status_change', 'multiple_channels_viewed', 'channel_viewed']);

export function isDispensable(event: HubEvent): boolean {
  return DISPENSABLE.has(event.event);
}

/** The text frame of an event as a certain user gets it. `seq` counts every event on the connection, from 0. */
export function encodeEvent(event: HubEvent, userId: string, seq: number): string {
  const { audience } = event;
  return JSON.stringify({
    event: event.event,
    data: { ...event.data, ...event.dataFor?.(userId) },
    broadcast: {
      omit_users: audience.omitUserId === undefined ? null : { [audience.omitUserId]: true },
      user_id: audience.userId ?? '',
      channel_id: audience.channelId ?? '',
      team_id: audience.teamId ?? '',
      connection_id: '',
      omit_connection_id: '',
    },
    seq,
  });
}
