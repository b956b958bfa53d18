// What must be known after a crash although the outputs that said it may be acknowledged and forgotten: the open turn,
// open approval requests, and which inputs have had their turn. Folded from the outputs alone, so it cannot disagree
// with the log.
import type { Output } from '../mapping/state.ts';

export interface Facts {
  openTurn: { turnId: string; inputIds: string[] } | undefined;
  openApprovals: string[];
  /** Inputs whose turn started or that were declared lost, oldest first, bounded. */
  settledInputs: string[];
}

const SETTLED_LIMIT = 4_000;

export const NO_FACTS: Facts = { openTurn: undefined, openApprovals: [], settledInputs: [] };

export function foldFacts(facts: Facts, output: Output): Facts {
  switch (output.$case) {
    case 'turnStarted': {
      const { turnId, inputIds } = output.value;
      return { ...settle(facts, inputIds), openTurn: { turnId, inputIds: [...inputIds] } };
    }
    case 'steered': {
      const { turnId, inputId } = output.value;
      const open = facts.openTurn;
      const openTurn = open?.turnId === turnId ? { turnId, inputIds: [...open.inputIds, inputId] } : open;
      return { ...settle(facts, [inputId]), openTurn };
    }
    case 'turnEnded':
      return { ...settle(facts, output.value.inputIds), openTurn: undefined };
    case 'promptLost':
      return settle(facts, [output.value.inputId]);
    case 'approvalRequest':
      return { ...facts, openApprovals: [...facts.openApprovals, output.value.requestId] };
    case 'approvalWithdrawn':
      return withoutApproval(facts, output.value.requestId);
    default:
      return facts;
  }
}

export function withoutApproval(facts: Facts, requestId: string): Facts {
  return { ...facts, openApprovals: facts.openApprovals.filter((id) => id !== requestId) };
}

function settle(facts: Facts, inputIds: readonly string[]): Facts {
  const fresh = inputIds.filter((id) => !facts.settledInputs.includes(id));
  if (fresh.length === 0) return facts;
  return { ...facts, settledInputs: [...facts.settledInputs, ...fresh].slice(-SETTLED_LIMIT) };
}
