/**
 * How each kind of effect is carried out, as data.
 *
 * - `deadlineMs`: from the commit that asked for it. Past it the effect has failed, whatever was tried.
 * - `attempts`: at most so many; the deadline usually ends it first.
 * - `timeoutMs`: one attempt is aborted after this and counts as retryable.
 * - `concurrency`: of this kind at the same time, in the whole process.
 * - `lane`: the system that is asked; all kinds of a lane share its concurrency.
 * - `urgency`: when the lane is full, what people wait for goes first. See `URGENCIES`.
 *
 * Effects with the same order key (see `orderKeyOf`) run one after the other, in the order they were asked for.
 */
import type { Address } from '../machines/addresses.ts';
import { keyOf, sessionOfApproval } from '../machines/addresses.ts';
import type { ExternalEffect, ExternalKind } from '../machines/effects.ts';
import { assertNever, type JsonObject } from '../machines/json.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** From first to last. */
export const URGENCIES = ['decision', 'answer', 'work', 'sign'] as const;
export type Urgency = (typeof URGENCIES)[number];

/**
 * How many effects a system is asked to carry out at the same time. Reactions are the chat's, too, but have a lane of their
 * own: a few at a time, however many answers wait.
 */
export const LANES = { chat: 16, sign: 4, vm: 12, worker: 512, firewall: 4, store: 4 } as const;
export type Lane = keyof typeof LANES;

export interface EffectPolicy {
  readonly lane: Lane;
  readonly urgency: Urgency;
  readonly deadlineMs: number;
  readonly attempts: number;
  readonly timeoutMs: number;
  readonly baseBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly concurrency: number;
}

const CHAT: EffectPolicy = {
  lane: 'chat',
  urgency: 'answer',
  deadlineMs: 10 * MINUTE,
  attempts: 1000,
  timeoutMs: 30 * SECOND,
  baseBackoffMs: 0.5 * SECOND,
  maxBackoffMs: 30 * SECOND,
  concurrency: 8,
};

/**
 * A sign says what became of a message, so it is late rather than missing or, worse, left standing. An attempt lasts long: one
 * that is begun anew waits for the chat's budget from the end of the queue.
 */
const SIGN: EffectPolicy = {
  ...CHAT,
  lane: 'sign',
  urgency: 'sign',
  deadlineMs: 60 * MINUTE,
  timeoutMs: 10 * MINUTE,
  concurrency: 4,
};

/** Git and small commands on the machine. */
const SHELL: EffectPolicy = {
  ...CHAT,
  lane: 'vm',
  urgency: 'work',
  deadlineMs: 20 * MINUTE,
  timeoutMs: 10 * MINUTE,
  attempts: 8,
  concurrency: 6,
};

/**
 * What fetches repositories and images, and builds. How long that may take is a setting, of at most an hour; this is longer, so
 * that the setting is what ends it.
 */
const TRANSFER = { deadlineMs: 100 * MINUTE, timeoutMs: 70 * MINUTE } as const;

/** The session's link may be down: a container restart or a rebuild takes minutes. */
const WORKER: EffectPolicy = {
  ...CHAT,
  lane: 'worker',
  urgency: 'work',
  deadlineMs: 30 * MINUTE,
  timeoutMs: 2 * MINUTE,
  concurrency: 256,
};

const FIREWALL: EffectPolicy = {
  ...CHAT,
  lane: 'firewall',
  urgency: 'decision',
  deadlineMs: 5 * MINUTE,
  // A change may take a minute until it is seen in force.
  timeoutMs: 2 * MINUTE,
  attempts: 20,
  concurrency: 4,
};

/** Never given up lightly: what is not taken out stays open. */
const CLOSING: EffectPolicy = { ...FIREWALL, deadlineMs: 60 * MINUTE, attempts: 1000 };

