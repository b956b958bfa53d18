/**
 * From what a worker says to what is stored and what charts hear of it. Everything goes into the transcript; charts hear
 * only of what changes a conversation's state.
 */
import { createHash } from 'node:crypto';
import { type Address, keyOf } from '../../machines/addresses.ts';
import { WRITTEN } from '../../machines/approval/context.ts';
import type { ChartEvent } from '../../machines/events.ts';
import { assertNever, type JsonObject } from '../../machines/json.ts';
import type { ApprovalRequested, TurnEnded } from '../../machines/session/events.ts';
import {
  ApprovalKind,
  CloseReason,
  PermissionMode,
  type SessionResponse,
  type TurnEnded as TurnEndedOutput,
  TurnOrigin,
  TurnOutcome,
  type TurnStarted as TurnStartedOutput,
} from './generated/claude_agent/v1/agent.ts';

type Output = NonNullable<SessionResponse['response']>;

/** The transcript's name of an output, and its body as plain JSON. Undefined for answers that are not part of the log. */
export function transcriptOf(output: Output): { kind: string; body: JsonObject } | undefined {
  switch (output.$case) {
    case 'attached':
    case 'inputAccepted':
    case 'inputRefused':
      return undefined;
    case 'permissionModeChanged':
      return { kind: 'modeChanged', body: plain(output.value) };
    default:
      return { kind: output.$case, body: plain(output.value) };
  }
}

/** Generated messages are plain data; undefined fields and class instances do not occur in them. */
function plain(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}

/** The chart event an output stands for, if charts care. */
export function chartEventOf(output: Output, at: number): ChartEvent | undefined {
  switch (output.$case) {
    case 'turnStarted':
      return turnStarted(output.value, at);
    case 'spent':
      return { type: 'SPENT', at, turnId: output.value.turnId, costUsd: output.value.costUsd };
    case 'turnEnded':
      return turnEnded(output.value, at);
    case 'approvalRequest':
      return approvalRequested(output.value, at);
    case 'approvalWithdrawn':
      return { type: 'APPROVAL.WITHDRAWN', at, requestId: output.value.requestId };
    case 'permissionModeChanged':
      return { type: 'MODE.CHANGED', at, plan: output.value.mode === PermissionMode.PLAN };
    case 'modelChanged':
      return { type: 'MODEL.CHANGED', at, model: output.value.model };
    case 'commandOutput':
      return modelRefused(output.value, at);
    case 'compacted':
      return { type: 'COMPACTED', at, ok: output.value.ok, error: output.value.error };
    case 'cleared':
      return { type: 'CLEARED', at, agentSessionId: output.value.agentSessionId };
    case 'promptLost':
      return { type: 'PROMPT.LOST', at, inputId: output.value.inputId };
    case 'steered':
      return { type: 'PROMPT.STEERED', at, turnId: output.value.turnId, inputId: output.value.inputId };
    case 'sessionClosed':
      // Nobody listened for long, so the agent was closed. The session is asleep; its next prompt wakes it.
      if (output.value.reason === CloseReason.ORPHANED) return undefined;
      return {
        type: 'SESSION.CLOSED',
        at,
        reason: output.value.reason === CloseReason.REQUESTED ? 'requested' : 'other',
        agentSessionId: output.value.agentSessionId,
        error: output.value.error,
      };
    case 'attached':
    case 'inputAccepted':
    case 'inputRefused':
    case 'textDelta':
    case 'textBlock':
    case 'textWithdrawn':
    case 'thinking':
    case 'toolUse':
    case 'toolResult':
    case 'subagent':
    case 'todoList':
    case 'fileOffered':
    case 'contextUsage':
    case 'compactionStarted':
    case 'rateLimit':
    case 'retrying':
    case 'unrecognised':
      return undefined;
    default:
      return assertNever(output);
  }
}

function turnStarted({ turnId, inputIds, origin }: TurnStartedOutput, at: number): ChartEvent {
  return { type: 'TURN.STARTED', at, turnId, inputIds, own: origin === TurnOrigin.BACKGROUND };
}

function turnEnded(value: TurnEndedOutput, at: number): TurnEnded {
  return {
    type: 'TURN.ENDED',
    at,
    turnId: value.turnId,
    outcome: outcomeOf(value.outcome),
    inputTokens: tokensRead(value.usage),
    outputTokens: value.usage?.outputTokens ?? 0,
    costUsd: value.costUsd,
    contextTokens: value.contextTokens,
    contextWindow: value.contextWindow,
    agentSessionId: value.agentSessionId,
    inputIds: value.inputIds,
  };
}

/** All that the model read: what came from its cache, or went there, was read as well. */
function tokensRead(usage: TurnEndedOutput['usage']): number {
  return usage ? usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens : 0;
}

/** The worker says in words of a command that a model could not be taken; other commands only print. */
function modelRefused({ command, text }: { command: string; text: string }, at: number): ChartEvent | undefined {
  if (command !== 'model') return undefined;
  return { type: 'MODEL.REFUSED', at, code: 'MODEL', message: text, human: `The model was not changed: ${text}` };
}

function outcomeOf(outcome: TurnOutcome): TurnEnded['outcome'] {
  switch (outcome) {
    case TurnOutcome.COMPLETED:
      return 'completed';
    case TurnOutcome.INTERRUPTED:
      return 'interrupted';
    case TurnOutcome.LOST:
      return 'lost';
    default:
      return 'failed';
  }
}

function approvalRequested(
  value: Extract<Output, { $case: 'approvalRequest' }>['value'],
  at: number,
): ApprovalRequested {
  return {
    type: 'APPROVAL.REQUESTED',
    at,
    requestId: value.requestId,
    kind: kindOf(value.kind),
    toolName: value.toolName,
    inputJson: value.inputJson,
    digest: value.inputDigest,
    turnId: value.turnId,
  };
}

/**
 * A request that stands in the agent's answer. No tool waits for it, so it outlives its turn; the agent hears of the outcome
 * by a message.
 * @param key of the place in the answer: the same place is the same request, however often it is replayed
 */
export function requestedInWords(key: string, turnId: string, request: JsonObject, at: number): ApprovalRequested {
  const inputJson = JSON.stringify(request);
  return {
    type: 'APPROVAL.REQUESTED',
    at,
    requestId: `written-${sha256(key).slice(0, 32)}`,
    kind: 'network',
    toolName: WRITTEN,
    inputJson,
    digest: sha256(inputJson),
    turnId,
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** An unknown kind is treated as a tool: its exact arguments are shown and nothing is opened. */
function kindOf(kind: ApprovalKind): ApprovalRequested['kind'] {
  switch (kind) {
    case ApprovalKind.NETWORK:
      return 'network';
    case ApprovalKind.PLAN:
      return 'plan';
    case ApprovalKind.QUESTION:
      return 'question';
    default:
      return 'tool';
  }
}

/** Identity of an output's event: however often it is replayed, the chart hears of it once. */
export function outputKey(session: Address, logId: string, seq: number): string {
  return `output/${keyOf(session)}/${logId}/${seq}`;
}
