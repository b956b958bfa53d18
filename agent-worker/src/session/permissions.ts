// The two callbacks through which Claude Code asks before it uses a tool: the PreToolUse hook decides by policy and
// mode, and `canUseTool` carries what is to be asked (and every question and plan) to a person.
import type { CanUseTool, HookCallback, PermissionResult } from '@anthropic-ai/claude-agent-sdk';
import { ApprovalKind, PermissionMode, type ToolPolicy } from '../generated/claude_agent/v1/agent.ts';
import { isRecord, type JsonRecord, record } from '../mapping/json.ts';
import { planModeRuling } from '../planMode.ts';
import { decideTool, type Ruling } from '../policy.ts';
import { NETWORK_TOOL } from '../tools/networkAccess.ts';
import type { Approvals, Verdict } from './approvals.ts';

export interface PermissionContext {
  approvals: Approvals;
  cwd: string;
  plansDir: string;
  policy(): ToolPolicy | undefined;
  /** The mode in force, which may be ahead of what the CLI has confirmed. */
  mode(): PermissionMode;
  setMode(mode: PermissionMode): void;
  turnId(): string;
  /** The tool use that started the subagent, or empty. */
  parentOf(agentId: string): string;
  /** A network request is about to be made: its tool itself is not told which tool use it serves. */
  noteNetworkCall(call: { toolUseId: string; parentToolUseId: string }): void;
}

/** These two always need a person; the hook must not answer for one. */
const QUESTION = 'AskUserQuestion';
const PLAN = 'ExitPlanMode';

export function preToolUseHook(context: PermissionContext): HookCallback {
  return async (input) => {
    if (input.hook_event_name !== 'PreToolUse') return {};
    const ruling = rule(context, input.tool_name, record(input.tool_input), input.cwd);
    if (ruling.verdict === 'allow' && input.tool_name === 'EnterPlanMode') context.setMode(PermissionMode.PLAN);
    if (ruling.verdict === 'allow' && input.tool_name === NETWORK_TOOL) {
      const parentToolUseId = input.agent_id === undefined ? '' : context.parentOf(input.agent_id);
      context.noteNetworkCall({ toolUseId: input.tool_use_id, parentToolUseId });
    }
    return {
      hookSpecificOutput: {
        hookEventName: 'PreToolUse',
        permissionDecision: ruling.verdict,
        permissionDecisionReason: ruling.reason,
      },
    };
  };
}

/** @param cwd where the agent's shell is by now */
function rule(context: PermissionContext, tool: string, input: JsonRecord, cwd: string): Ruling {
  if (tool === QUESTION || tool === PLAN) return { verdict: 'ask', reason: 'a person answers this' };
  const planned =
    context.mode() === PermissionMode.PLAN ? planModeRuling(context.plansDir, context.cwd, tool, input) : undefined;
  return planned ?? decideTool(context.policy(), tool, input, cwd);
}

export function askPerson(context: PermissionContext): CanUseTool {
  return async (toolName, input, options): Promise<PermissionResult> => {
    const verdict = await context.approvals.ask({
      kind: kindOf(toolName),
      turnId: context.turnId(),
      toolName,
      input,
      toolUseId: options.toolUseID,
      parentToolUseId: options.agentID === undefined ? '' : context.parentOf(options.agentID),
      signal: options.signal,
    });
    if (verdict.kind === 'approved' && toolName === PLAN) context.setMode(PermissionMode.DEFAULT);
    return resultOf(toolName, input, verdict);
  };
}

function kindOf(toolName: string): ApprovalKind {
  switch (toolName) {
    case QUESTION:
      return ApprovalKind.QUESTION;
    case PLAN:
      return ApprovalKind.PLAN;
    default:
      return ApprovalKind.TOOL;
  }
}

function resultOf(toolName: string, input: Record<string, unknown>, verdict: Verdict): PermissionResult {
  switch (verdict.kind) {
    case 'approved': {
      if (toolName !== QUESTION) return { behavior: 'allow', updatedInput: input };
      const before = isRecord(input.answers) ? input.answers : {};
      return { behavior: 'allow', updatedInput: { ...input, answers: { ...before, ...verdict.answers } } };
    }
    case 'denied':
      return { behavior: 'deny', message: verdict.message || deniedWithoutWords(toolName) };
    case 'expired':
      return {
        behavior: 'deny',
        message: 'Nobody answered in time, so it was not done. Go on without it, or say what you need and stop.',
      };
    case 'withdrawn':
      return { behavior: 'deny', message: 'The turn was ended before anyone answered.' };
  }
}

/** An empty reason would reach the agent as an empty error. */
function deniedWithoutWords(toolName: string): string {
  switch (toolName) {
    case QUESTION:
      return 'The person does not want to answer. Decide for yourself, or stop and say why you cannot.';
    case PLAN:
      return 'The person did not approve the plan and gave no reason. Ask what should change.';
    default:
      return 'The person did not allow this. Do not try it in another way; go on without it or ask.';
  }
}
