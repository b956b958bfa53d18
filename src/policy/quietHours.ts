/** Hours of the day in which nobody is to be disturbed. */

export interface QuietHours {
  /** Minutes since midnight. Later than `to`: over midnight. */
  readonly from: number;
  readonly to: number;
  /** A name of the time zone database. */
  readonly zone: string;
}

/** Reads `22:00-07:00 Europe/Berlin`; without a zone it is UTC. */
export function parseQuietHours(text: string): { readonly hours: QuietHours } | { readonly problem: string } {
  const match = /^(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})(?:\s+(\S+))?$/.exec(text.trim());
  const [from, to] = match === null ? [] : [minutesOf(match[1], match[2]), minutesOf(match[3], match[4])];
  if (from === undefined || to === undefined || from === to) {
    return { problem: 'must be two different times of the day and a time zone, like 22:00-07:00 Europe/Berlin' };
  }
  const zone = match?.[5] ?? 'UTC';
  return isZone(zone) ? { hours: { from, to, zone } } : { problem: 'names a time zone that is not known' };
}

function minutesOf(hours: string | undefined, minutes: string | undefined): number | undefined {
  const [h, m] = [Number(hours), Number(minutes)];
  return h < 24 && m < 60 ? h * 60 + m : undefined;
}

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    // A RangeError is how it says that there is no such zone.
    return false;
  }
}

/** @param at milliseconds since the epoch */
export function isQuiet(hours: QuietHours | null, at: number): boolean {
  if (hours === null) return false;
  const { from, to, zone } = hours;
  const parts = new Intl.DateTimeFormat('en', {
    timeZone: zone,
    hour: 'numeric',
    minute: 'numeric',
    hourCycle: 'h23',
  }).formatToParts(at);
  const numberOf = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  const now = numberOf('hour') * 60 + numberOf('minute');
  return from < to ? now >= from && now < to : now >= from || now < to;
}
