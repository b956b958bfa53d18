import type { ChartEvent } from '../events.ts';
import type { JsonObject } from '../json.ts';
import type { Audience, SessionRequest, Verbosity } from './context.ts';

interface Event<Type extends string> extends ChartEvent {
  readonly type: Type;
}

/** A command typed in the session's thread. The post's id makes what it asks of the worker happen once. */
interface FromPerson<Type extends string> extends Event<Type> {
  readonly postId: string;
  readonly channelId: string;
  readonly rootId: string;
  readonly userId: string;
  readonly userName: string;
}

/** Which attempt an outcome is of. */
interface OfSent {
  readonly postId: string;
  readonly sentAt: number;
}

/** What the agent was to be told of, and of which conversation or post. */
interface OfHistory {
  readonly of: 'lost' | 'thread';
  readonly about: string;
}

/** The failed outcome of a request. `human` is what the thread shows. */
interface Failed<Type extends string> extends Event<Type> {
  readonly code: string;
  readonly message: string;
  readonly human: string;
}

export interface TurnEnded extends Event<'TURN.ENDED'> {
  readonly turnId: string;
  readonly outcome: 'completed' | 'interrupted' | 'failed' | 'lost';
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number;
  readonly contextTokens: number;
  readonly contextWindow: number;
  readonly agentSessionId: string;
  /** The inputs it answered. May name some that its start did not. */
  readonly inputIds: readonly string[];
}

export interface ApprovalRequested extends Event<'APPROVAL.REQUESTED'> {
  readonly requestId: string;
  readonly kind: 'network' | 'tool' | 'plan' | 'question';
  readonly toolName: string;
  readonly inputJson: string;
  readonly digest: string;
  readonly turnId: string;
}

export type FromChat =
  | (Event<'START'> & { readonly request: SessionRequest })
  | (FromPerson<'PROMPT'> & {
      readonly text: string;
      readonly fileIds: readonly string[];
      /** It names the bot. */
      readonly addressed: boolean;
    })
  | (FromPerson<'SLASH'> & { readonly text: string })
  | (FromPerson<'COMMAND.STOP'> & { readonly container: boolean; readonly all: boolean })
  | (FromPerson<'COMMAND.COMPACT'> & { readonly hint: string })
  | FromPerson<'COMMAND.CLEAR'>
  | FromPerson<'COMMAND.RESTART'>
  | (FromPerson<'COMMAND.PLAN'> & { readonly on: boolean | null })
  | (FromPerson<'COMMAND.TITLE'> & { readonly text: string })
  | (FromPerson<'COMMAND.STEER'> & { readonly text: string; readonly fileIds: readonly string[] })
  | (FromPerson<'COMMAND.QUEUE'> & { readonly drop: number | 'all' | null })
  | (FromPerson<'COMMAND.MODEL'> & { readonly model: string })
  | (FromPerson<'COMMAND.MODE'> & { readonly audience: Audience | null })
  | (FromPerson<'COMMAND.VERBOSITY'> & { readonly verbosity: Verbosity | '' | null })
  | (FromPerson<'COMMAND.LOGS'> & { readonly lines: number })
  | (FromPerson<'COMMAND.INVITE'> & { readonly who: string })
  | (FromPerson<'COMMAND.KICK'> & { readonly who: string })
  | (FromPerson<'COMMAND.RAISE'> & { readonly usd: number })
  | FromPerson<'COMMAND.COST'>
  | (FromPerson<'COMMAND.EXPORT'> & { readonly format: 'md' | 'json' })
  | FromPerson<'COMMAND.DIFF'>
  | (FromPerson<'COMMAND.NETWORK'> & { readonly revoke: string })
  | FromPerson<'COMMAND.CONTEXT'>
  | FromPerson<'COMMAND.INTERRUPT'>
  | FromPerson<'COMMAND.RESUME'>
  | FromPerson<'COMMAND.RETRY'>
  | (Event<'POST.EDITED'> & { readonly postId: string; readonly text: string })
  | (Event<'POST.DELETED'> & { readonly postId: string });

