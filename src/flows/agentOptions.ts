/** How an agent is set up for a session: its folder, its mode, what it may do unasked, and what it is told of its place. */
import type { SessionOptions } from '../adapters/worker/generated/claude_agent/v1/agent.ts';
import { PermissionMode, ToolDecision } from '../adapters/worker/generated/claude_agent/v1/agent.ts';
import type { Config } from '../config.ts';
import { repoOfContainer } from '../machines/addresses.ts';
import type { LinkInput } from '../machines/session/context.ts';
import type { ToolRules } from '../policy/toolRules.ts';
import { toolPolicy } from '../policy/tools.ts';
import { isCapped } from './spending.ts';

const TOLD = `You work for a team that talks to you in a chat thread. Your answers are shown there as Markdown.
Several people may write; their names stand in brackets before their messages.
The network is closed except for what people have opened. When something needs a host that you cannot reach, call the tool
request_network_access with the host names and the reason, and wait for the answer; do not try to get around it.
If the tool is missing, write a line of its own: [NETWORK_REQUEST: host]`;

const DECISIONS = { allow: ToolDecision.ALLOW, ask: ToolDecision.ASK, deny: ToolDecision.DENY } as const;

/** How often a running turn tells what it has cost, where that matters. */
const SPENDING_EVERY_MS = 2_000;

/** Empty: people are not named in commits. */
function coauthorAddress({ sessions, mattermost }: Config): string {
  const { coauthorAddress: set } = sessions;
  return set === 'off' ? '' : (set ?? `{name}@${new URL(mattermost.url).hostname}`);
}

/** A hook in the checkout does it; a repository with hooks of its own keeps those. */
function creditWords(address: string): string {
  if (address === '') return '';
  return `Commits that you make name the person who asked: Co-authored-by: NAME <${address.replaceAll('{name}', 'NAME')}>
with their name in brackets as NAME. Usually a hook adds that line; add it yourself where a commit lacks it.`;
}

export function agentOptions(config: Config, rules: ToolRules, input: LinkInput): SessionOptions {
  const repo = repoOfContainer(input.container);
  const policy = toolPolicy({ mode: config.sessions.toolPolicy, review: input.review, repo, rules });
  return {
    cwd: input.cwd,
    permissionMode: input.plan ? PermissionMode.PLAN : PermissionMode.DEFAULT,
    env: { CSM_COAUTHOR_ADDRESS: coauthorAddress(config) },
    systemPromptAppend: [TOLD, creditWords(coauthorAddress(config))].join('\n').trim(),
    resumeId: input.resumeId,
    model: input.model,
    maxTurns: 0,
    spendingEveryMs: isCapped(config.spending) ? SPENDING_EVERY_MS : 0,
    toolPolicy: {
      otherwise: DECISIONS[policy.otherwise],
      allow: [...policy.allow],
      ask: [...policy.ask],
      deny: [...policy.deny],
    },
  };
}
