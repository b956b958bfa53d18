/**
 * Everything a chart may ask for. A chart's action is a pure function that returns one of these (or a list); the runtime
 * commits them with the decision and only then carries them out.
 *
 * Two families:
 * - records (`tell`, `say`, `heard`, `turnLost`, `turnFollowed`, `bindThread`) are rows written by the decision's own commit: exactly once;
 * - requests are carried out by an adapter under a stable key, at least once, until done, refused or past their
 *   deadline; the outcome comes back as the event named in `reply`.
 */
import type { Address } from './addresses.ts';
import type { ChartEvent } from './events.ts';
import type { Json, JsonObject } from './json.ts';

/** Puts an event into another actor's inbox. */
export interface Tell {
  readonly kind: 'tell';
  readonly to: Address;
  readonly event: ChartEvent;
}

/** What the thread should say. A later note with the same `note` replaces the earlier one in place. */
export interface Say {
  readonly kind: 'say';
  /** Identity of the note in its thread; the same id is edited, a new one is posted. */
  readonly note: string;
  readonly tone: 'progress' | 'info' | 'warning' | 'error';
  /** Markdown. Empty withdraws the note. */
  readonly text: string;
  /** The session whose thread says it; needed unless the actor is itself that session. */
  readonly thread?: Address;
}

/** A person's post in the thread: what comes later is shown below it. */
export interface Heard {
  readonly kind: 'heard';
  readonly postId: string;
  readonly author: string;
  /** Whose words cost what is answered to them. */
  readonly authorId: string;
  readonly text: string;
  /** It answered something that the agent had asked. */
  readonly answer?: true;
}

/** From now on posts in this thread belong to this session. */
export interface BindThread {
  readonly kind: 'bindThread';
  readonly rootId: string;
  readonly channelId: string;
}

/** A turn has ended, and its worker is not there any more to say so. */
export interface TurnLost {
  readonly kind: 'turnLost';
  readonly turnId: string;
  /** The workspace was taken down, and the session stops: what goes on from here is another step than after a crash. */
  readonly takenDown?: true;
}

/** Whether anybody here hears of the running turn: a session that has failed or stopped does not, until it is opened again. */
export interface TurnFollowed {
  readonly kind: 'turnFollowed';
  readonly turnId: string;
  readonly following: boolean;
}

export type RecordEffect = Tell | Say | Heard | TurnLost | TurnFollowed | BindThread;

/** How the outcome of a request comes back. Without `done` (or `failed`) that outcome is not told. */
export interface Reply {
  /** Event type for success; the handler's result is spread into the event. */
  readonly done?: string;
  /** Event type for refusal or exhaustion; the event carries `code`, `message` and `human`. */
  readonly failed?: string;
  /** Copied into either event. */
  readonly with?: JsonObject;
}

interface Request<Kind extends string, Params extends JsonObject> {
  readonly kind: Kind;
  readonly params: Params;
  readonly reply?: Reply;
}

/** Where a person typed, or where an answer belongs. */
export interface Place extends JsonObject {
  readonly channelId: string;
  /** The thread's root post; empty at top level. */
  readonly rootId: string;
}

/** A person: id and user name. */
interface Named extends JsonObject {
  readonly id: string;
  readonly name: string;
}

export interface RepoRef extends JsonObject {
  /** `org/name`, or `local/<slug>` for a path. */
  readonly repo: string;
  /** What git clones: an https address or an absolute path. */
  readonly source: string;
  /** Empty: the repository's default branch. */
  readonly branch: string;
}

/** What of a container stands on the machine, as far as the steps on its way up have found out. */
export interface Machine extends JsonObject {
  /** Of the machine, where the worker is reached; 0: none yet. */
  readonly port: number;
  /** The repository's own devcontainer configuration; empty: it has none. */
  readonly configFile: string;
  /** Of everything that decides what the container is like. */
  readonly configHash: string;
  /** Full id. */
  readonly containerId: string;
  readonly remoteUser: string;
  /** The main checkout, as the container sees it. */
  readonly workspaceFolder: string;
  /** Of the machine's boot in which the container was last started. */
  readonly bootId: string;
}

/** A container, and the one of its generations that is meant. */
interface OfContainer extends JsonObject {
  readonly repo: RepoRef;
  readonly container: Address;
  readonly generation: number;
}

type OnMachine = OfContainer & { readonly machine: Machine };

