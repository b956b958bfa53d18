/** What a session says in its thread by itself. One note per matter: a later text with the same id replaces the earlier. */
import type { Effect } from '../effects.ts';
import type { SessionContext } from './context.ts';
import type { Args } from './requests.ts';

/** Progress of one opening: retried openings get a note of their own. */
function openingNote(context: SessionContext): string {
  return `opening-${context.openedAt}`;
}

function progress(text: string) {
  return ({ context }: Args): Effect[] =>
    context.rootId === '' ? [] : [{ kind: 'say', note: openingNote(context), tone: 'progress', text }];
}

export const sayPreparing = progress('Preparing the checkout …');
export const sayAttaching = progress('Checkout ready. Waiting for the workspace …');
export const sayStartingAgent = progress('Workspace ready. Starting the agent …');

export function sayReady({ context }: Args): Effect {
  const { repo, worktree } = context.request;
  const place = worktree === null ? `\`${context.branch}\`` : `worktree \`${worktree}\` (\`${context.branch}\`)`;
  const mode = context.plan ? ' Plan mode is on: nothing is changed until you approve a plan.' : '';
  return {
    kind: 'say',
    note: openingNote(context),
    tone: 'info',
    text: `Ready on **${repo.repo}**, ${place}. Write here to talk to Claude.${mode}`,
  };
}

export function sayProgress({ context, event }: Args): Effect[] {
  return event.type === 'CONTAINER.PROGRESS' ? progress(event.text)({ context, event }) : [];
}

/** Says why the session cannot go on. Without a thread yet, the answer goes where the command was typed. */
export function sayFailure({ context, event }: Args): Effect {
  const { reason, next } = context.failure ?? { reason: 'Something went wrong.', next: '' };
  const text = next === '' ? reason : `${reason}\n\n${next}`;
  if (context.rootId === '') {
    const { askedIn, askedBy } = context.request;
    return { kind: 'chat.reply', params: { place: askedIn, message: text, replyTo: askedBy } };
  }
  // While it opens, the note of its progress tells; later that one stands far above what people read.
  const note = context.readyAt === 0 ? openingNote(context) : `failed-${event.at}`;
  return { kind: 'say', note, tone: 'error', text };
}

function aside(matter: string, tone: 'info' | 'warning' | 'error', text: string) {
  return ({ event }: Args): Effect => ({ kind: 'say', note: `${matter}-${event.at}`, tone, text });
}

export function sayStopped({ context, event }: Args): Effect {
  const waiting = context.queue.length;
  const rest =
    waiting === 0
      ? ''
      : ` ${waiting === 1 ? 'One message still waits' : `${waiting} messages still wait`} and will then be answered.`;
  const text = `Session stopped. \`@claude resume\` continues it here.${rest}`;
  return { kind: 'say', note: `stopped-${event.at}`, tone: 'info', text };
}

export const sayStoppedAlready = aside('stopped', 'info', 'This session is stopped already.');
export const sayStopping = aside(
  'stopping',
  'info',
  'This session is just being stopped. Try again when it says that it has.',
);
export const sayNotRunning = aside(
  'not-running',
  'warning',
  'This session is not running, so your message was not passed on. `@claude resume` (or `@claude retry`) starts it again; then send the message once more.',
);
export const sayNoAgent = aside(
  'no-agent',
  'warning',
  'This session is not running. `@claude resume` (or `@claude retry`) starts it again.',
);
export const sayPreparingStill = aside(
  'preparing',
  'info',
  'The session is still being prepared. Try again when it is ready.',
);
export const sayRunsAlready = aside('runs-already', 'info', 'This session runs; there is nothing to resume.');
export const sayNotBegun = aside(
  'not-begun',
  'info',
  'The agent has not begun with your message yet, so there is nothing to interrupt. Try again in a moment.',
);
export const sayInterruptIgnored = aside(
  'interrupt-ignored',
  'warning',
  'The agent has not reacted to the interrupt. `@claude restart` ends its process and keeps the conversation.',
);
export const sayNoAnswer = aside('no-answer', 'warning', 'The agent has not answered to that command.');
export const sayNothingRuns = aside('nothing-runs', 'info', 'Nothing is running that could be interrupted.');
export const sayBusy = aside(
  'busy',
  'warning',
  'The agent is busy. Wait for its answer or use `@claude interrupt`, then try again.',
);
export const sayRestarting = aside('restarting', 'info', 'Restarting the agent; the conversation is kept.');
export const sayCleared = aside('cleared', 'info', 'The conversation was cleared: the agent starts from nothing.');
export const sayHistoryLost = aside(
  'history-lost',
  'warning',
  "The agent's memory of this conversation could not be restored. It starts afresh; the thread above is unchanged.",
);
export const sayLogLost = aside(
  'log-lost',
  'error',
  'The agent worker lost its log. What was running has ended and is not repeated by itself; send your message again if it was not answered.',
);
export const sayOrphaned = aside(
  'orphaned',
  'warning',
  'The agent still waited for an answer from before the session ended. What it was doing was ended; tell it how to go on.',
);
export const sayAskTitle = aside('title', 'info', 'Which title? Write `@claude title <words>`.');
export const sayMovedOn = aside(
  'moved-on',
  'warning',
  'The connection to the workspace was lost; it is being recovered.',
);

export function sayCompacted({ event }: Args): Effect[] {
  if (event.type !== 'COMPACTED') return [];
  const text = event.ok ? 'The context was compacted.' : `The context could not be compacted: ${event.error}`;
  return [{ kind: 'say', note: `compacted-${event.at}`, tone: event.ok ? 'info' : 'warning', text }];
}

export function sayMode({ event }: Args): Effect[] {
  if (event.type !== 'MODE.CHANGED') return [];
  const text = event.plan
    ? 'Plan mode is **on**: the agent reads and plans, and changes nothing until you approve.'
    : 'Plan mode is **off**.';
  return [{ kind: 'say', note: `mode-${event.at}`, tone: 'info', text }];
}

export function sayRefused({ event }: Args): Effect[] {
  const human =
    'human' in event && typeof event.human === 'string' && event.human !== '' ? event.human : 'That did not work.';
  return [{ kind: 'say', note: `refused-${event.at}`, tone: 'error', text: human }];
}

export function sayPromptLost({ event }: Args): Effect[] {
  if (event.type !== 'PROMPT.LOST') return [];
  const text =
    'The agent worker stopped before it began with your message. It was not run; send it again if you still want it.';
  return [{ kind: 'say', note: `lost-${event.inputId}`, tone: 'error', text }];
}

export const sayInDoubt = aside(
  'in-doubt',
  'error',
  'It is not known whether the agent worked on your message, so it is not repeated by itself. Send it again if you got no answer.',
);

export function sayKept({ event }: Args): Effect[] {
  if (event.type !== 'WORKSPACE.TIDIED' || event.kept === '') return [];
  const text = `The worktree was kept because ${event.kept}: \`${event.path}\``;
  return [{ kind: 'say', note: `kept-${event.at}`, tone: 'warning', text }];
}

/** One warning while a running turn is silent; withdrawn when output comes. */
export function sayQuiet({ context }: Args): Effect {
  const seconds = Math.round(context.limits.livenessMs / 1000);
  return {
    kind: 'say',
    note: `liveness-${context.quietAt}`,
    tone: 'warning',
    text: `No sign of life from the agent for ${seconds} s. It may be working on something long; \`@claude interrupt\` ends the turn.`,
  };
}

export function withdrawQuiet({ context }: Args): Effect {
  return { kind: 'say', note: `liveness-${context.quietAt}`, tone: 'info', text: '' };
}
