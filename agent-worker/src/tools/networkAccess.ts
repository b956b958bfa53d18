// `request_network_access`: how the agent asks for a way through the firewall. The call waits until a person has decided
// and the gateway has opened the way, and then tells the agent in words.
import { tool } from '@anthropic-ai/claude-agent-sdk';
import { z } from 'zod';
import { ApprovalKind } from '../generated/claude_agent/v1/agent.ts';
import type { Approvals, Verdict } from '../session/approvals.ts';

export const NETWORK_TOOL = 'mcp__session_manager__request_network_access';
/** Open requests of one session; more would only be noise for the people asked. */
export const OPEN_LIMIT = 3;

export interface NetworkContext {
  approvals: Approvals;
  turnId(): string;
  /** Tool use ids of network calls, in order of calling, that have no approval request yet. */
  claimToolUse(hosts: readonly string[]): { toolUseId: string; parentToolUseId: string };
}

const DESCRIPTION = `Ask a person to open network access to up to 5 hosts. This container can reach nothing but what was \
allowed; a refused or timed-out connection is usually the firewall. Give host names without scheme, port or path \
(they are opened for HTTPS), and a reason people can judge. The call waits for the decision.`;

export function networkAccessTool(context: NetworkContext) {
  const denied = createDenials(context.turnId);
  return tool(
    'request_network_access',
    DESCRIPTION,
    {
      hosts: z.array(z.string().trim().min(1).max(260)).min(1).max(5),
      reason: z.string().max(2_000).default(''),
    },
    async ({ hosts, reason }) => {
      const said = await requestAccess(context, denied, [...new Set(hosts.map((host) => host.toLowerCase()))], reason);
      return { content: [{ type: 'text', text: said.text }], isError: said.isError };
    },
  );
}

/** One call of the tool; exported for its rules (limit, remembered denials) to be tested without an agent. */
export async function requestAccess(
  context: NetworkContext,
  denied: Denials,
  hosts: readonly string[],
  reason: string,
): Promise<{ text: string; isError: boolean }> {
  const ids = context.claimToolUse(hosts);
  const before = denied.find(hosts);
  if (before)
    return { text: `Already denied in this turn: ${before}. Do not ask again; go on without it.`, isError: true };
  if (context.approvals.count(ApprovalKind.NETWORK) >= OPEN_LIMIT) {
    return { text: `${OPEN_LIMIT} network requests are waiting already. Wait for their answers first.`, isError: true };
  }
  const verdict = await context.approvals.ask({
    kind: ApprovalKind.NETWORK,
    turnId: context.turnId(),
    toolName: NETWORK_TOOL,
    input: { hosts, reason },
    ...ids,
  });
  if (verdict.kind === 'denied') denied.add(hosts);
  return { text: inWords(hosts.join(', '), verdict), isError: verdict.kind !== 'approved' };
}

function inWords(hosts: string, verdict: Verdict): string {
  switch (verdict.kind) {
    case 'approved':
      return [
        verdict.proven
          ? `Approved, and a connection from here was seen to work: ${hosts}. Try again now.`
          : `Approved: ${hosts}. The way is open as far as the firewall says, but no connection could be proven yet. Try again; if it still fails, wait a few seconds and try once more, then report it.`,
        ...(verdict.message === '' ? [] : [verdict.message]),
      ].join(' ');
    case 'denied':
      return `Denied: ${hosts}.${verdict.message ? ` The person says: ${verdict.message}` : ''} Do not ask for it again in this turn; go on without it.`;
    case 'expired':
      return `Nobody answered in time about ${hosts}; it stays closed. Go on without it, or say what you need and stop.`;
    case 'withdrawn':
      return `The turn was ended before anyone decided about ${hosts}.`;
  }
}

export interface Denials {
  add(hosts: readonly string[]): void;
  /** The first of the hosts that was denied in the running turn. */
  find(hosts: readonly string[]): string | undefined;
}

export function createDenials(turnId: () => string): Denials {
  let turn = '';
  const hosts = new Set<string>();
  const fresh = () => {
    if (turn !== turnId()) hosts.clear();
    turn = turnId();
  };
  return {
    add(more) {
      fresh();
      for (const host of more) hosts.add(host);
    },
    find(wanted) {
      fresh();
      return wanted.find((host) => hosts.has(host));
    },
  };
}
