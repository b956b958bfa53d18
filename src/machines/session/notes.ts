/** What a session says in its thread by itself. One note per matter: a later text with the same id replaces the earlier. */
import type { Effect } from '../effects.ts';
import type { Args } from './args.ts';
import { droppedBy, waitingIn } from './changes.ts';
import type { QueuedPrompt, SessionContext } from './context.ts';

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

export function sayNotice({ context, event }: Args): Effect[] {
  if (event.type !== 'CONTAINER.NOTICE' || context.rootId === '') return [];
  return [{ kind: 'say', note: `notice-${event.at}`, tone: 'info', text: event.text }];
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

export const sayTakenDown = aside(
  'taken-down',
  'warning',
  'The workspace was taken down: `stop --all` or `stop --container` was written in the thread of another session that shares it.',
);
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
export function sayTitleRefused({ event }: Args): Effect[] {
  const why = 'human' in event && typeof event.human === 'string' ? ` ${event.human}` : '';
  const text = `The title could not be set.${why} \`@claude title <words>\` sets one.`;
  return [{ kind: 'say', note: `title-${event.at}`, tone: 'warning', text }];
}

// ---- what waits

/** The beginning of a message, on one line. */
function brief({ author, text, fileIds }: QueuedPrompt): string {
  const line = text.replace(/\s+/g, ' ').trim();
  const points = [...line];
  const words = points.length > 80 ? `${points.slice(0, 79).join('')}…` : line;
  const shown = words === '' ? `_${fileIds.length} files_` : words.replace(/[\\`*_~[\]<>|#]/g, (mark) => `\\${mark}`);
  return author === '' ? shown : `**${author}:** ${shown}`;
}

export function sayQueue({ context, event }: Args): Effect {
  const waiting = waitingIn(context);
  const lines = waiting.map((prompt, index) => `${index + 1}. ${brief(prompt)}`);
  const text =
    waiting.length === 0
      ? 'Nothing waits.'
      : [
          waiting.length === 1 ? 'One message waits:' : `${waiting.length} messages wait, in this order:`,
          '',
          ...lines.slice(0, 20),
          ...(lines.length > 20 ? [`… and ${lines.length - 20} more`] : []),
          '',
          'Edit its post to change one, delete it or write `@claude queue drop <number>` to take it back, `@claude steer` to hand them over at once.',
        ].join('\n');
  return { kind: 'say', note: `queue-${event.at}`, tone: 'info', text };
}

/** Runs before the queue is changed. */
export function sayDropped({ context, event }: Args): Effect {
  const dropped = droppedBy(context, event);
  const [only] = dropped;
  const text = dropped.length === 1 && only ? `Taken back: ${brief(only)}` : `${dropped.length} messages taken back.`;
  return { kind: 'say', note: `dropped-${event.at}`, tone: 'info', text };
}

export const sayNothingToDrop = aside(
  'queue',
  'warning',
  'There is no such message in the queue. `@claude queue` lists what waits.',
);
export const sayNothingWaits = aside(
  'queue',
  'info',
  'Nothing waits that could be handed over. `@claude steer <message>` says something to the running turn.',
);

// ---- settings of the session

export function sayAudience({ context, event }: Args): Effect {
  const text =
    context.audience === 'mentions'
      ? 'Only messages that mention `@claude` are answered in this thread; the others are talk among people. `@claude mode everyone` changes that.'
      : 'Every message in this thread is answered. `@claude mode mentions` limits that to those that mention `@claude`.';
  return { kind: 'say', note: `audience-${event.at}`, tone: 'info', text };
}

export function sayModel({ context, event }: Args): Effect {
  const name = context.model === '' ? 'The agent chooses its model itself.' : `The model is \`${context.model}\`.`;
  return { kind: 'say', note: `model-${event.at}`, tone: 'info', text: `${name} \`@claude model <name>\` changes it.` };
}

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
