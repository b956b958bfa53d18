// The sessions of this worker: those of the state directory from the start, new ones as the gateway creates them.
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { Logger } from 'pino';
import { messageOf } from '../errors.ts';
import { PermissionMode, type SessionOptions, type SessionSummary } from '../generated/claude_agent/v1/agent.ts';
import { agentMark } from '../session/agentStart.ts';
import { endProcesses, processesOf } from '../session/processes.ts';
import { createSession } from '../session/session.ts';
import { isSessionId, loadStoredSessions, openSessionFolder, type StoredSession } from '../session/store.ts';
import type { Session } from '../session/types.ts';
import type { WorkerConfig } from './config.ts';

export interface Registry {
  get(sessionId: string): Session | undefined;
  /** Creates the session. `problem` says why that cannot be. */
  create(sessionId: string, options: SessionOptions): Session | { problem: string };
  /** Takes over what may change during a session's life: policy, prompt addition, environment, limits. */
  update(session: Session, options: SessionOptions): void;
  list(): SessionSummary[];
  shutdown(): Promise<void>;
}

export function openRegistry(config: WorkerConfig, logger: Logger): Registry {
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const sessions = new Map<string, Session>();

  const open = (stored: StoredSession): Session => {
    const folder = openSessionFolder(config.stateDir, stored.sessionId, bootId);
    folder.save(stored);
    const session = createSession(stored, folder, config, logger.child({ session: stored.sessionId }));
    sessions.set(stored.sessionId, session);
    return session;
  };

  for (const stored of loadStoredSessions(config.stateDir)) {
    try {
      const session = open(stored);
      // A worker that was killed leaves its agents finishing their turns; two agents must never share a conversation.
      const left = endProcesses(processesOf(agentMark(session.folder.path), undefined));
      if (left > 0) logger.warn({ session: session.id, left }, 'ended what an earlier worker had left running');
    } catch (error) {
      logger.error({ session: stored.sessionId, error: messageOf(error) }, 'a session could not be restored');
    }
  }

  return {
    get: (sessionId) => sessions.get(sessionId),
    create(sessionId, options) {
      if (!isSessionId(sessionId)) return { problem: 'session_id is empty or has characters it may not have' };
      if (!isAbsolute(options.cwd) || !isFolder(options.cwd))
        return { problem: 'cwd is not an existing absolute folder' };
      return open({
        sessionId,
        options,
        agentSessionId: options.resumeId,
        mode: options.permissionMode === PermissionMode.PLAN ? PermissionMode.PLAN : PermissionMode.DEFAULT,
        term: 0,
        totalCostUsd: 0,
        historyLost: false,
        history: '',
      });
    },
    update(session, options) {
      const { toolPolicy, systemPromptAppend, env, maxTurns, spendingEveryMs } = options;
      Object.assign(session.stored.options, { toolPolicy, systemPromptAppend, env, maxTurns, spendingEveryMs });
      session.save();
    },
    list: () => [...sessions.values()].map((session) => session.summary()),
    async shutdown() {
      await Promise.all([...sessions.values()].map((session) => session.shutdown()));
    },
  };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
