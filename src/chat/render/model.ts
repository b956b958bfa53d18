/**
 * The transcript, folded into what a thread consists of: notes, and agent turns made of segments made of items. A segment
 * ends where a person was heard or a card was posted, so that later text stands below it.
 */
import { assertNever } from '../../machines/json.ts';
import type { Bodies, EntryOf, NoteTone, TodoItem, TranscriptEntry, TurnEndedBody } from '../transcript.ts';
import { briefCall, isShownTool, isSubagentTool, type ToolCall } from './tools.ts';

export interface TextItem {
  readonly type: 'text';
  readonly blockId: string;
  text: string;
}

export interface RunItem {
  readonly type: 'run';
  readonly calls: ToolCall[];
}

export interface LineItem {
  readonly type: 'line';
  readonly kind: 'command' | 'file';
  readonly text: string;
  readonly size: number;
}

export type Item = TextItem | RunItem | LineItem;

export interface Segment {
  readonly order: number;
  readonly items: Item[];
}

/** What the agent is doing while nothing is to be seen of it. */
export type Activity =
  | { readonly type: 'working' | 'thinking' | 'writing' | 'compacting' | 'waiting'; readonly at: number }
  | { readonly type: 'retrying'; readonly at: number; readonly body: Bodies['retrying'] };

export interface Turn {
  readonly type: 'turn';
  readonly turnId: string;
  readonly order: number;
  readonly segments: Segment[];
  activity: Activity;
  todos: readonly TodoItem[];
  rateLimit: Bodies['rateLimit'] | null;
  ended: TurnEndedBody | null;
}

export interface Note {
  readonly type: 'note';
  readonly note: string;
  readonly order: number;
  tone: NoteTone;
  text: string;
}

export interface LooseFile {
  readonly type: 'file';
  readonly order: number;
  readonly path: string;
  readonly size: number;
}

export interface ThreadModel {
  readonly turns: Turn[];
  readonly notes: Map<string, Note>;
  readonly files: LooseFile[];
}

export function readThread(entries: readonly TranscriptEntry[]): ThreadModel {
  const model: ThreadModel = { turns: [], notes: new Map(), files: [] };
  for (const entry of entries) take(model, entry);
  return model;
}

/** The turn an output belongs to, if it still runs: what comes after its end changes nothing any more. */
function openTurn(model: ThreadModel, turnId: string): Turn | undefined {
  const turn = turnId === '' ? model.turns.at(-1) : model.turns.find((candidate) => candidate.turnId === turnId);
  return turn?.ended === null ? turn : undefined;
}

