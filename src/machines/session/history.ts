/**
 * What an agent is told of what was said before: in its conversation, whose memory is gone, or in the thread before the session
 * began there. That it was, and how much of it, is said in the thread.
 */
import type { Effect } from '../effects.ts';
import type { Args } from './args.ts';
import type { SessionContext } from './context.ts';

const LOST = "The agent's memory of this conversation could not be restored, so it starts afresh.";

function give(of: 'lost' | 'thread', about: string, { address }: SessionContext): Effect {
  return {
    kind: 'worker.history',
    params: { session: address, inputId: `${of}-${about}`, of },
    reply: { done: 'HISTORY.GIVEN', failed: 'HISTORY.REFUSED', with: { of, about } },
  };
}

/** Once for each conversation that is lost, however often the worker says so. */
export function giveBack({ context, event }: Args): Effect[] {
  const about = context.agentSessionId === '' ? `at-${event.at}` : context.agentSessionId;
  const text = `${LOST} What was said in this thread is being given back to it …`;
  return [{ kind: 'say', note: noteOf('lost', about), tone: 'warning', text }, give('lost', about, context)];
}

/** Before anything else is said to the agent. */
export function giveThread({ context }: Args): Effect[] {
  const { askedIn, askedBy } = context.request;
  return askedIn.rootId === '' || context.briefed ? [] : [give('thread', askedBy, context)];
}

export function briefed({ event }: Args): Partial<SessionContext> {
  return event.type === 'HISTORY.GIVEN' && event.of === 'thread' ? { briefed: true } : {};
}

export function sayHistoryGiven({ event }: Args): Effect[] {
  if (event.type !== 'HISTORY.GIVEN') return [];
  const { of, about, shown, whole } = event;
  const rest = whole ? '' : '; older ones were left out';
  const messages = `${whole ? '' : 'the newest '}${shown === 1 ? 'one message' : `${shown} messages`}`;
  if (of === 'lost') {
    const given =
      shown === 0
        ? 'There was nothing to give back.'
        : `What was said in this thread was given back to it: ${messages}${rest}.`;
    return [{ kind: 'say', note: noteOf(of, about), tone: 'warning', text: `${LOST} ${given}` }];
  }
  if (shown === 0) return [];
  const text = `Claude was given what was said in this thread before: ${messages}${rest}.`;
  return [{ kind: 'say', note: noteOf(of, about), tone: 'info', text }];
}

export function sayHistoryRefused({ event }: Args): Effect[] {
  if (event.type !== 'HISTORY.REFUSED') return [];
  const { of, about, human } = event;
  const what = of === 'lost' ? `${LOST} What was said before` : 'What was said in this thread before';
  const why = human === '' ? '' : ` ${human}`;
  const text = `${what} could not be given to it.${why} Tell it what it needs to know.`;
  return [{ kind: 'say', note: noteOf(of, about), tone: 'error', text }];
}

function noteOf(of: 'lost' | 'thread', about: string): string {
  return `history-${of}-${about}`;
}
