// `system` messages that are not about turns or tasks: retries, compaction, modes, thinking.
import { TurnOrigin } from '../generated/claude_agent/v1/agent.ts';
import { count, type JsonRecord, record, text } from './json.ts';
import { noteMode } from './mode.ts';
import type { MapperState, Output } from './state.ts';
import { withdrawDangling } from './text.ts';
import { beginTurn } from './turn.ts';

/** Estimated tokens between two Thinking outputs of one turn. */
const THINKING_STEP = 250;

export function mapApiRetry(state: MapperState, message: JsonRecord): Output[] {
  return [
    ...withdrawDangling(state),
    {
      $case: 'retrying',
      value: {
        attempt: count(message.attempt),
        maxAttempts: count(message.max_retries),
        delayMs: count(message.retry_delay_ms),
        error: text(message.error),
        httpStatus: count(message.error_status),
      },
    },
  ];
}

/** `status`: a mode that holds, or the beginning and the outcome of a compaction. */
export function mapStatus(state: MapperState, message: JsonRecord): Output[] {
  const outputs = noteMode(state, text(message.permissionMode));
  if (message.status === 'compacting') {
    // `/compact` works before its `init`; without a turn of its own nobody could interrupt it.
    const automatic = state.turn !== undefined;
    if (!automatic) {
      outputs.push(beginTurn(state, text(message.uuid), { initSeen: false, origin: TurnOrigin.COMMAND }));
    }
    outputs.push({ $case: 'compactionStarted', value: { automatic } });
  }
  if (message.compact_result === 'failed') {
    const automatic = state.turn !== undefined && state.turn.origin !== TurnOrigin.COMMAND;
    outputs.push(compactionFailed(state, text(message.compact_error), automatic));
  }
  return outputs;
}

export function compactionFailed(state: MapperState, error: string, automatic: boolean): Output {
  if (state.turn) state.turn.compactionReported = true;
  return { $case: 'compacted', value: { ok: false, automatic, tokensBefore: 0, tokensAfter: 0, error } };
}

export function mapCompactBoundary(state: MapperState, message: JsonRecord): Output[] {
  const metadata = record(message.compact_metadata);
  const tokensAfter = count(metadata.post_tokens);
  if (state.turn) state.turn.compactionReported = true;
  if (tokensAfter > 0) {
    state.contextTokens = tokensAfter;
    state.contextChanged = true;
  }
  return [
    {
      $case: 'compacted',
      value: {
        ok: true,
        automatic: metadata.trigger === 'auto',
        tokensBefore: count(metadata.pre_tokens),
        tokensAfter,
        error: '',
      },
    },
  ];
}

/** Thinking goes on; said at its first sign and then every few hundred tokens, since each delta brings a message. */
export function mapThinkingTokens(state: MapperState, message: JsonRecord): Output[] {
  const estimated = count(message.estimated_tokens);
  if (estimated < state.thinkingTold) state.thinkingTold = 0;
  if (state.thinkingTold > 0 && estimated - state.thinkingTold < THINKING_STEP) return [];
  state.thinkingTold = Math.max(1, estimated);
  return [
    {
      $case: 'thinking',
      value: {
        turnId: state.turn?.id ?? '',
        estimatedTokens: estimated,
        parentToolUseId: text(message.parent_tool_use_id),
      },
    },
  ];
}

export function mapRateLimit(message: JsonRecord): Output[] {
  const info = record(message.rate_limit_info);
  const limit = text(info.rateLimitType);
  const window = record(record(info.unifiedWindows)[limit]);
  const utilization = info.utilization ?? window.utilization;
  return [
    {
      $case: 'rateLimit',
      value: {
        status: text(info.status),
        limit,
        resetsAtMs: count(info.resetsAt) * 1_000,
        utilization: typeof utilization === 'number' ? utilization : 0,
      },
    },
  ];
}
