/**
 * The events the chat makes of people's posts: plain JSON, ready for an actor's inbox.
 *
 * Commands to `gateway/root`: START, STATUS, HELP, COSTS, NOTIFY, CHANNEL_VERBOSITY, STOP_PREFIX, REFUSED. Everything else goes to
 * the thread's session.
 */
import type { RepoRef } from '../machines/effects.ts';
import type { ChartEvent } from '../machines/events.ts';

/** The post an event comes from. `rootId` is empty for a post at top level. */
interface FromPost extends ChartEvent {
  readonly postId: string;
  readonly channelId: string;
  readonly rootId: string;
  readonly userId: string;
  /** The person's user name, without `@`. */
  readonly userName: string;
}

export interface StartCommand extends FromPost {
  readonly type: 'COMMAND.START';
  readonly repo: RepoRef;
  /** Null: the main checkout. Empty: an own checkout with an automatic name. */
  readonly worktree: string | null;
  readonly plan: boolean;
  readonly review: boolean;
  /** Empty: the agent's default model. */
  readonly model: string;
  /** The command as it was typed. */
  readonly text: string;
}

export interface StatusCommand extends FromPost {
  readonly type: 'COMMAND.STATUS';
}

export interface HelpCommand extends FromPost {
  readonly type: 'COMMAND.HELP';
  readonly place: CommandPlace;
  /** The command it is about; empty: all of them. */
  readonly about: string;
}

/** What all sessions have cost. */
export interface CostsCommand extends FromPost {
  readonly type: 'COMMAND.COSTS';
}

/** How much the threads of a channel show that say nothing else. */
export interface ChannelVerbosityCommand extends FromPost {
  readonly type: 'COMMAND.CHANNEL_VERBOSITY';
  readonly verbosity: AskedVerbosity;
}

/** Empty: the default. Null: tell how it is. */
type AskedVerbosity = 'full' | 'normal' | 'quiet' | '' | null;

/** Whether the person wants to be mentioned when something waits for them. */
export interface NotifyCommand extends FromPost {
  readonly type: 'COMMAND.NOTIFY';
  /** Null: tell how it is. */
  readonly on: boolean | null;
}

export interface StopPrefixCommand extends FromPost {
  readonly type: 'COMMAND.STOP_PREFIX';
  /** The first characters of a session's id: at least four of a-z and 0-9, lower case. */
  readonly prefix: string;
  readonly container: boolean;
  readonly all: boolean;
}

/** Bad input. The gateway replies with the text. */
export interface RefusedCommand extends FromPost {
  readonly type: 'COMMAND.REFUSED';
  readonly message: string;
}

export interface StopCommand extends FromPost {
  readonly type: 'COMMAND.STOP';
  /** Tear the container down as well. */
  readonly container: boolean;
  /** Stop every session of the container. */
  readonly all: boolean;
}

export interface CompactCommand extends FromPost {
  readonly type: 'COMMAND.COMPACT';
  readonly hint: string;
}

export interface PlanCommand extends FromPost {
  readonly type: 'COMMAND.PLAN';
  /** Null: the other way round. */
  readonly on: boolean | null;
}

export interface TitleCommand extends FromPost {
  readonly type: 'COMMAND.TITLE';
  /** Empty: Claude is asked for a title. */
  readonly text: string;
}

/** Into the running turn instead of after it. */
export interface SteerCommand extends FromPost {
  readonly type: 'COMMAND.STEER';
  /** Empty: everything that waits. */
  readonly text: string;
  readonly fileIds: readonly string[];
}

export interface QueueCommand extends FromPost {
  readonly type: 'COMMAND.QUEUE';
  /** Null: only list what waits. A number counts from 1. */
  readonly drop: number | 'all' | null;
}

export interface ModelCommand extends FromPost {
  readonly type: 'COMMAND.MODEL';
  /** Empty: tell which one it is. */
  readonly model: string;
}

/** Who is answered. */
export interface ModeCommand extends FromPost {
  readonly type: 'COMMAND.MODE';
  /** Null: tell how it is. */
  readonly audience: 'everyone' | 'mentions' | null;
}

/** What is open for the session, or what shall be no longer. */
export interface NetworkCommand extends FromPost {
  readonly type: 'COMMAND.NETWORK';
  /** A host; empty: only list. */
  readonly revoke: string;
}

export interface VerbosityCommand extends FromPost {
  readonly type: 'COMMAND.VERBOSITY';
  readonly verbosity: AskedVerbosity;
}

/** More for a session than its cap. */
export interface RaiseCommand extends FromPost {
  readonly type: 'COMMAND.RAISE';
  readonly usd: number;
}

export interface LogsCommand extends FromPost {
  readonly type: 'COMMAND.LOGS';
  readonly lines: number;
}

/** What was said in the session, as a file. */
export interface ExportCommand extends FromPost {
  readonly type: 'COMMAND.EXPORT';
  readonly format: 'md' | 'json';
}

export interface MemberCommand extends FromPost {
  readonly type: 'COMMAND.INVITE' | 'COMMAND.KICK';
  /** A user name, without `@`. */
  readonly who: string;
}

export interface PlainSessionCommand extends FromPost {
  readonly type:
    | 'COMMAND.CLEAR'
    | 'COMMAND.RESTART'
    | 'COMMAND.CONTEXT'
    | 'COMMAND.COST'
    | 'COMMAND.DIFF'
    | 'COMMAND.INTERRUPT'
    | 'COMMAND.RESUME'
    | 'COMMAND.RETRY';
}

/** `@claude /name arguments`: handed to Claude Code as it is. */
export interface SlashCommand extends FromPost {
  readonly type: 'SLASH';
  readonly text: string;
}

export interface PromptPosted extends FromPost {
  readonly type: 'PROMPT';
  readonly text: string;
  /** It names the bot: in a session that answers only mentions, others are talk among people. */
  readonly addressed: boolean;
  readonly fileIds: readonly string[];
}

export interface PostEdited extends FromPost {
  readonly type: 'POST.EDITED';
  readonly text: string;
}

export interface PostDeleted extends FromPost {
  readonly type: 'POST.DELETED';
}

export type GatewayCommand =
  | StartCommand
  | StatusCommand
  | HelpCommand
  | CostsCommand
  | ChannelVerbosityCommand
  | NotifyCommand
  | StopPrefixCommand
  | RefusedCommand;
export type SessionCommand =
  | StopCommand
  | CompactCommand
  | PlanCommand
  | TitleCommand
  | SteerCommand
  | QueueCommand
  | ModelCommand
  | ModeCommand
  | NetworkCommand
  | RaiseCommand
  | VerbosityCommand
  | LogsCommand
  | ExportCommand
  | MemberCommand
  | PlainSessionCommand
  | SlashCommand;
export type ChatEvent = GatewayCommand | SessionCommand | PromptPosted | PostEdited | PostDeleted;

/** Where a command was typed. */
export type CommandPlace = 'top' | 'thread';

type Bare<Event extends FromPost> = Event extends FromPost
  ? { readonly [Key in Exclude<KnownKeys<Event>, FromPostKey>]: Event[Key] }
  : never;
type KnownKeys<T> = keyof { [Key in keyof T as string extends Key ? never : Key]: T[Key] };
type FromPostKey = 'at' | 'postId' | 'channelId' | 'rootId' | 'userId' | 'userName';

/** A command before it is known which post it came from. */
export type BareGatewayCommand = Bare<GatewayCommand>;
export type BareSessionCommand = Bare<SessionCommand>;
