/** Folds the transcript into what the thread shows. Deterministic; an entry only ever adds to what earlier ones made. */
import { assertNever } from '../../machines/json.ts';
import { isLongPlan, planOf } from '../plan.ts';
import type { Bodies, EntryOf, TranscriptEntry } from '../transcript.ts';
import { isOfSubagent, takeSubagent, takeToolResult, takeToolUse } from './calls.ts';
import { lastSegment, type TextItem, type ThreadModel, type Turn } from './model.ts';

/** @param folder where the agent works; empty: not known */
export function readThread(entries: readonly TranscriptEntry[], folder = ''): ThreadModel {
  const model: ThreadModel = { turns: [], notes: new Map(), files: [] };
  for (const entry of entries) take(model, entry, folder);
  return model;
}

/** The turn an output belongs to, if it still runs: what comes after its end changes nothing any more. */
function openTurn(model: ThreadModel, turnId: string): Turn | undefined {
  const turn = turnId === '' ? model.turns.at(-1) : model.turns.find((candidate) => candidate.turnId === turnId);
  return turn?.ended === null ? turn : undefined;
}

function take(model: ThreadModel, entry: TranscriptEntry, folder: string): void {
  switch (entry.kind) {
    case 'note':
      takeNote(model, entry);
      return;
    case 'heard':
      closeSegment(openTurn(model, ''), entry.id);
      return;
    case 'turnStarted':
      startTurn(model, entry);
      return;
    case 'todoList': {
      const turn = openTurn(model, '');
      if (turn !== undefined) turn.todos = entry.body.items;
      return;
    }
    case 'fileOffered':
      takeFile(model, entry);
      return;
    case 'rateLimit':
    case 'retrying':
    case 'compactionStarted':
    case 'compacted':
      takeTrouble(openTurn(model, ''), entry);
      return;
    case 'subagent':
      takeSubagent(model, entry.body);
      return;
    case 'textDelta':
    case 'textBlock':
    case 'textWithdrawn':
    case 'thinking':
    case 'toolUse':
    case 'toolResult':
    case 'approvalRequest':
    case 'turnFollowed':
    case 'turnEnded':
    case 'commandOutput':
      takeOutput(openTurn(model, entry.body.turnId), entry, folder);
      return;
    case 'approvalWithdrawn':
    case 'cleared':
    case 'steered':
    case 'modeChanged':
    case 'promptLost':
    case 'sessionClosed':
    case 'contextUsage':
      // Cards and the session's own notes tell of these.
      return;
    default:
      assertNever(entry);
  }
}

function takeNote(model: ThreadModel, { id, body }: EntryOf<'note'>): void {
  const known = model.notes.get(body.note);
  if (known === undefined) {
    model.notes.set(body.note, { type: 'note', note: body.note, order: id, tone: body.tone, text: body.text });
    return;
  }
  known.tone = body.tone;
  known.text = body.text;
}

function startTurn(model: ThreadModel, { id, at, body }: EntryOf<'turnStarted'>): void {
  if (model.turns.some((turn) => turn.turnId === body.turnId)) return;
  model.turns.push({
    type: 'turn',
    turnId: body.turnId,
    order: id,
    at,
    segments: [{ order: id, items: [] }],
    activity: { type: 'working', at },
    todos: [],
    rateLimit: null,
    ended: null,
  });
}

type TurnOutput = EntryOf<
  | 'textDelta'
  | 'textBlock'
  | 'textWithdrawn'
  | 'thinking'
  | 'toolUse'
  | 'toolResult'
  | 'approvalRequest'
  | 'turnFollowed'
  | 'turnEnded'
  | 'commandOutput'
>;