export type FromRequests =
  | (Event<'THREAD.OPENED'> & { readonly channelId: string; readonly rootId: string })
  | Failed<'THREAD.FAILED'>
  | (Event<'WORKSPACE.READY'> & {
      readonly path: string;
      readonly branch: string;
      /** Where the agent has it, if not at `path`; empty: known when the container is there. */
      readonly inside?: string;
    })
  | Failed<'WORKSPACE.FAILED'>
  | (Event<'WORKSPACE.TIDIED'> & { readonly kept: string; readonly path: string; readonly checkout: string })
  | Failed<'WORKSPACE.UNTIDY'>
  | (Event<'PROMPT.TAKEN'> & OfSent)
  | (Failed<'PROMPT.REFUSED'> & OfSent)
  | (Event<'POST.UNDELIVERED'> & { readonly what: string; readonly why: string })
  /** Which cap is reached, if any. */
  | (Event<'SPENDING.CHECKED'> & { readonly turnId: string; readonly cap: string; readonly human: string })
  /** How many messages the agent was given, and whether that is all there were. */
  | (Event<'HISTORY.GIVEN'> & OfHistory & { readonly shown: number; readonly whole: boolean })
  | (Failed<'HISTORY.REFUSED'> & OfHistory)
  | Failed<'INTERRUPT.REFUSED'>
  | (Failed<'COMPACT.REFUSED'> & OfSent)
  | (Failed<'CLEAR.REFUSED'> & OfSent)
  | Failed<'MODE.REFUSED'>
  | (Event<'TITLE.FOUND'> & { readonly title: string })
  | Failed<'TITLE.REFUSED'>
  | Failed<'CLOSE.REFUSED'>;

export type FromContainer =
  | (Event<'CONTAINER.READY'> & {
      readonly endpoint: string;
      readonly generation: number;
      readonly identity: string;
      /** The main checkout inside the container; empty where there is no container around it. */
      readonly workspaceFolder?: string;
    })
  /** Something people should know of the workspace. */
  | (Event<'CONTAINER.NOTICE'> & { readonly text: string })
  | (Event<'CONTAINER.PROGRESS'> & { readonly text: string })
  | (Event<'CONTAINER.REFUSED'> & {
      readonly reason: string;
      readonly next: string;
      /** Of the container that was being made for this session; undefined if it got no place. */
      readonly generation?: number;
    })
  | Event<'CONTAINER.STOPPED'>;

export type FromWorker =
  | (Event<'LINK.UP'> & {
      readonly agentSessionId: string;
      readonly agentState: 'idle' | 'running' | 'asleep';
      readonly historyLost: boolean;
      /** Another one than before means that the worker lost its log. */
      readonly logId: string;
      readonly plan: boolean;
      readonly turnId: string;
      readonly openRequestIds: readonly string[];
    })
  | (Event<'LINK.DOWN'> & { readonly reason: string })
  | (Event<'TURN.STARTED'> & {
      readonly turnId: string;
      readonly inputIds: readonly string[];
      /** The agent began it by itself. */
      readonly own?: boolean;
    })
  /** What a running turn has cost so far. */
  | (Event<'SPENT'> & { readonly turnId: string; readonly costUsd: number })
  | TurnEnded
  | ApprovalRequested
  | (Event<'APPROVAL.WITHDRAWN'> & { readonly requestId: string })
  | (Event<'MODE.CHANGED'> & { readonly plan: boolean })
  | (Event<'MODEL.CHANGED'> & { readonly model: string })
  | Failed<'MODEL.REFUSED'>
  | (Event<'COMPACTED'> & { readonly ok: boolean; readonly error: string })
  | (Event<'CLEARED'> & { readonly agentSessionId: string })
  /** A prompt was folded into a running turn. */
  | (Event<'PROMPT.STEERED'> & { readonly turnId: string; readonly inputId: string })
  | (Event<'PROMPT.LOST'> & { readonly inputId: string })
  | (Event<'SESSION.CLOSED'> & { readonly reason: string; readonly agentSessionId: string; readonly error: string })
  | Event<'OUTPUT.SEEN'>
  | (Event<'xstate.error.actor.link'> & { readonly error: JsonObject | null })
  | Event<'xstate.done.actor.link'>;

export type FromApprovals = Event<'APPROVAL.SETTLED'> & { readonly requestId: string };

export type SessionEvent = FromChat | FromRequests | FromContainer | FromWorker | FromApprovals;
