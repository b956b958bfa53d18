/** An approval as its card and its answers see it. */
import { type ApprovalContext, type ApprovalKind, newApproval } from '../../src/machines/approval/context.ts';

export function request(kind: ApprovalKind, input: object): ApprovalContext {
  return newApproval({
    address: 'approval/one/r',
    timeoutMs: 0,
    remindMs: 0,
    twoPeople: false,
    grantMs: 8 * 3_600_000,
    request: {
      type: 'REQUESTED',
      at: 1,
      session: 'session/one',
      requestId: 'r',
      kind,
      toolName: 'Bash',
      inputJson: JSON.stringify(input),
      digest: 'd',
      turnId: 't',
      repo: 'acme/web',
      askedFor: { id: 'u', name: 'alice' },
      channelId: 'c',
      rootId: 'r',
    },
  });
}
