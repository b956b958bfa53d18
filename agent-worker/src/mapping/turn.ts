// Agent turns: `init` (or a command's first sign of work) begins one, `result` ends it, and each that begins ends.
import { TurnOrigin, TurnOutcome } from '../generated/claude_agent/v1/agent.ts';
import { count, isRecord, type JsonRecord, list, number, record, strings, text } from './json.ts';
import { noteMode } from './mode.ts';
import type { MapperState, Output, Push, Turn } from './state.ts';
import { withdrawDangling } from './text.ts';
import { closeTools } from './tools.ts';

/** Begins the turn, or joins it if a command began it before its `init`. */
export function mapInit(state: MapperState, message: JsonRecord): Output[] {
  const outputs: Output[] = [];
  const model = text(message.model);
  if (model !== '' && model !== state.model) {
    const known = state.model !== '';
    state.model = model;
    if (known) outputs.push({ $case: 'modelChanged', value: { model } });
  }
  state.agentSessionId = text(message.session_id) || state.agentSessionId;
  if (state.turn && !state.turn.initSeen) {
    state.turn.initSeen = true;
  } else {
    // Two `init` without a `result` between them were never seen; a turn that begins closes the one before it.
    if (state.turn) outputs.push(...endTurn(state, lostEnding('Another turn began.')));
    outputs.push(beginTurn(state, text(message.uuid), { initSeen: true }));
  }
  outputs.push(...noteMode(state, text(message.permissionMode)));
  if (state.cleared) {
    state.cleared = false;
    outputs.push({ $case: 'cleared', value: { agentSessionId: state.agentSessionId } });
  }
  return outputs;
}

/** Opens a turn under `id`, answering whatever pushes the SDK has started since the last one ended. */
export function beginTurn(state: MapperState, id: string, how: { initSeen: boolean; origin?: TurnOrigin }): Output {
  const pushes = state.started.flatMap((uuid) => state.pushes.get(uuid) ?? []);
  state.started = [];
  const origin = how.origin ?? originOf(pushes, state.backgroundEnded);
  state.backgroundEnded = false;
  const turn: Turn = {
    id,
    origin,
    inputIds: pushes.map((push) => push.inputId),
    initSeen: how.initSeen,
    apiError: undefined,
    compactionReported: false,
  };
  state.turn = turn;
  state.thinkingTold = 0;
  return { $case: 'turnStarted', value: { turnId: id, inputIds: [...turn.inputIds], origin, model: state.model } };
}

function originOf(pushes: readonly Push[], backgroundEnded: boolean): TurnOrigin {
  if (pushes.some((push) => push.command === undefined)) return TurnOrigin.PROMPT;
  if (pushes.length > 0) return TurnOrigin.COMMAND;
  return backgroundEnded ? TurnOrigin.BACKGROUND : TurnOrigin.PROMPT;
}

/**
 * Follows one pushed message through the SDK's queue. Started inside a turn it was folded in; started between turns it
 * begins the next one; cancelled before it ran, it is lost.
 */
export function mapLifecycle(state: MapperState, message: JsonRecord): Output[] {
  const uuid = text(message.command_uuid);
  const push = state.pushes.get(uuid);
  if (!push) return [];
  const turn = state.turn;
  switch (message.state) {
    case 'started':
      if (!turn) {
        state.started.push(uuid);
        return [];
      }
      if (turn.inputIds.includes(push.inputId)) return [];
      turn.inputIds.push(push.inputId);
      return [{ $case: 'steered', value: { turnId: turn.id, inputId: push.inputId } }];
    case 'cancelled':
      if (turn?.inputIds.includes(push.inputId)) return [];
      state.pushes.delete(uuid);
      state.started = state.started.filter((other) => other !== uuid);
      return [{ $case: 'promptLost', value: { inputId: push.inputId } }];
    case 'completed': {
      // A message that was dealt with without any turn (not seen so far) still needs an end.
      if (turn) return [];
      if (!state.started.includes(uuid)) state.started.push(uuid);
      const begun = beginTurn(state, text(message.uuid), { initSeen: true });
      return [begun, ...endTurn(state, { ...NO_ENDING, outcome: TurnOutcome.COMPLETED })];
    }
    default:
      return [];
  }
}

export interface Ending {
  outcome: TurnOutcome;
  error: string;
  errorCode: string;
  usage: { inputTokens: number; outputTokens: number; cacheReadTokens: number; cacheWriteTokens: number } | undefined;
  costUsd: number;
  durationMs: number;
  answered: readonly string[];
}

export const NO_ENDING: Ending = {
  outcome: TurnOutcome.UNSPECIFIED,
  error: '',
  errorCode: '',
  usage: undefined,
  costUsd: 0,
  durationMs: 0,
  answered: [],
};

/** The agent was closed under the turn, because somebody or something asked for that. */
export const INTERRUPTED_ENDING: Ending = { ...NO_ENDING, outcome: TurnOutcome.INTERRUPTED };

export function lostEnding(error: string): Ending {
  return { ...NO_ENDING, outcome: TurnOutcome.LOST, error, errorCode: 'agent_lost' };
}

