// Puts together what an agent of a session starts with.
import { createHash } from 'node:crypto';
import { createSdkMcpServer } from '@anthropic-ai/claude-agent-sdk';
import { PermissionMode } from '../generated/claude_agent/v1/agent.ts';
import { repositoryTrust } from '../policy.ts';
import { networkAccessTool } from '../tools/networkAccess.ts';
import { sendFileTool } from '../tools/sendFile.ts';
import type { AgentStart } from './agent.ts';
import { agentEnvironment, plansFolder } from './environment.ts';
import { askPerson, type PermissionContext, preToolUseHook } from './permissions.ts';
import type { AgentConfig, Session } from './types.ts';

/**
 * The mark of a session's agent. The same for every agent of the session, so that a restarted worker finds what the
 * one before it left running.
 */
export function agentMark(folder: string): string {
  return createHash('sha256').update(folder).digest('hex').slice(0, 32);
}

export function agentStart(session: Session, config: AgentConfig): AgentStart {
  const { options } = session.stored;
  const mark = agentMark(session.folder.path);
  const environment = agentEnvironment(config.agentEnv, options.env, mark);
  const turnId = () => session.mapper.turn?.id ?? '';
  const parentOf = (agentId: string) => session.mapper.tasks.get(agentId)?.toolUseId ?? '';
  const networkCalls: { toolUseId: string; parentToolUseId: string }[] = [];
  const context: PermissionContext = {
    approvals: session.approvals,
    cwd: options.cwd,
    plansDir: plansFolder(environment),
    policy: () => options.toolPolicy,
    mode: session.mode,
    setMode: session.enforceMode,
    turnId,
    parentOf,
    noteNetworkCall: (call) => networkCalls.push(call),
  };
  return {
    cwd: options.cwd,
    environment,
    mark,
    systemPromptAppend: options.systemPromptAppend,
    resumeId: session.stored.agentSessionId,
    model: options.model,
    maxTurns: options.maxTurns,
    plan: session.mode() === PermissionMode.PLAN,
    trust: repositoryTrust(options.toolPolicy),
    claudePath: config.claudePath,
    runAs: config.runAs,
    canUseTool: askPerson(context),
    preToolUse: preToolUseHook(context),
    ownTools: createSdkMcpServer({
      name: 'session_manager',
      version: '1.0.0',
      alwaysLoad: true,
      tools: [
        networkAccessTool({
          approvals: session.approvals,
          turnId,
          claimToolUse: () => networkCalls.shift() ?? { toolUseId: '', parentToolUseId: '' },
        }),
        sendFileTool({ cwd: options.cwd, emit: session.emit }),
      ],
    }),
  };
}