function take(model: ThreadModel, entry: TranscriptEntry): void {
  switch (entry.kind) {
    case 'note':
      return takeNote(model, entry);
    case 'heard':
      return closeSegment(openTurn(model, ''), entry.id);
    case 'turnStarted':
      return startTurn(model, entry);
    case 'todoList': {
      const turn = openTurn(model, '');
      if (turn !== undefined) turn.todos = entry.body.items;
      return;
    }
    case 'fileOffered':
      return takeFile(model, entry);
    case 'rateLimit':
    case 'retrying':
    case 'compactionStarted':
    case 'compacted':
      return takeTrouble(openTurn(model, ''), entry);
    case 'subagent':
      return takeSubagent(model, entry.body);
    case 'textDelta':
    case 'textBlock':
    case 'textWithdrawn':
    case 'thinking':
    case 'toolUse':
    case 'toolResult':
    case 'approvalRequest':
    case 'turnEnded':
    case 'commandOutput':
      return takeOutput(openTurn(model, entry.body.turnId), entry);
    case 'approvalWithdrawn':
    case 'cleared':
    case 'modeChanged':
    case 'promptLost':
    case 'sessionClosed':
    case 'contextUsage':
      // Cards and the session's own notes tell of these.
      return;
    default:
      return assertNever(entry);
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
  | 'turnEnded'
  | 'commandOutput'
>;

function takeOutput(turn: Turn | undefined, entry: TurnOutput): void {
  if (turn === undefined) return;
  const { at } = entry;
  switch (entry.kind) {
    case 'textDelta':
      if (isOfSubagent(entry.body)) return;
      turn.activity = { type: 'writing', at };
      return addText(turn, entry.body.blockId, entry.body.text);
    case 'textBlock':
      if (isOfSubagent(entry.body)) return;
      turn.activity = { type: 'working', at };
      return settleText(turn, entry.body.blockId, entry.body.text);
    case 'textWithdrawn':
      for (const item of textItems(turn, entry.body.blockId)) item.text = '';
      return;
    case 'thinking':
      if (turn.activity.type !== 'thinking' && !isOfSubagent(entry.body)) turn.activity = { type: 'thinking', at };
      return;
    case 'toolUse':
      return takeToolUse(turn, entry);
    case 'toolResult':
      return takeToolResult(turn, entry);
    case 'approvalRequest':
      turn.activity = { type: 'waiting', at };
      return closeSegment(turn, entry.id);
    case 'turnEnded':
      turn.ended = entry.body;
      return;
    case 'commandOutput': {
      const { command, text } = entry.body;
      addLine(turn, 'command', command, 0);
      return addText(turn, `command ${entry.id}`, text);
    }
    default:
      return assertNever(entry);
  }
}

function isOfSubagent(body: { readonly parentToolUseId?: string }): boolean {
  return (body.parentToolUseId ?? '') !== '';
}

function lastSegment(turn: Turn): Segment {
  const segment = turn.segments.at(-1);
  if (segment === undefined) throw new Error('A turn always has a segment');
  return segment;
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
  lastSegment(turn).items.push({ type: 'text', blockId: last.blockId, text: carried });
}

function addText(turn: Turn, blockId: string, text: string): void {
  const segment = lastSegment(turn);
  const last = segment.items.at(-1);
  if (last?.type === 'text' && last.blockId === blockId) last.text += text;
  else segment.items.push({ type: 'text', blockId, text });
}

function textItems(turn: Turn, blockId: string): TextItem[] {
  return turn.segments.flatMap(({ items }) =>
    items.filter((item): item is TextItem => item.type === 'text' && item.blockId === blockId),
  );
}

/**
 * The whole block replaces its deltas. What of it stands in earlier segments stays there if the block begins with it, as
 * it should; otherwise all of it is shown where the block ends: rather twice than not at all.
 */
function settleText(turn: Turn, blockId: string, text: string): void {
  const items = textItems(turn, blockId);
  const last = items.at(-1);
  if (last === undefined) {
    if (text !== '') addText(turn, blockId, text);
    return;
  }
  const before = items
    .slice(0, -1)
    .map((item) => item.text)
    .join('');
  last.text = text.startsWith(before) ? text.slice(before.length) : text;
}

function addLine(turn: Turn, kind: LineItem['kind'], text: string, size: number): void {
  lastSegment(turn).items.push({ type: 'line', kind, text, size });
}

function allCalls(turn: Turn): { readonly run: RunItem; readonly index: number; readonly call: ToolCall }[] {
  return turn.segments.flatMap(({ items }) =>
    items.flatMap((item) => (item.type === 'run' ? item.calls.map((call, index) => ({ run: item, index, call })) : [])),
  );
}

function changeCall(turn: Turn, toolUseId: string, change: (call: ToolCall) => ToolCall): void {
  const found = allCalls(turn).find(({ call }) => call.toolUseId === toolUseId);
  if (found !== undefined) found.run.calls[found.index] = change(found.call);
}

function takeToolUse(turn: Turn, { at, body }: EntryOf<'toolUse'>): void {
  const { toolUseId, name, inputJson } = body;
  const parent = body.parentToolUseId ?? '';
  const call: ToolCall = { toolUseId, name, inputJson, at, result: null, subagent: null };
  if (parent !== '') {
    const latest = briefCall(call);
    return changeCall(turn, parent, (outer) => ({
      ...outer,
      subagent: { ...(outer.subagent ?? NEW_SUBAGENT), calls: (outer.subagent?.calls ?? 0) + 1, latest },
    }));
  }
  turn.activity = { type: 'working', at };
  if (!isShownTool(name) || allCalls(turn).some((known) => known.call.toolUseId === toolUseId)) return;
  const segment = lastSegment(turn);
  const last = segment.items.at(-1);
  const shown = isSubagentTool(name) ? { ...call, subagent: NEW_SUBAGENT } : call;
  if (last?.type === 'run') last.calls.push(shown);
  else segment.items.push({ type: 'run', calls: [shown] });
}

function takeToolResult(turn: Turn, { at, body }: EntryOf<'toolResult'>): void {
  if (isOfSubagent(body)) return;
  turn.activity = { type: 'working', at };
  const result = { isError: body.isError, summary: body.summary, fullLength: body.fullLength ?? 0 };
  changeCall(turn, body.toolUseId, (call) => ({ ...call, result }));
}

const NEW_SUBAGENT = {
  agentType: '',
  description: '',
  status: 'SUBAGENT_STATUS_STARTED',
  summary: '',
  background: false,
  calls: 0,
  latest: '',
};

function takeSubagent(model: ThreadModel, body: Bodies['subagent']): void {
  const { agentType, description, status, summary, background = false } = body;
  for (const turn of model.turns) {
    if (turn.ended !== null) continue;
    changeCall(turn, body.toolUseId, (call) =>
      isSubagentTool(call.name)
        ? {
            ...call,
            subagent: { ...(call.subagent ?? NEW_SUBAGENT), agentType, description, status, summary, background },
          }
        : call,
    );
  }
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
      return assertNever(entry);
  }
}

function takeFile(model: ThreadModel, { id, body }: EntryOf<'fileOffered'>): void {
  const turn = openTurn(model, '');
  if (turn === undefined) model.files.push({ type: 'file', order: id, path: body.path, size: body.size });
  else addLine(turn, 'file', body.path, body.size);
}
