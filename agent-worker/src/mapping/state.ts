// What the mapper remembers between two messages of the SDK. Plain data, owned by one session.
import {
  PermissionMode,
  type SessionResponse,
  type TodoItem,
  type TurnOrigin,
} from '../generated/claude_agent/v1/agent.ts';

/** One thing to put into the session's event log. */
export type Output = NonNullable<SessionResponse['response']>;

/** A message given to the SDK whose turn has not ended yet. Its uuid pairs it with what the SDK says about it. */
export interface Push {
  uuid: string;
  inputId: string;
  /** A slash command of ours, without the slash; undefined for a prompt. */
  command: 'compact' | 'clear' | undefined;
}

export interface Turn {
  id: string;
  origin: TurnOrigin;
  inputIds: string[];
  /** False while a command works before its `init` (`/compact`). */
  initSeen: boolean;
  /** What a synthetic API-error message said; the result repeats it. */
  apiError: { text: string; code: string } | undefined;
  compactionReported: boolean;
}

export interface Task {
  taskId: string;
  toolUseId: string;
  agentType: string;
  description: string;
  background: boolean;
  /** A foreground shell command that only runs long: no task in anyone's eyes. */
  hidden: boolean;
}

export interface StreamedBlock {
  id: string;
  type: string;
  /** Deltas went out and neither the whole block nor a withdrawal followed yet. */
  dangling: boolean;
  text: string;
}

export interface Stream {
  messageId: string;
  blocks: Map<number, StreamedBlock>;
  /** The block being written. */
  open: number | undefined;
}

export interface MapperState {
  /** The agent's session id, as `init` last named it. */
  agentSessionId: string;
  model: string;
  mode: PermissionMode;
  turn: Turn | undefined;
  /** Messages given to the SDK and not yet answered by the end of a turn. */
  pushes: Map<string, Push>;
  /** Pushes the SDK started while no turn was open: the next turn answers them. */
  started: string[];
  /** A background task ended since the last turn began, so the next turn may begin by itself. */
  backgroundEnded: boolean;
  cleared: boolean;
  seen: Set<string>;
  stream: Stream | undefined;
  /** Blocks counted per API message, for messages that were not streamed. */
  blockCounts: Map<string, number>;
  /** Tool uses without a result: the id to the tool use whose subagent called it (empty: the main thread). */
  openTools: Map<string, string>;
  tasks: Map<string, Task>;
  todos: TodoItem[];
  /** Todo tools in flight: what was asked, until the result says that it holds. */
  todoCalls: Map<string, { name: string; input: unknown }>;
  contextTokens: number;
  contextWindow: number;
  contextChanged: boolean;
  thinkingTold: number;
  /** Running cost of the session in USD; never falls, not even over `/clear` or a killed process. */
  totalCostUsd: number;
  /** The last total as the CLI gave it. */
  cliTotalUsd: number;
}

export function newMapperState(
  start: { agentSessionId?: string; mode?: PermissionMode; totalCostUsd?: number } = {},
): MapperState {
  return {
    agentSessionId: start.agentSessionId ?? '',
    model: '',
    mode: start.mode ?? PermissionMode.DEFAULT,
    turn: undefined,
    pushes: new Map(),
    started: [],
    backgroundEnded: false,
    cleared: false,
    seen: new Set(),
    stream: undefined,
    blockCounts: new Map(),
    openTools: new Map(),
    tasks: new Map(),
    todos: [],
    todoCalls: new Map(),
    contextTokens: 0,
    contextWindow: 0,
    contextChanged: false,
    thinkingTold: 0,
    totalCostUsd: start.totalCostUsd ?? 0,
    cliTotalUsd: 0,
  };
}

const SEEN_LIMIT = 4_000;

/** Whether the message with this uuid comes a second time (`/compact` repeats older messages). */
export function seenBefore(state: MapperState, uuid: string): boolean {
  if (uuid === '') return false;
  if (state.seen.has(uuid)) return true;
  state.seen.add(uuid);
  forgetOldest(state.seen, SEEN_LIMIT);
  return false;
}

/** Keeps a Set or Map from growing without bound; both iterate in the order of insertion. */
export function forgetOldest(
  collection: { size: number; keys(): IterableIterator<string>; delete(key: string): boolean },
  limit: number,
): void {
  for (const key of collection.keys()) {
    if (collection.size <= limit) return;
    collection.delete(key);
  }
}
