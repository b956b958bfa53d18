/**
 * What a thread is rendered from: the session's notes, the posts it heard, and the outputs of its worker, in the order
 * of their commit. Bodies of worker outputs are the fields of the worker contract's messages in camel case; enumerated
 * values keep their full names there.
 */
import type { Json, JsonObject } from '../machines/json.ts';

/** A row of the transcript as it is stored. */
export interface TranscriptRow {
  /** Grows with every row of a session. */
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly kind: string;
  readonly body: JsonObject;
}

export interface Bodies {
  note: { readonly note: string; readonly tone: NoteTone; readonly text: string };
  heard: {
    readonly postId: string;
    readonly author?: string;
    readonly text?: string;
    /** It answered something that the agent had asked. */
    readonly answer?: boolean;
  };
  steered: { readonly turnId: string; readonly inputId: string };
  turnStarted: {
    readonly turnId: string;
    readonly inputIds?: readonly string[];
    readonly origin?: string;
    readonly model?: string;
  };
  textDelta: TextBody;
  textBlock: TextBody;
  textWithdrawn: { readonly turnId: string; readonly blockId: string };
  thinking: { readonly turnId: string; readonly estimatedTokens: number; readonly parentToolUseId?: string };
  toolUse: {
    readonly turnId: string;
    readonly toolUseId: string;
    readonly name: string;
    readonly inputJson: string;
    readonly parentToolUseId?: string;
  };
  toolResult: {
    readonly turnId: string;
    readonly toolUseId: string;
    readonly isError: boolean;
    readonly summary: string;
    readonly fullLength?: number;
    readonly parentToolUseId?: string;
  };
  subagent: {
    readonly taskId: string;
    readonly toolUseId: string;
    readonly agentType: string;
    readonly description: string;
    readonly status: SubagentStatus;
    readonly summary: string;
    readonly background?: boolean;
  };
  todoList: { readonly items: readonly TodoItem[] };
  approvalRequest: {
    readonly requestId: string;
    readonly kind: string;
    readonly turnId: string;
    readonly toolName: string;
    readonly inputJson: string;
    readonly inputDigest?: string;
    readonly toolUseId?: string;
  };
  approvalWithdrawn: { readonly requestId: string; readonly reason: string };
  compactionStarted: { readonly automatic: boolean };
  compacted: { readonly ok: boolean; readonly automatic?: boolean; readonly error?: string };
  cleared: { readonly agentSessionId: string };
  rateLimit: {
    readonly status: string;
    readonly limit: string;
    readonly resetsAtMs: number;
    readonly utilization: number;
  };
  retrying: {
    readonly attempt: number;
    readonly maxAttempts: number;
    readonly delayMs: number;
    readonly error: string;
    readonly httpStatus: number;
  };
  modeChanged: { readonly mode: string };
  turnFollowed: { readonly turnId: string; readonly following: boolean };
  turnEnded: TurnEndedBody;
  promptLost: { readonly inputId: string };
  commandOutput: { readonly turnId: string; readonly command: string; readonly text: string };
  sessionClosed: { readonly reason: string; readonly error: string };
  fileOffered: { readonly path: string; readonly size: number };
  contextUsage: { readonly tokens: number; readonly window: number };
}

export type NoteTone = 'progress' | 'info' | 'warning' | 'error';

export interface TextBody {
  readonly turnId: string;
  readonly blockId: string;
  readonly text: string;
  /** Set: a subagent's words. */
  readonly parentToolUseId?: string;
}

export type SubagentStatus =
  | 'SUBAGENT_STATUS_UNSPECIFIED'
  | 'SUBAGENT_STATUS_STARTED'
  | 'SUBAGENT_STATUS_PROGRESS'
  | 'SUBAGENT_STATUS_COMPLETED'
  | 'SUBAGENT_STATUS_FAILED'
  | 'SUBAGENT_STATUS_STOPPED';

export interface TodoItem {
  readonly id: string;
  readonly text: string;
  readonly status:
    | 'TODO_STATUS_UNSPECIFIED'
    | 'TODO_STATUS_PENDING'
    | 'TODO_STATUS_IN_PROGRESS'
    | 'TODO_STATUS_COMPLETED';
}

