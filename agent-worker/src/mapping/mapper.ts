// From the SDK's messages to the outputs of the session's log. No clock, no randomness, no I/O: the same messages make
// the same outputs, so recorded conversations are its tests. The state is changed in place and belongs to the caller.

import { TurnOutcome } from '../generated/claude_agent/v1/agent.ts';
import { type JsonRecord, list, record, strings, text } from './json.ts';
import { type MapperState, type Output, type Push, seenBefore } from './state.ts';
import {
  compactionFailed,
  mapApiRetry,
  mapCompactBoundary,
  mapRateLimit,
  mapStatus,
  mapThinkingTokens,
} from './system.ts';
import { endTasks, mapTaskNotification, mapTaskProgress, mapTaskStarted, mapTaskUpdated } from './tasks.ts';
import { claimBlock, keepDangling, mapStreamEvent, mapTextBlock, noteUsage } from './text.ts';
import { closeTools, mapToolResult, mapToolUse } from './tools.ts';
import {
  beginTurn,
  endTurn,
  INTERRUPTED_ENDING,
  lostEnding,
  mapInit,
  mapLifecycle,
  mapResult,
  NO_ENDING,
} from './turn.ts';

/** Messages that carry nothing for the gateway. Everything not named here or handled below is Unrecognised. */
const SILENT_SYSTEM = new Set([
  'background_tasks_changed',
  'commands_changed',
  'control_request_progress',
  'elicitation_complete',
  'files_persisted',
  'hook_progress',
  'hook_response',
  'hook_started',
  'informational',
  'memory_recall',
  'mirror_error',
  'model_refusal_fallback',
  'model_refusal_no_fallback',
  'notification',
  'permission_denied',
  'plugin_install',
  'session_state_changed',
  'session_writes_lost',
  'worker_shutting_down',
]);
const SILENT_TYPES = new Set(['active_goal', 'auth_status', 'prompt_suggestion', 'tool_progress', 'tool_use_summary']);
const SILENT_BLOCKS = new Set(['redacted_thinking', 'thinking']);
const RAW_LIMIT = 8_000;

/** Registers a message that is about to be given to the SDK. */
export function notePush(state: MapperState, push: Push): void {
  state.pushes.set(push.uuid, push);
}

/** Nothing runs and nothing given to the SDK waits for its turn. */
export function isIdle(state: MapperState): boolean {
  return state.turn === undefined && state.pushes.size === 0;
}

/** What one message of the SDK's iterator means. */
export function mapMessage(state: MapperState, raw: unknown): Output[] {
  const message = record(raw);
  const type = text(message.type);
  if (type === 'stream_event') return mapStreamEvent(state, message);
  if (seenBefore(state, text(message.uuid))) return [];
  switch (type) {
    case 'assistant':
      return mapAssistant(state, message);
    case 'user':
      return mapUser(state, message);
    case 'result':
      return mapResult(state, message);
    case 'system':
      return mapSystem(state, message);
    case 'command_lifecycle':
      return mapLifecycle(state, message);
    case 'conversation_reset':
      state.cleared = true;
      state.cliTotalUsd = 0;
      state.contextTokens = 0;
      state.contextChanged = false;
      state.todos = [];
      return [];
    case 'rate_limit_event':
      return mapRateLimit(message);
    default:
      return SILENT_TYPES.has(type) ? [] : [unrecognised(raw)];
  }
}

/**
 * The `result` that answers a resume id nobody knows: it comes before any `init`, the process ends with it, and what
 * was pushed never ran. Its own session id is invented.
 */
export function isDeadResume(state: MapperState, raw: unknown): boolean {
  const message = record(raw);
  return (
    message.type === 'result' &&
    message.is_error === true &&
    state.turn === undefined &&
    strings(message.errors).some((error) => /No conversation found|--resume requires a valid/.test(error))
  );
}

interface ProcessEnd {
  readonly id: string;
  readonly error: string;
  /** Somebody or something asked for it. */
  readonly wanted: boolean;
}

/**
 * The agent's process is gone: closes what it left open. A turn that ran is INTERRUPTED if that was wanted and LOST if
 * not; messages that were given to it and never reached a turn end as one that failed, under `id`.
 */
