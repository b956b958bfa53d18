/**
 * A button that stands for nothing: `csm doctor callback` puts it up as the bot and presses it as the bot, to see whether clicks
 * arrive and whether their answers change the post. It decides nothing, whoever gets hold of it.
 */
import { type CallbackAnswer, type CallbackBody, NOT_VALID } from '../adapters/http/index.ts';

/** No approval has this address: theirs begin with a session's key. */
export const PROBE = { approval: 'approval/doctor', action: 'doctor' } as const;

/** What the post says once the click has arrived. */
export const ARRIVED = 'The click arrived at the gateway, and its answer here.';

export interface ProbePorts {
  readonly verify: (action: CallbackBody['context']) => boolean;
  readonly botUserId: string;
}

/** Undefined for every other click. */
export function answerProbe({ verify, botUserId }: ProbePorts, click: CallbackBody): CallbackAnswer | undefined {
  const { context, userId } = click;
  if (context.approval !== PROBE.approval) return undefined;
  const isOurs = context.action === PROBE.action && userId === botUserId && verify(context);
  return isOurs ? { update: { message: ARRIVED, props: {} } } : { ephemeralText: NOT_VALID };
}