export interface TurnEndedBody {
  readonly turnId: string;
  readonly outcome:
    | 'TURN_OUTCOME_UNSPECIFIED'
    | 'TURN_OUTCOME_COMPLETED'
    | 'TURN_OUTCOME_INTERRUPTED'
    | 'TURN_OUTCOME_FAILED'
    | 'TURN_OUTCOME_LOST';
  readonly error?: string;
  readonly errorCode?: string;
  /** The gateway's own word for a lost turn: its workspace was taken down, and the session stopped. */
  readonly takenDown?: boolean;
  readonly usage?: {
    readonly inputTokens: number;
    readonly outputTokens: number;
    readonly cacheReadTokens: number;
    readonly cacheWriteTokens: number;
  };
  readonly costUsd?: number;
  readonly totalCostUsd?: number;
  readonly contextTokens?: number;
  readonly contextWindow?: number;
  readonly durationMs?: number;
  readonly inputIds?: readonly string[];
}

export type TranscriptKind = keyof Bodies;
export type EntryOf<Kind extends TranscriptKind> = {
  [Name in Kind]: { readonly id: number; readonly at: number; readonly kind: Name; readonly body: Bodies[Name] };
}[Kind];
export type TranscriptEntry = EntryOf<TranscriptKind>;

/** The fields without which a row of that kind means nothing, with their types. */
const NEEDED: {
  readonly [Kind in TranscriptKind]: Readonly<Record<string, 'string' | 'number' | 'boolean' | 'array'>>;
} = {
  note: { note: 'string', tone: 'string', text: 'string' },
  heard: { postId: 'string' },
  steered: { turnId: 'string', inputId: 'string' },
  turnStarted: { turnId: 'string' },
  textDelta: { turnId: 'string', blockId: 'string', text: 'string' },
  textBlock: { turnId: 'string', blockId: 'string', text: 'string' },
  textWithdrawn: { turnId: 'string', blockId: 'string' },
  thinking: { turnId: 'string', estimatedTokens: 'number' },
  toolUse: { turnId: 'string', toolUseId: 'string', name: 'string', inputJson: 'string' },
  toolResult: { turnId: 'string', toolUseId: 'string', isError: 'boolean', summary: 'string' },
  subagent: {
    taskId: 'string',
    toolUseId: 'string',
    agentType: 'string',
    description: 'string',
    status: 'string',
    summary: 'string',
  },
  todoList: { items: 'array' },
  approvalRequest: { requestId: 'string', kind: 'string', turnId: 'string', toolName: 'string', inputJson: 'string' },
  approvalWithdrawn: { requestId: 'string', reason: 'string' },
  compactionStarted: { automatic: 'boolean' },
  compacted: { ok: 'boolean' },
  cleared: { agentSessionId: 'string' },
  rateLimit: { status: 'string', limit: 'string', resetsAtMs: 'number', utilization: 'number' },
  retrying: { attempt: 'number', maxAttempts: 'number', delayMs: 'number', error: 'string', httpStatus: 'number' },
  modeChanged: { mode: 'string' },
  turnFollowed: { turnId: 'string', following: 'boolean' },
  turnEnded: { turnId: 'string', outcome: 'string' },
  promptLost: { inputId: 'string' },
  commandOutput: { turnId: 'string', command: 'string', text: 'string' },
  sessionClosed: { reason: 'string', error: 'string' },
  fileOffered: { path: 'string', size: 'number' },
  contextUsage: { tokens: 'number', window: 'number' },
};

/** The contract's name for an output that is called otherwise here. */
const RENAMED: Readonly<Record<string, TranscriptKind>> = { permissionModeChanged: 'modeChanged' };

/** Reads a stored row; null for a kind this version does not show, or a body that lacks what its kind needs. */
export function readEntry(row: TranscriptRow): TranscriptEntry | null {
  const kind = RENAMED[row.kind] ?? row.kind;
  if (!isKind(kind)) return null;
  for (const [field, type] of Object.entries(NEEDED[kind])) {
    if (typeOf(row.body[field]) !== type) return null;
  }
  // The fields were just checked; values of enumerations are compared where they are used, unknown ones do nothing.
  return { id: row.id, at: row.at, kind, body: row.body } as TranscriptEntry;
}

function isKind(kind: string): kind is TranscriptKind {
  return Object.hasOwn(NEEDED, kind);
}

function typeOf(value: Json | undefined): string {
  return Array.isArray(value) ? 'array' : typeof value;
}