/** Ends the turn with a `result`. */
export function mapResult(state: MapperState, message: JsonRecord): Output[] {
  const outputs = withdrawDangling(state);
  const uuids = new Set([...strings(message.user_message_uuids), text(message.user_message_uuid)]);
  const answered = [...uuids].filter((uuid) => state.pushes.has(uuid));
  if (!state.turn) {
    state.started.push(...answered.filter((uuid) => !state.started.includes(uuid)));
    outputs.push(beginTurn(state, text(message.uuid), { initSeen: true }));
  }
  noteWindow(state, record(message.modelUsage));
  outputs.push(...endTurn(state, endingOf(state, message, answered)));
  return outputs;
}

/** Closes the open turn and everything that cannot outlive it. */
export function endTurn(state: MapperState, ending: Ending): Output[] {
  const turn = state.turn;
  if (!turn) return [];
  const outputs = closeTools(state, (parent) => parent === '', 'No result: the turn ended.');
  const answered = ending.answered.flatMap((uuid) => state.pushes.get(uuid)?.inputId ?? []);
  const inputIds = [...new Set([...turn.inputIds, ...answered])];
  for (const [uuid, push] of state.pushes) if (inputIds.includes(push.inputId)) state.pushes.delete(uuid);
  if (state.contextChanged && state.contextTokens > 0) {
    state.contextChanged = false;
    outputs.push({ $case: 'contextUsage', value: { tokens: state.contextTokens, window: state.contextWindow } });
  }
  state.totalCostUsd = Math.max(state.totalCostUsd + ending.costUsd, state.cliTotalUsd);
  outputs.push({
    $case: 'turnEnded',
    value: {
      turnId: turn.id,
      outcome: ending.outcome,
      error: ending.error,
      errorCode: ending.errorCode,
      usage: ending.usage,
      costUsd: ending.costUsd,
      totalCostUsd: state.totalCostUsd,
      contextTokens: state.contextTokens,
      contextWindow: state.contextWindow,
      durationMs: ending.durationMs,
      inputIds,
      agentSessionId: state.agentSessionId,
    },
  });
  state.turn = undefined;
  state.stream = undefined;
  return outputs;
}

function endingOf(state: MapperState, message: JsonRecord, answered: readonly string[]): Ending {
  const usage = record(message.usage);
  const outcome = outcomeOf(message);
  const failed = outcome === TurnOutcome.FAILED;
  return {
    outcome,
    error: failed ? errorText(state, message) : '',
    errorCode: failed ? errorCode(state, message) : '',
    usage: {
      inputTokens: count(usage.input_tokens),
      outputTokens: count(usage.output_tokens),
      cacheReadTokens: count(usage.cache_read_input_tokens),
      cacheWriteTokens: count(usage.cache_creation_input_tokens),
    },
    costUsd: costOf(state, message),
    durationMs: count(message.duration_ms),
    answered,
  };
}

/** `subtype` says "success" for API errors too: only `is_error` and `terminal_reason` count. */
export function outcomeOf(message: JsonRecord): TurnOutcome {
  if (message.is_error !== true) return TurnOutcome.COMPLETED;
  return text(message.terminal_reason).startsWith('aborted') ? TurnOutcome.INTERRUPTED : TurnOutcome.FAILED;
}

function errorText(state: MapperState, message: JsonRecord): string {
  const said = state.turn?.apiError?.text || text(message.result);
  if (said !== '') return said;
  if (message.subtype === 'error_max_turns') return 'The limit of model calls for one turn was reached.';
  const errors = strings(message.errors).filter((error) => !error.startsWith('[ede_diagnostic]'));
  return errors.join('\n') || 'The turn ended with an error.';
}

/** The most telling code there is; "unknown" says less than where the turn ended. */
function errorCode(state: MapperState, message: JsonRecord): string {
  const subtype = text(message.subtype);
  const codes = [
    text(message.api_error),
    state.turn?.apiError?.code ?? '',
    text(message.terminal_reason),
    subtype === 'success' ? '' : subtype,
  ];
  return codes.find((code) => code !== '' && code !== 'unknown') ?? 'unknown';
}

/**
 * What this turn cost, in USD. `model_usage_since_last_result` is exact even after a resume (the totals then begin with
 * the cost of earlier processes) and after a kill (they fall); the difference of the totals is the fallback.
 */
function costOf(state: MapperState, message: JsonRecord): number {
  const total = number(message.total_cost_usd);
  const before = state.cliTotalUsd;
  state.cliTotalUsd = total;
  const since = message.model_usage_since_last_result;
  if (!isRecord(since)) return Math.max(0, total - before);
  return Object.values(since).reduce<number>((sum, usage) => sum + number(record(usage).costUSD), 0);
}

function noteWindow(state: MapperState, modelUsage: JsonRecord): void {
  const own = record(modelUsage[state.model]);
  const any = list(Object.values(modelUsage)).map((usage) => count(record(usage).contextWindow));
  state.contextWindow = count(own.contextWindow) || Math.max(0, ...any) || state.contextWindow;
}
