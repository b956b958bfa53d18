import type { Address } from '../addresses.ts';
import type { Place, RepoRef } from '../effects.ts';
import type { JsonObject } from '../json.ts';

export interface Person extends JsonObject {
  readonly id: string;
  readonly name: string;
}

/** Something of the agent's that could not be posted, and why. */
export interface Undelivered extends JsonObject {
  readonly what: string;
  readonly why: string;
}

/** A person's message on its way to the agent. Its id is the chat post's id, which makes it happen once. */
export interface QueuedPrompt extends JsonObject {
  readonly postId: string;
  /** Told to the agent; empty where nobody speaks. */
  readonly author: string;
  readonly authorId: string;
  readonly text: string;
  readonly fileIds: readonly string[];
  /** What the agent is told with it of what could not be posted, once it was handed over. */
  readonly undelivered: readonly Undelivered[];
  /** It had to wait, and its post carries the sign for that. */
  readonly held: boolean;
  /** It was handed to the worker before, without news of it since. */
  readonly sent: boolean;
  /** A worker has it on its disk: lost with that worker's log, it is not sent again. */
  readonly taken: boolean;
}

/** What was handed to the worker and has not begun yet. */
export interface Sent extends JsonObject {
  readonly kind: 'prompt' | 'compact' | 'clear';
  /** The id of the post that asked for it, under which the worker does it once. */
  readonly inputId: string;
  /** When it was sent; tells the outcomes of several attempts apart. */
  readonly at: number;
  /** The worker has it on its disk and will tell what became of it. */
  readonly taken: boolean;
  /** It was sent before: the worker may know it, and have told what became of it into a log that is gone. */
  readonly again: boolean;
}

/** Whose messages are answered: all, or those that mention the bot. */
export type Audience = 'everyone' | 'mentions';

/** How much of the agent's work the thread shows. */
export type Verbosity = 'full' | 'normal' | 'quiet';

export interface RunningTurn extends JsonObject {
  readonly id: string;
  readonly startedAt: number;
  /** Whose words it answers first; of one that began by itself, whose session it is. */
  readonly by: Person;
  /** Others whose words went into it; of one that began by itself, all others for whom it may be. */
  readonly also?: readonly Person[];
}

export interface Usage extends JsonObject {
  readonly turns: number;
  readonly messages: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number;
  readonly contextTokens: number;
  readonly contextWindow: number;
  readonly compactions: number;
}

/** What stopped the session, in words a person can act on. */
export interface Failure extends JsonObject {
  readonly reason: string;
  readonly next: string;
}

/** What a session is asked to be. Fixed for its life. */
export interface SessionRequest extends JsonObject {
  readonly repo: RepoRef;
  /** `null`: the main checkout. Otherwise the worktree's name. */
  readonly worktree: string | null;
  readonly plan: boolean;
  readonly review: boolean;
  readonly model: string;
  readonly owner: Person;
  /** Where the command was typed, and in which post. */
  readonly askedIn: Place;
  readonly askedBy: string;
}

/** Settings that a session's chart depends on, fixed when it is created. Milliseconds. */
export interface SessionLimits extends JsonObject {
  readonly livenessMs: number;
  /** How many turns in a row an agent may begin by itself; 0: any number. */
  readonly ownTurns: number;
}

export interface SessionContext extends JsonObject {
  readonly address: Address;
  readonly limits: SessionLimits;
  readonly request: SessionRequest;
  readonly channelId: string;
  readonly rootId: string;
  readonly title: string;
  /** The input whose answer becomes the title; empty if none does. */
  readonly titleFor: string;
  /** As people are told of it. */
  readonly checkout: string;
  /** The same folder, where the agent has it. */
  readonly cwd: string;
  readonly branch: string;
  readonly container: Address;
  /** The container was asked for a place and has not taken it back. */
  readonly attached: boolean;
  readonly endpoint: string;
  readonly generation: number;
  readonly identity: string;
  readonly agentSessionId: string;
  /** The worker's log that the session last heard of; another one means that the worker lost it. */
  readonly logId: string;
  /** Plan mode as the worker last confirmed it; before that, as it was asked for. */
  readonly plan: boolean;
  /** The model as it was asked for, or as the worker last confirmed another; empty: the agent's own choice. */
  readonly model: string;
  readonly audience: Audience;
  /** What the agent does not know yet that people did not get. */
  readonly undelivered: readonly Undelivered[];
  /** Empty: as its channel, or else as everywhere. */
  readonly verbosity: Verbosity | '';
  /** The agent knows what was said in the thread before the session began there. */
  readonly briefed: boolean;
  readonly queue: readonly QueuedPrompt[];
  /** Everybody whose words the agent was given, each once. */
  readonly heard: readonly Person[];
  readonly sent: Sent | null;
  readonly turn: RunningTurn | null;
  /** Requests that wait for a person. */
  readonly open: readonly string[];
  readonly usage: Usage;
  /** Turns that the agent has begun by itself since somebody last spoke to it. */
  readonly ownTurns: number;
  /** Dollars that this session may cost beyond its cap. */
  readonly raisedUsd: number;
  readonly createdAt: number;
  /** When the current opening began; names its progress note. */
  readonly openedAt: number;
  /** When the current opening had its agent; 0 before. */
  readonly readyAt: number;
  readonly activeAt: number;
  /** When the running turn was found silent; names the warning. */
  readonly quietAt: number;
  readonly failure: Failure | null;
  /** `stop --container` and `stop --all` reach further than this session. */
  readonly stopScope: 'session' | 'container' | 'all';
}

const NO_USAGE: Usage = {
  turns: 0,
  messages: 0,
  inputTokens: 0,
  outputTokens: 0,
  costUsd: 0,
  contextTokens: 0,
  contextWindow: 0,
  compactions: 0,
};

export interface SessionInput extends JsonObject {
  readonly address: Address;
  readonly container: Address;
  readonly request: SessionRequest;
  readonly limits: SessionLimits;
  readonly at: number;
}

export function newSession(input: SessionInput): SessionContext {
  return {
    address: input.address,
    limits: input.limits,
    request: input.request,
    channelId: '',
    rootId: '',
    title: '',
    titleFor: '',
    checkout: '',
    cwd: '',
    branch: input.request.repo.branch,
    container: input.container,
    attached: false,
    endpoint: '',
    generation: 0,
    identity: '',
    agentSessionId: '',
    logId: '',
    plan: input.request.plan,
    model: input.request.model,
    audience: 'everyone',
    undelivered: [],
    verbosity: '',
    briefed: false,
    queue: [],
    heard: [],
    sent: null,
    turn: null,
    open: [],
    usage: NO_USAGE,
    ownTurns: 0,
    raisedUsd: 0,
    createdAt: input.at,
    openedAt: input.at,
    readyAt: 0,
    activeAt: input.at,
    quietAt: 0,
    failure: null,
    stopScope: 'session',
  };
}

/** What the session's worker link needs: where the worker is, who it must be, and how to create the session there. */
export interface LinkInput extends JsonObject {
  readonly session: Address;
  readonly container: Address;
  readonly generation: number;
  readonly endpoint: string;
  readonly identity: string;
  readonly cwd: string;
  readonly resumeId: string;
  readonly model: string;
  readonly plan: boolean;
  readonly review: boolean;
}
