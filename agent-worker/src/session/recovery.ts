// What a restarted worker says about what it left open when it died.
import { TurnOutcome, WithdrawalReason } from '../generated/claude_agent/v1/agent.ts';
import type { Facts } from '../log/facts.ts';
import type { Output } from '../mapping/state.ts';

/**
 * Open requests are withdrawn, the open turn is LOST, and accepted prompts without a turn are told as lost: nothing is
 * run again by itself.
 * @param wantingTurns accepted inputs that want a turn
 */
export function recoveryOutputs(
  facts: Facts,
  wantingTurns: readonly string[],
  session: { agentSessionId: string; totalCostUsd: number },
): Output[] {
  const outputs: Output[] = facts.openApprovals.map((requestId) => ({
    $case: 'approvalWithdrawn',
    value: { requestId, reason: WithdrawalReason.WORKER_LOST },
  }));
  const open = facts.openTurn;
  if (open) {
    outputs.push({
      $case: 'turnEnded',
      value: {
        turnId: open.turnId,
        outcome: TurnOutcome.LOST,
        error: 'The agent worker was restarted.',
        errorCode: 'worker_lost',
        usage: undefined,
        costUsd: 0,
        totalCostUsd: session.totalCostUsd,
        contextTokens: 0,
        contextWindow: 0,
        durationMs: 0,
        inputIds: [...open.inputIds],
        agentSessionId: session.agentSessionId,
      },
    });
  }
  const settled = new Set([...facts.settledInputs, ...(open?.inputIds ?? [])]);
  for (const inputId of wantingTurns) {
    if (!settled.has(inputId)) outputs.push({ $case: 'promptLost', value: { inputId } });
  }
  return outputs;
}