export const EFFECT_POLICIES: { readonly [Kind in ExternalKind]: EffectPolicy } = {
  'chat.reply': CHAT,
  'chat.status': CHAT,
  'chat.help': CHAT,
  'chat.context': CHAT,
  'chat.network': CHAT,
  'chat.cost': CHAT,
  'chat.verbosity': CHAT,
  'chat.channelVerbosity': CHAT,
  'chat.notify': CHAT,
  // A hundred posts may have to be asked for, one by one, while answers stream.
  'chat.export': { ...CHAT, timeoutMs: 5 * MINUTE, concurrency: 2 },
  'chat.diff': CHAT,
  'chat.logs': CHAT,
  'chat.member': CHAT,
  'chat.stopByPrefix': CHAT,
  'chat.tellOperator': { ...CHAT, deadlineMs: 60 * MINUTE },
  'chat.react': SIGN,
  'chat.openThread': CHAT,
  'chat.setTitle': CHAT,
  'chat.readTitle': { ...CHAT, lane: 'store', concurrency: 4 },
  'chat.card': { ...CHAT, urgency: 'decision' },
  'chat.remind': CHAT,
  'workspace.admit': { ...SHELL, deadlineMs: 3 * 60 * MINUTE, timeoutMs: 10 * MINUTE, attempts: 1000 },
  'workspace.mirror': { ...SHELL, ...TRANSFER },
  'workspace.vet': { ...SHELL, ...TRANSFER },
  'workspace.reserve': { ...SHELL, timeoutMs: MINUTE },
  'workspace.up': { ...SHELL, ...TRANSFER, attempts: 4, concurrency: 4 },
  'workspace.startWorker': { ...SHELL, deadlineMs: 10 * MINUTE, timeoutMs: 3 * MINUTE },
  'workspace.checkWalls': { ...SHELL, deadlineMs: 5 * MINUTE, timeoutMs: MINUTE },
  'workspace.inspect': { ...SHELL, deadlineMs: 5 * MINUTE, timeoutMs: MINUTE, attempts: 100 },
  'workspace.compare': { ...SHELL, deadlineMs: 2 * MINUTE, timeoutMs: MINUTE, attempts: 2, urgency: 'sign' },
  'workspace.remove': { ...SHELL, deadlineMs: 30 * MINUTE, timeoutMs: 5 * MINUTE },
  'workspace.checkout': { ...SHELL, ...TRANSFER },
  'workspace.tidy': SHELL,
  'worker.prompt': WORKER,
  'worker.history': WORKER,
  'worker.interrupt': { ...WORKER, urgency: 'decision', deadlineMs: 5 * MINUTE },
  'worker.mode': WORKER,
  'worker.model': WORKER,
  'worker.compact': WORKER,
  'worker.clear': WORKER,
  'worker.close': { ...WORKER, deadlineMs: 2 * MINUTE },
  'worker.decide': { ...WORKER, urgency: 'decision' },
  'spending.check': {
    ...WORKER,
    lane: 'store',
    urgency: 'decision',
    deadlineMs: MINUTE,
    timeoutMs: 10 * SECOND,
    concurrency: 4,
  },
  'worker.probe': { ...WORKER, deadlineMs: 2 * MINUTE, timeoutMs: MINUTE },
  'firewall.check': { ...FIREWALL, lane: 'store', deadlineMs: MINUTE, timeoutMs: 10 * SECOND },
  'firewall.allow': FIREWALL,
  'firewall.revoke': CLOSING,
  // Answered at once, and over when the firewall follows. It needs the chat as well, and leaves room for what does not.
  'chat.revoke': { ...CLOSING, concurrency: 2 },
  'firewall.endSession': { ...FIREWALL, lane: 'store' },
  'audit.record': { ...CHAT, lane: 'store', urgency: 'work', deadlineMs: 24 * 60 * MINUTE, concurrency: 2 },
};