function takeOutput(turn: Turn | undefined, entry: TurnOutput, folder: string): void {
  if (turn === undefined) return;
  const { at } = entry;
  switch (entry.kind) {
    case 'textDelta':
      if (isOfSubagent(entry.body)) return;
      turn.activity = { type: 'writing', at };
      addText(turn, entry.body.blockId, entry.body.text, false);
      return;
    case 'textBlock':
      if (isOfSubagent(entry.body)) return;
      turn.activity = { type: 'working', at };
      settleText(turn, entry.body.blockId, entry.body.text);
      return;
    case 'textWithdrawn':
      withdrawText(turn, entry.body.blockId, entry.id);
      return;
    case 'thinking':
      if (turn.activity.type !== 'thinking' && !isOfSubagent(entry.body)) turn.activity = { type: 'thinking', at };
      return;
    case 'toolUse':
      takeToolUse(turn, entry, folder);
      return;
    case 'toolResult':
      takeToolResult(turn, entry, folder);
      return;
    case 'approvalRequest':
      turn.activity = { type: 'waiting', at };
      takePlan(turn, entry.body);
      closeSegment(turn, entry.id);
      return;
    case 'turnFollowed':
      turn.activity = { type: entry.body.following ? 'working' : 'unfollowed', at };
      return;
    case 'turnEnded':
      turn.ended = entry.body;
      return;
    case 'commandOutput': {
      const { command, text } = entry.body;
      lastSegment(turn).items.push({ type: 'line', text: command });
      addText(turn, `command ${entry.id}`, text, true);
      return;
    }
    default:
      assertNever(entry);
  }
}

/** Nobody approves what they were not shown: a plan that its card cannot hold stands above it, whole. */
function takePlan(turn: Turn, { kind, requestId, inputJson }: Bodies['approvalRequest']): void {
  if (kind !== 'APPROVAL_KIND_PLAN') return;
  const plan = planOf(inputJson);
  if (isLongPlan(plan)) addText(turn, `plan ${requestId}`, `📋 **The plan**\n\n${plan}`, true);
}

function closeSegment(turn: Turn | undefined, order: number): void {
  if (turn === undefined) return;
  const segment = lastSegment(turn);
  if (segment.items.length === 0) return;
  // The rest of a word that is being written belongs to its beginning.
  const last = segment.items.at(-1);
  const cut = last?.type === 'text' ? /\s(?=\S{1,60}$)/u.exec(last.text) : null;
  turn.segments.push({ order, items: [] });
  if (last?.type !== 'text' || cut === null || turn.activity.type !== 'writing') return;
  const carried = last.text.slice(cut.index + 1);
  last.text = last.text.slice(0, cut.index + 1);
  lastSegment(turn).items.push({ type: 'text', blockId: last.blockId, text: carried, whole: false });
}

/** @param whole nothing more comes of the block */
function addText(turn: Turn, blockId: string, text: string, whole: boolean): void {
  const segment = lastSegment(turn);
  const last = segment.items.at(-1);
  if (last?.type === 'text' && last.blockId === blockId) last.text += text;
  else segment.items.push({ type: 'text', blockId, text, whole });
}

function textItems(turn: Turn, blockId: string): TextItem[] {
  return turn.segments.flatMap(({ items }) =>
    items.filter((item): item is TextItem => item.type === 'text' && item.blockId === blockId),
  );
}

/** What comes instead gets posts of its own: a post that was taken away never comes back. */
function withdrawText(turn: Turn, blockId: string, order: number): void {
  const items = textItems(turn, blockId);
  for (const item of items) item.text = '';
  turn.activity = { type: 'working', at: turn.activity.at };
  if (items.length > 0) closeSegment(turn, order);
}

/**
 * The whole block replaces its deltas. What of it stands in earlier segments stays there if the block begins with it, as
 * it should; otherwise all of it is shown where the block ends: rather twice than not at all.
 */
function settleText(turn: Turn, blockId: string, text: string): void {
  const items = textItems(turn, blockId);
  const last = items.at(-1);
  if (last === undefined) {
    if (text !== '') addText(turn, blockId, text, true);
    return;
  }
  const before = items
    .slice(0, -1)
    .map((item) => item.text)
    .join('');
  last.text = text.startsWith(before) ? text.slice(before.length) : text;
  last.whole = true;
}

function takeTrouble(
  turn: Turn | undefined,
  entry: EntryOf<'rateLimit' | 'retrying' | 'compactionStarted' | 'compacted'>,
): void {
  if (turn === undefined) return;
  const { at } = entry;
  switch (entry.kind) {
    case 'rateLimit':
      turn.rateLimit = entry.body;
      return;
    case 'retrying':
      turn.activity = { type: 'retrying', at, body: entry.body };
      return;
    case 'compactionStarted':
      turn.activity = { type: 'compacting', at };
      return;
    case 'compacted':
      turn.activity = { type: 'working', at };
      return;
    default:
      assertNever(entry);
  }
}

function takeFile(model: ThreadModel, { id, body }: EntryOf<'fileOffered'>): void {
  model.files.push({ type: 'file', order: id, path: body.path, size: body.size });
  // A file is a post of its own, and what is said after it stands below it.
  closeSegment(openTurn(model, ''), id);
}