export function mapProcessEnd(state: MapperState, end: ProcessEnd): Output[] {
  const outputs = state.turn ? keepDangling(state) : [];
  outputs.push(...endTasks(state), ...closeTools(state, () => true, 'No result: the agent ended.'));
  if (state.turn) outputs.push(...endTurn(state, end.wanted ? INTERRUPTED_ENDING : lostEnding(end.error)));
  if (state.pushes.size > 0) {
    state.started = [...state.pushes.keys()];
    outputs.push(beginTurn(state, end.id, { initSeen: true }));
    const failed = { ...NO_ENDING, outcome: TurnOutcome.FAILED, error: end.error, errorCode: 'agent_start_failed' };
    outputs.push(...endTurn(state, failed));
  }
  state.started = [];
  state.stream = undefined;
  state.backgroundEnded = false;
  return outputs;
}

function mapSystem(state: MapperState, message: JsonRecord): Output[] {
  const subtype = text(message.subtype);
  switch (subtype) {
    case 'init':
      return mapInit(state, message);
    case 'status':
      return mapStatus(state, message);
    case 'api_retry':
      return mapApiRetry(state, message);
    case 'compact_boundary':
      return mapCompactBoundary(state, message);
    case 'thinking_tokens':
      return mapThinkingTokens(state, message);
    case 'task_started':
      return mapTaskStarted(state, message);
    case 'task_progress':
      return mapTaskProgress(state, message);
    case 'task_updated':
      return mapTaskUpdated(state, message);
    case 'task_notification':
      return mapTaskNotification(state, message);
    case 'local_command_output':
      return [commandOutput(state, '', text(message.content))];
    default:
      return SILENT_SYSTEM.has(subtype) ? [] : [unrecognised(message)];
  }
}

function mapAssistant(state: MapperState, message: JsonRecord): Output[] {
  const content = list(record(message.message).content).map(record);
  if (message.is_api_error_message === true) {
    const said = content.map((block) => text(block.text)).join('\n');
    if (state.turn) {
      state.turn.apiError = { text: said, code: text(message.api_error) || text(message.error) };
    }
    return [];
  }
  if (message.local_command_source !== undefined) return mapCommandOutput(state, message, content);
  if (text(message.parent_tool_use_id) === '' && state.stream === undefined) {
    noteUsage(state, record(record(message.message).usage));
  }
  return content.flatMap((block) => mapAssistantBlock(state, message, block));
}

function mapAssistantBlock(state: MapperState, message: JsonRecord, block: JsonRecord): Output[] {
  const type = text(block.type);
  switch (type) {
    case 'text':
      return mapTextBlock(state, message, block);
    case 'tool_use':
    case 'server_tool_use': {
      const { outputs } = claimBlock(state, message, block);
      return [...outputs, ...mapToolUse(state, message, block)];
    }
    default: {
      const { outputs } = claimBlock(state, message, block);
      return SILENT_BLOCKS.has(type) || type.endsWith('_tool_result')
        ? outputs
        : [...outputs, unrecognised({ type: 'assistant', block })];
    }
  }
}

/** `user` messages of the iterator are never a person's words here; only the tool results in them matter. */
function mapUser(state: MapperState, message: JsonRecord): Output[] {
  return list(record(message.message).content)
    .map(record)
    .filter((block) => block.type === 'tool_result')
    .flatMap((block) => mapToolResult(state, message, block));
}

function mapCommandOutput(state: MapperState, message: JsonRecord, content: readonly JsonRecord[]): Output[] {
  const said = content.map((block) => text(block.text)).join('\n');
  const command = text(record(message.local_command_run).command);
  if (command !== 'compact') return [commandOutput(state, command, said)];
  if (state.turn?.compactionReported) return [];
  return [compactionFailed(state, said, false)];
}

function commandOutput(state: MapperState, command: string, said: string): Output {
  return { $case: 'commandOutput', value: { turnId: state.turn?.id ?? '', command, text: said } };
}

function unrecognised(raw: unknown): Output {
  return { $case: 'unrecognised', value: { rawJson: JSON.stringify(raw)?.slice(0, RAW_LIMIT) ?? '' } };
}