/** What must happen in order; undefined: in any. */
export function orderKeyOf(actor: Address, effect: ExternalEffect): string | undefined {
  switch (effect.kind) {
    case 'chat.reply':
    case 'chat.status':
    case 'chat.help':
    case 'chat.context':
    case 'chat.network':
    case 'chat.cost':
    case 'chat.verbosity':
    case 'chat.channelVerbosity':
    case 'chat.notify':
    case 'chat.diff':
    case 'chat.logs':
    case 'chat.member':
    case 'chat.stopByPrefix':
      return `place/${effect.params.place.channelId}/${effect.params.place.rootId}`;
    // It may take minutes: what else is answered in its thread does not wait for it.
    case 'chat.export':
      return `export/${effect.params.place.channelId}/${effect.params.place.rootId}`;
    // Other answers do not wait until the firewall follows.
    case 'chat.revoke':
      return `revoke/${effect.params.session}`;
    case 'chat.tellOperator':
      return 'operator';
    case 'chat.react':
      return `post/${effect.params.postId}`;
    case 'chat.openThread':
      return `channel/${effect.params.repo.repo}`;
    case 'chat.setTitle':
      return `post/${effect.params.rootId}`;
    case 'chat.readTitle':
      return `title/${effect.params.session}`;
    case 'chat.card':
    case 'chat.remind':
      return `card/${effect.params.approval}`;
    case 'workspace.admit':
      return 'admission';
    case 'workspace.mirror':
      return `mirror/${effect.params.repo.repo}`;
    case 'workspace.reserve':
      return 'ports';
    case 'workspace.compare':
      return `compare/${effect.params.container}`;
    case 'workspace.vet':
    case 'workspace.up':
    case 'workspace.startWorker':
    case 'workspace.checkWalls':
    case 'workspace.inspect':
    case 'workspace.remove':
      return `container/${effect.params.container}`;
    case 'workspace.checkout':
    case 'workspace.tidy':
      return `checkout/${effect.params.repo.repo}@${effect.params.repo.branch}`;
    case 'worker.prompt':
    case 'worker.history':
    case 'worker.mode':
    case 'worker.model':
    case 'worker.compact':
    case 'worker.clear':
    case 'worker.close':
      return `agent/${effect.params.session}`;
    // An interrupt and an answer must not wait behind a prompt that waits for them.
    case 'worker.interrupt':
      return `interrupt/${effect.params.session}`;
    case 'spending.check':
      return `spending/${effect.params.session}`;
    case 'worker.decide':
    case 'worker.probe':
      return `request/${actor}`;
    case 'firewall.check':
    case 'firewall.endSession':
      return `request/${actor}`;
    case 'firewall.allow':
    case 'firewall.revoke':
      return 'firewall';
    case 'audit.record':
      return 'audit';
    default:
      return assertNever(effect);
  }
}

interface AskedFor {
  readonly kind: ExternalKind;
  readonly params: JsonObject;
}

/** Whether a later effect with the same order key takes back what this one would do: then it need not be done at all. */
export function isTakenBack({ kind, params }: AskedFor, later: AskedFor): boolean {
  if (later.kind !== kind) return false;
  if (kind === 'chat.react')
    return params.emoji === later.params.emoji && params.remove === false && later.params.remove === true;
  return isOvertaken({ kind, params }, later);
}

/**
 * Whether it must not even be carried on with: an agent that is to be told that something is closed again must not hear before
 * that it is open. It is broken off, which is harmless: the worker takes one decision about a request, whichever comes first.
 */
export function isOvertaken({ kind, params }: AskedFor, later: AskedFor): boolean {
  if (kind !== 'worker.decide' || later.kind !== kind || params.inputId !== later.params.inputId) return false;
  return params.outcome === 'approved' && later.params.outcome === 'denied';
}

/** The session whose thread a note goes to when it does not say. */
export function defaultThread(actor: Address): Address | undefined {
  if (actor.startsWith('session/')) return actor;
  if (actor.startsWith('approval/') && keyOf(actor).includes('/')) return sessionOfApproval(actor);
  return undefined;
}

/** Full jitter: anything between nothing and the doubled backoff, so that retries do not march in step. */
export function backoffMs(policy: EffectPolicy, attempts: number, random: number): number {
  const ceiling = Math.min(policy.maxBackoffMs, policy.baseBackoffMs * 2 ** Math.min(attempts, 20));
  return Math.round(random * ceiling);
}
