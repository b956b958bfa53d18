/** Which turns are worth a mention of who asked, and in which words. */
import { duration } from './render/lines.ts';
import type { TranscriptEntry, TurnEndedBody } from './transcript.ts';

export interface LongTurn {
  readonly turnId: string;
  /** The posts that it answers. */
  readonly inputIds: readonly string[];
  readonly outcome: TurnEndedBody['outcome'];
  readonly endedAt: number;
  /** Since people last had something to do with it. */
  readonly tookMs: number;
}

/**
 * Turns that ended after at least `afterMs` in which nobody had to be there: since they began, since somebody wrote in the
 * thread, or since the last answer to what the agent asked. Who interrupts a turn is there.
 */
export function longTurns(entries: readonly TranscriptEntry[], afterMs: number): LongTurn[] {
  const turns: LongTurn[] = [];
  let inputIds: readonly string[] = [];
  let presentAt = Number.POSITIVE_INFINITY;
  let asks = false;
  for (const { kind, at, body } of entries) {
    if (asks && kind !== 'approvalRequest' && kind !== 'approvalWithdrawn') {
      asks = false;
      presentAt = at;
    }
    switch (kind) {
      case 'turnStarted':
        inputIds = body.inputIds ?? [];
        presentAt = at;
        break;
      case 'heard':
        presentAt = Math.max(presentAt, at);
        break;
      case 'approvalRequest':
        asks = true;
        break;
      case 'turnEnded': {
        const { turnId, outcome } = body;
        const tookMs = at - presentAt;
        const isOfInterest = outcome !== 'TURN_OUTCOME_INTERRUPTED' && inputIds.length > 0;
        if (isOfInterest && tookMs >= afterMs) turns.push({ turnId, inputIds, outcome, endedAt: at, tookMs });
        presentAt = Number.POSITIVE_INFINITY;
        break;
      }
      default:
        break;
    }
  }
  return turns;
}

/** @param names of people, without `@` */
export function endedNotice(names: readonly string[], { outcome, tookMs }: LongTurn): string {
  const how = outcome === 'TURN_OUTCOME_COMPLETED' ? 'Done' : 'The turn failed';
  return `${mentions(names)} ${how} after ${duration(Math.round(tookMs / 60_000) * 60_000 || tookMs)}.`;
}

export function cardNotice(names: readonly string[]): string {
  return names.length === 0 ? '' : `${mentions(names)} Claude waits for you:`;
}

function mentions(names: readonly string[]): string {
  return names.map((name) => `@${name}`).join(' ');
}

export function notifyText(on: boolean, changed: boolean, trigger: string): string {
  const now = changed ? 'now ' : '';
  return on
    ? `You are ${now}mentioned when a long turn of yours ends or a request waits for you. \`${trigger} notify off\` ends that.`
    : `You are ${now ? 'no longer' : 'not'} mentioned by me. \`${trigger} notify on\` changes that.`;
}
