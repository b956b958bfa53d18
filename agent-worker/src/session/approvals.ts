// Approval requests that wait for a person. Several may be open at once; none has a deadline here: the gateway decides
// when nobody has answered in time and says so with a Decision.
import { createHash, randomUUID } from 'node:crypto';
import { ApprovalKind, type Decision, DecisionOutcome, WithdrawalReason } from '../generated/claude_agent/v1/agent.ts';
import type { Output } from '../mapping/state.ts';

export type Verdict =
  | { kind: 'approved'; answers: Readonly<Record<string, string>>; proven: boolean; message: string }
  | { kind: 'denied'; message: string }
  | { kind: 'expired' }
  /** The turn ended or the agent is gone: nobody waits for the answer any more. */
  | { kind: 'withdrawn' };

export interface Ask {
  kind: ApprovalKind;
  turnId: string;
  toolName: string;
  input: unknown;
  toolUseId: string;
  parentToolUseId: string;
  /** Withdraws the request when it fires. */
  signal?: AbortSignal;
}

export type Refusal = { code: 'NO_SUCH_REQUEST' | 'DIGEST_MISMATCH' | 'NO_OUTCOME'; reason: string };

export interface Approvals {
  /** Puts the question and waits for the answer. */
  ask(ask: Ask): Promise<Verdict>;
  /** Why this decision cannot take effect; undefined if it can. */
  check(decision: Decision): Refusal | undefined;
  /** Settles the request; `check` must have passed. */
  decide(decision: Decision): void;
  withdraw(which: (open: OpenRequest) => boolean, reason: WithdrawalReason): void;
  openIds(): string[];
  count(kind: ApprovalKind): number;
}

export interface OpenRequest {
  kind: ApprovalKind;
  turnId: string;
  requestId: string;
}

/** @param emit puts an output into the session's log; @param settled notes that a request was answered */
export function createApprovals(emit: (output: Output) => void, settled: (requestId: string) => void): Approvals {
  const open = new Map<string, OpenRequest & { digest: string; resolve: (verdict: Verdict) => void }>();

  const withdrawOne = (requestId: string, reason: WithdrawalReason) => {
    const request = open.get(requestId);
    if (!request) return;
    open.delete(requestId);
    emit({ $case: 'approvalWithdrawn', value: { requestId, reason } });
    request.resolve({ kind: 'withdrawn' });
  };

  return {
    ask(ask) {
      if (ask.signal?.aborted) return Promise.resolve({ kind: 'withdrawn' });
      const requestId = randomUUID();
      const inputJson = JSON.stringify(ask.input);
      const inputDigest = digestOf(inputJson);
      const { kind, turnId, toolName, toolUseId, parentToolUseId } = ask;
      return new Promise((resolve) => {
        open.set(requestId, { kind, turnId, requestId, digest: inputDigest, resolve });
        ask.signal?.addEventListener('abort', () => withdrawOne(requestId, WithdrawalReason.TURN_ENDED), {
          once: true,
        });
        emit({
          $case: 'approvalRequest',
          value: { requestId, kind, turnId, toolName, inputJson, inputDigest, parentToolUseId, toolUseId },
        });
      });
    },
    check(decision) {
      const request = open.get(decision.requestId);
      if (!request) return { code: 'NO_SUCH_REQUEST', reason: 'The request is unknown or already settled.' };
      if (request.digest !== decision.inputDigest) {
        return { code: 'DIGEST_MISMATCH', reason: 'The decision is about other arguments than the request.' };
      }
      if (request.kind === ApprovalKind.QUESTION && isBlankAnswer(decision)) {
        return { code: 'NO_OUTCOME', reason: 'The question was not answered: the answer is empty.' };
      }
      return verdictOf(decision) ? undefined : { code: 'NO_OUTCOME', reason: 'The decision has no outcome.' };
    },
    decide(decision) {
      const request = open.get(decision.requestId);
      const verdict = verdictOf(decision);
      if (!request || !verdict) return;
      open.delete(decision.requestId);
      settled(decision.requestId);
      request.resolve(verdict);
    },
    withdraw(which, reason) {
      for (const request of [...open.values()]) if (which(request)) withdrawOne(request.requestId, reason);
    },
    openIds: () => [...open.keys()],
    count: (kind) => [...open.values()].filter((request) => request.kind === kind).length,
  };
}

/** SHA-256 of the exact JSON, lower-case hex. */
export function digestOf(inputJson: string): string {
  return createHash('sha256').update(inputJson).digest('hex');
}

/** It would reach the agent as if a person had answered. */
function isBlankAnswer({ outcome, answers }: Decision): boolean {
  return outcome === DecisionOutcome.APPROVED && Object.values(answers).every((answer) => answer.trim() === '');
}

function verdictOf(decision: Decision): Verdict | undefined {
  switch (decision.outcome) {
    case DecisionOutcome.APPROVED:
      return { kind: 'approved', answers: decision.answers, proven: decision.proven, message: decision.message };
    case DecisionOutcome.DENIED:
      return { kind: 'denied', message: decision.message };
    case DecisionOutcome.EXPIRED:
      return { kind: 'expired' };
    default:
      return undefined;
  }
}