/**
 * What was found where a container should be. `rebooted`: it is stopped because the machine was; `noWorker`: it runs, its worker
 * does not; `elsewhere`: its worker is where it is not reached from any more.
 */
export type Found = 'worker' | 'noWorker' | 'stopped' | 'rebooted' | 'elsewhere' | 'gone';

/** How far a grant reaches: one session's container, all containers of its repository, or all there are. */
export type GrantScope = 'session' | 'repo' | 'always';

export type ExternalEffect =
  // ---- chat
  | Request<'chat.reply', { place: Place; message: string; replyTo: string }>
  | Request<'chat.status', { place: Place; replyTo: string }>
  | Request<'chat.help', { place: Place; replyTo: string; inThread: boolean; about: string }>
  /** The session's facts and figures, from its committed context. */
  | Request<'chat.context', { session: Address; place: Place; replyTo: string }>
  /** What is open for the session. */
  | Request<'chat.network', { session: Address; place: Place; replyTo: string }>
  /** Ends the grants of a host that the session profits by, and says so. */
  | Request<
      'chat.revoke',
      { session: Address; host: string; place: Place; replyTo: string; userId: string; userName: string }
    >
  /** How much the session's thread shows. */
  | Request<'chat.verbosity', { session: Address; place: Place; replyTo: string }>
  /** How much the threads of a project channel show that say nothing else: changes it, or with null only tells. */
  | Request<
      'chat.channelVerbosity',
      { verbosity: 'full' | 'normal' | 'quiet' | '' | null; place: Place; replyTo: string }
    >
  /** What the session has cost; without one, what all have. */
  | Request<'chat.cost', { session: Address | ''; place: Place; replyTo: string }>
  /** Whether the person wants to be mentioned; null: only tells how it is. */
  | Request<'chat.notify', { userId: string; on: boolean | null; place: Place; replyTo: string }>
  /** What was said in the session so far, as a file. */
  | Request<'chat.export', { session: Address; format: 'md' | 'json'; place: Place; replyTo: string }>
  /** What has changed in the session's checkout, told by git in its container. */
  | Request<'chat.diff', { session: Address; place: Place; replyTo: string }>
  /** The last lines of the log of the session's worker. */
  | Request<'chat.logs', { session: Address; place: Place; replyTo: string; lines: number }>
  /** Adds a person to the channel of the session, or removes them; says how it went. */
  | Request<'chat.member', { place: Place; replyTo: string; repo: RepoRef; who: string; stay: boolean }>
  /** Stops the session whose id begins so, as far as its stop shall reach; says which ones match if it is not exactly one. */
  | Request<
      'chat.stopByPrefix',
      {
        prefix: string;
        container: boolean;
        all: boolean;
        place: Place;
        replyTo: string;
        userId: string;
        userName: string;
      }
    >
  /** To those who look after the gateway: the operator channel where there is one, the log in any case. */
  | Request<'chat.tellOperator', { message: string }>
  | Request<'chat.react', { postId: string; emoji: string; remove: boolean }>
  /** Makes sure of the project channel, the starter's membership and the root post. Done: `channelId`, `rootId`. */
  | Request<
      'chat.openThread',
      { session: string; repo: RepoRef; place: Place; userId: string; teamUser: string; title: string }
    >
  | Request<'chat.setTitle', { session: Address; repo: RepoRef; rootId: string; title: string }>
  /** Finds the title in the answer of the turn that was asked for one. Done: `title`. */
  | Request<'chat.readTitle', { session: Address; turnId: string }>
  /**
   * Posts or refreshes an approval's card from the committed state of the approval. Done: `postId`, and for a new one
   * `missing`: words if too few in its channel may decide; empty if there are enough.
   */
  | Request<'chat.card', { approval: Address }>
  /** Says in the thread that an approval still waits. `time`: 1 for the first reminder. */
  | Request<'chat.remind', { approval: Address; time: number }>
  // ---- workspace and container
  /** Waits until few enough others are on their way up. */
  | Request<'workspace.admit', OfContainer>
  /** The mirror and the main checkout. `fresh`: the last attempt failed, so what was pushed since may mend it. */
  | Request<'workspace.mirror', OfContainer & { fresh: boolean }>
  /** A port of the machine that no other container has, and none of `avoid`. Done: `port`. */
  | Request<'workspace.reserve', OfContainer & { avoid: readonly number[] }>
  /** Looks at everything that decides what the container may do. Done: `configFile`, `configHash`, `notice`. */
  | Request<'workspace.vet', OnMachine>
  /** Makes the container or starts the one that is there. Done: `containerId`, `remoteUser`, `workspaceFolder`, `bootId`. */
  | Request<'workspace.up', OnMachine>
  /** Done: `endpoint` (host:port), `identity`. */
  | Request<'workspace.startWorker', OnMachine>
  | Request<'workspace.checkWalls', OnMachine>
  /** Is it there and does its worker answer? Done: `found`, `endpoint`. */
  | Request<'workspace.inspect', OnMachine>
  /** The container of this generation and of earlier ones. */
  | Request<'workspace.remove', OfContainer>
  /** Whether the repository's configuration is another one than the container was made from. Done: `changed`. */
  | Request<'workspace.compare', OnMachine>
  /**
   * An own checkout for a session. Done: `path` (for people), `branch`, `inside` (for the agent; empty: where the container has
   * its main checkout).
   */
  | Request<'workspace.checkout', { repo: RepoRef; session: string; worktree: string }>
  /** Removes a worktree if nothing in it would be lost. Done: `kept` (why; empty if nothing is), `path`. */
  | Request<'workspace.tidy', { repo: RepoRef; session: string; worktree: string; path: string }>
  // ---- worker
  | Request<
      'worker.prompt',
      {
        session: Address;
        inputId: string;
        text: string;
        /** Told to the agent; empty where nobody speaks. */
        author: string;
        authorId: string;
        /** From the gateway itself, before the words; empty: nothing. */
        notice: string;
        files: readonly Json[];
        steer: boolean;
      }
    >
  /**
   * Gives the agent what was said before, quoted, for its next prompt: `lost`, in its conversation, whose memory is gone;
   * `thread`, in the thread before the session began there. Done: `shown`, in
   * messages, and `whole`: nothing was left out.
   */
  | Request<'worker.history', { session: Address; inputId: string; of: 'lost' | 'thread' }>
  | Request<'worker.interrupt', { session: Address; inputId: string; turnId: string }>
  | Request<'worker.mode', { session: Address; inputId: string; plan: boolean }>
  | Request<'worker.model', { session: Address; inputId: string; model: string }>
  | Request<'worker.compact', { session: Address; inputId: string; hint: string; author: Named }>
  | Request<'worker.clear', { session: Address; inputId: string }>
  | Request<'worker.close', { session: Address; inputId: string }>
  | Request<
      'worker.decide',
      {
        session: Address;
        inputId: string;
        requestId: string;
        digest: string;
        outcome: 'approved' | 'denied' | 'expired';
        message: string;
        answers: JsonObject;
        proven: boolean;
      }
    >
  /** Whether what has been spent, with what a running turn has cost so far, reaches a cap. Done: `cap`, `human`, `turnId`. */
  | Request<'spending.check', { session: Address; turnId: string; costUsd: number; by: Named }>
  /** Done: `reachable`, `error`. */
  | Request<'worker.probe', { session: Address; host: string; port: number }>
  // ---- firewall
  /** Judges a request before anybody is asked. Done: `standing`, `hosts`, `warnings`, `words`. */
  | Request<'firewall.check', { hosts: readonly string[]; session: Address; repo: string; written: boolean }>
  /** Done: `enforced` (false where nothing stands between container and world), `late` (hosts not yet seen in force). */
  | Request<
      'firewall.allow',
      {
        hosts: readonly string[];
        session: Address;
        repo: string;
        scope: GrantScope;
        /** Epoch milliseconds; 0: it does not end by itself. */
        expiresAt: number;
        /** Who decided; empty: the operator's policy. */
        by: string;
      }
    >
  /** Ends what the approval has opened. */
  | Request<'firewall.revoke', { approval: Address }>
  /** A session has ended: tells the approvals whose grants were for it alone. */
  | Request<'firewall.endSession', { session: Address }>
  // ---- audit
  | Request<'audit.record', { action: string; who: string; subject: string; detail: JsonObject }>;

export type Effect = RecordEffect | ExternalEffect;
export type ExternalKind = ExternalEffect['kind'];
export type ParamsOf<Kind extends ExternalKind> = Extract<ExternalEffect, { kind: Kind }>['params'];
