/** The approvals that the agent asks for, each an actor of its own. */
import { approvalAddress } from '../../addresses.ts';
import type { Effect } from '../../effects.ts';
import { type Args, only } from '../args.ts';
import { askersOf } from '../askers.ts';

export function openApproval({ context, event }: Args): Effect {
  const asked = only(event, 'APPROVAL.REQUESTED');
  return {
    kind: 'tell',
    to: approvalAddress(context.address, asked.requestId),
    event: {
      type: 'REQUESTED',
      at: event.at,
      session: context.address,
      requestId: asked.requestId,
      kind: asked.kind,
      toolName: asked.toolName,
      inputJson: asked.inputJson,
      digest: asked.digest,
      turnId: asked.turnId,
      repo: context.request.repo.repo,
      askedFor: context.request.owner,
      ...askersOf(context, asked),
      channelId: context.channelId,
      rootId: context.rootId,
    },
  };
}

export function withdrawals({ context, event }: Args, requestIds: readonly string[], reason: string): Effect[] {
  return requestIds.map((requestId) => ({
    kind: 'tell',
    to: approvalAddress(context.address, requestId),
    event: { type: 'WITHDRAW', at: event.at, reason },
  }));
}

export function withdrawApproval(args: Args): Effect[] {
  return withdrawals(args, [only(args.event, 'APPROVAL.WITHDRAWN').requestId], 'The agent no longer waits for it.');
}

export function withdrawAllApprovals(args: Args): Effect[] {
  return withdrawals(args, args.context.open, 'The session ended.');
}
