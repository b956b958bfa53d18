// What a session is to the rest of the worker.
import type { SDKUserMessage } from '@anthropic-ai/claude-agent-sdk';
import type { CloseReason, PermissionMode, SessionSummary } from '../generated/claude_agent/v1/agent.ts';
import type { MapperState, Output, Push } from '../mapping/state.ts';
import type { Agent } from './agent.ts';
import type { AgentUser } from './agentUser.ts';
import type { Approvals } from './approvals.ts';
import type { Wire } from './link.ts';
import type { SessionFolder, StoredSession } from './store.ts';

export interface AgentConfig {
  claudePath: string | undefined;
  /** Undefined: the worker's own user. */
  runAs: AgentUser | undefined;
  /** What agents' environments begin with. */
  agentEnv: Readonly<Record<string, string | undefined>>;
  /** Where attachments are written. */
  attachmentsDir: string;
}

export interface SessionConfig extends AgentConfig {
  /** An idle agent is closed after this, milliseconds. */
  agentIdleMs: number;
  /** A fresh conversation in place of a lost one waits so long for what was said before, milliseconds. */
  historyGraceMs: number;
  /** A session without stream and turn is closed after this, milliseconds. */
  orphanGraceMs: number;
}

/** Something that wants a turn. */
export interface Waiting {
  inputId: string;
  command: Push['command'];
  content: SDKUserMessage['message']['content'];
}

export interface Session {
  readonly id: string;
  readonly stored: StoredSession;
  readonly folder: SessionFolder;
  readonly mapper: MapperState;
  readonly approvals: Approvals;
  /** Takes over the stream if the term allows it; otherwise the wire is ended. Returns how to leave. */
  attach(wire: Wire, at: { logId: string; afterSeq: number; term: number }): () => void;
  answer(output: Output): void;
  emit(outputs: readonly Output[]): void;
  /** Queues for the next idle moment. */
  enqueue(waiting: Waiting): void;
  /** Gives it to the agent now, into the running turn. */
  giveNow(waiting: Waiting): void;
  /** The living agent, if any. */
  agent(): Agent | undefined;
  mode(): PermissionMode;
  /** What the hook enforces from now on; said to the gateway by `confirmMode`. */
  enforceMode(mode: PermissionMode): void;
  acknowledged(seq: number): void;
  /** What was said before, for the next prompt. Empty: nothing. */
  takeHistory(said: string): void;
  /** Ends the agent; the session stays known, asleep. */
  closeAgent(): Promise<void>;
  /** Ends the agent and says why. */
  closeSession(reason: CloseReason): Promise<void>;
  save(): void;
  summary(): SessionSummary;
  /** For the end of the worker. */
  shutdown(): Promise<void>;
}
