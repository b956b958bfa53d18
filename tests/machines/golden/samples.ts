/** Actors in representative states, each with the event that comes next: what golden envelopes are made of. */
import type { ActorKind, Address } from '../../../src/machines/addresses.ts';
import type { JsonObject } from '../../../src/machines/json.ts';
import {
  attaching,
  begin,
  by,
  connecting,
  ended,
  LINK_UP,
  open,
  prompt,
  REQUEST,
  request,
  started,
  stop,
  stopped,
  working,
} from '../sessionEvents.ts';
import { type Driven, drive } from '../support.ts';

export interface Sample {
  readonly kind: ActorKind;
  readonly address: Address;
  /** Of the file. */
  readonly name: string;
  readonly next: JsonObject & { readonly type: string };
  make(): Driven;
}

/** The actor after some events. */
function after(actor: Driven, ...events: readonly (readonly [string, JsonObject?])[]): Driven {
  for (const [type, fields] of events) actor.send(type, fields);
  return actor;
}

const START_AGAIN = { type: 'COMMAND.RETRY', ...by('r1') };
const TURN_ENDED = { type: 'TURN.ENDED', ...ended('t1', 'completed', 'p1') };
const CLOSED = { type: 'SESSION.CLOSED', reason: 'requested', agentSessionId: 'a', error: '' };

const SESSIONS: Readonly<Record<string, readonly [() => Driven, Sample['next']]>> = {
  thread: [() => after(begin(), ['PROMPT', prompt('p1')]), { type: 'THREAD.OPENED', channelId: 'c', rootId: 'r' }],
  container: [attaching, { type: 'CONTAINER.PROGRESS', text: '…' }],
  agent: [connecting, { type: 'LINK.UP', ...LINK_UP }],
  idle: [open, { type: 'PROMPT', ...prompt('p1') }],
  asleep: [() => after(open(), ['LINK.UP', { ...LINK_UP, agentState: 'asleep' }]), { type: 'PROMPT', ...prompt('p1') }],
  working: [() => after(working(), ['PROMPT', prompt('p2')]), TURN_ENDED],
  'waiting-for-person': [
    () => after(working(), ['APPROVAL.REQUESTED', request('r1')]),
    { type: 'APPROVAL.SETTLED', requestId: 'r1' },
  ],
  interrupting: [() => after(working(), ['COMMAND.INTERRUPT', by('i1')]), TURN_ENDED],
  compacting: [
    () => after(open(), ['COMMAND.COMPACT', { ...by('c1'), hint: '' }]),
    { type: 'TURN.STARTED', ...started('t1', 'c1') },
  ],
  quiet: [
    () => {
      const session = working();
      session.wait(130_000);
      return session;
    },
    { type: 'OUTPUT.SEEN' },
  ],
  lost: [
    () => {
      const session = after(working(), ['LINK.DOWN', { reason: 'x' }]);
      session.wait(10_000);
      return session;
    },
    { type: 'LINK.UP', ...LINK_UP, agentState: 'running', turnId: 't1' },
  ],
  plan: [() => after(open(), ['MODE.CHANGED', { plan: true }]), { type: 'MODE.CHANGED', plan: false }],
  closing: [() => after(open(), ['COMMAND.STOP', stop('s1')]), CLOSED],
  stopped: [stopped, START_AGAIN],
  failed: [() => after(attaching(), ['CONTAINER.REFUSED', { reason: 'It is full.', next: 'Wait.' }]), START_AGAIN],
};

const ATTACH = { session: 'session/p0', repo: REQUEST.repo, main: false };
const DETACH = { session: 'session/p0', scope: 'session' };

const STANDING = {
  port: 50_051,
  configHash: 'h1',
  containerId: 'c'.repeat(64),
  remoteUser: 'dev',
  workspaceFolder: '/workspaces/web',
  bootId: 'b1',
};

function container(upTo: number): Driven {
  const actor = drive('container', 'container/acme/web@', { type: 'ATTACH', ...ATTACH });
  const steps = ['admit', 'mirror', 'reserve', 'vet', 'up', 'startWorker', 'checkWalls'] as const;
  for (const step of steps.slice(0, upTo))
    actor.done(`workspace.${step}`, { ...STANDING, endpoint: 'e1', identity: 'i1' });
  return actor;
}

const CONTAINERS: typeof SESSIONS = {
  queued: [() => container(0), { type: 'ADMITTED', generation: 1 }],
  cloning: [() => container(1), { type: 'CLONED', generation: 1 }],
  building: [() => container(4), { type: 'STEP.FAILED', generation: 1, code: 'PORT_TAKEN', human: 'Taken.' }],
  occupied: [() => container(7), { type: 'LOST', session: 'session/p0', generation: 1 }],
  empty: [() => after(container(7), ['DETACH', DETACH]), { type: 'ATTACH', ...ATTACH }],
  suspect: [
    () => after(container(7), ['LOST', { session: 'session/p0', generation: 1 }]),
    { type: 'INSPECTED', generation: 1, found: 'stopped', endpoint: '' },
  ],
  recovering: [
    () =>
      after(
        container(7),
        ['LOST', { session: 'session/p0', generation: 1 }],
        ['INSPECTED', { generation: 1, found: 'stopped', endpoint: '' }],
        ['ADMITTED', { generation: 1 }],
      ),
    { type: 'VETTED', generation: 1 },
  ],
  removing: [
    () => after(container(7), ['DETACH', { ...DETACH, scope: 'container' }]),
    { type: 'REMOVED', generation: 1 },
  ],
  removed: [
    () => after(container(7), ['DETACH', { ...DETACH, scope: 'container' }], ['REMOVED', { generation: 1 }]),
    { type: 'ATTACH', ...ATTACH },
  ],
  failed: [
    () => after(container(3), ['STEP.FAILED', { generation: 1, human: 'No port is free.' }]),
    { type: 'ATTACH', ...ATTACH },
  ],
};

const decide = (outcome: string, scope = 'session') => ({
  verdict: { outcome, by: { id: 'u', name: 'alice' }, at: 1, words: '', answers: {}, scope },
});

function approval(...events: readonly (readonly [string, JsonObject?])[]): Driven {
  const asked = {
    ...request('r1'),
    type: 'REQUESTED',
    kind: 'network',
    inputJson: '{"hosts":["pypi.org"],"reason":"pip"}',
    session: 'session/p0',
    repo: 'acme/web',
    askedFor: { id: 'u', name: 'alice' },
    channelId: 'c',
    rootId: 'r',
  };
  return after(drive('approval', 'approval/p0/r1', asked, { SM_APPROVAL_TIMEOUT_SECS: '600' }), ...events);
}

function asking(...events: readonly (readonly [string, JsonObject?])[]): Driven {
  return approval(['CHECKED', { standing: 'ask', hosts: ['pypi.org'], warnings: [], words: '' }], ...events);
}

const CARD = ['CARD.POSTED', { postId: 'p' }] as const;
const YES = ['DECIDE', decide('approved')] as const;
const NO = ['DECIDE', decide('denied')] as const;

const OPENED = ['OPENED', { enforced: true }] as const;
const OPEN = [CARD, ['DECIDE', decide('approved', 'repo')], OPENED, ['PROBED', { reachable: true }], ['TOLD']] as const;
const REVOKE = ['REVOKE', { reason: 'x' }] as const;

const APPROVALS: typeof SESSIONS = {
  checking: [() => approval(), { type: 'CHECKED', standing: 'ask', hosts: ['pypi.org'], warnings: [], words: '' }],
  refused: [
    () => approval(['CHECKED', { standing: 'refused', hosts: [], warnings: [], words: 'No.' }]),
    { type: 'TOLD' },
  ],
  unreached: [
    () => asking(CARD, YES, OPENED, ['PROBED', { reachable: false }]),
    { type: 'xstate.after.5000.approval.unreached' },
  ],
  active: [() => asking(...OPEN), { type: 'REVOKE', reason: 'x' }],
  closing: [() => asking(...OPEN, REVOKE), { type: 'REVOKED' }],
  unclosed: [() => asking(...OPEN, REVOKE, ['REVOKE.FAILED', { human: '' }]), { type: 'REVOKE', reason: 'y' }],
  closed: [() => asking(...OPEN, REVOKE, ['REVOKED']), { type: 'DECIDE', ...decide('approved') }],
  posting: [() => asking(), { type: 'CARD.POSTED', postId: 'p' }],
  unposted: [() => asking(['CARD.FAILED', { human: '' }]), { type: 'DECIDE', ...decide('denied') }],
  pending: [() => asking(CARD), { type: 'DECIDE', ...decide('approved') }],
  applying: [() => asking(CARD, YES), { type: 'OPENED', enforced: true }],
  verifying: [() => asking(CARD, YES, ['OPENED', { enforced: true }]), { type: 'PROBED', reachable: true }],
  telling: [() => asking(CARD, NO), { type: 'TOLD' }],
  denied: [() => asking(CARD, NO, ['TOLD']), { type: 'DECIDE', ...decide('approved') }],
  failed: [() => asking(CARD, YES, ['OPEN.FAILED', { human: 'No.' }]), { type: 'RETRY' }],
  withdrawn: [() => asking(CARD, ['WITHDRAW', { reason: 'x' }]), { type: 'DECIDE', ...decide('approved') }],
};

const root = (...events: readonly (readonly [string, JsonObject?])[]) =>
  after(drive('gateway', 'gateway/root', { type: 'BOOT' }), ...events);
const DOWN = ['SYSTEM.DOWN', { system: 'vm', reason: 'no route' }] as const;
const TROUBLED = ['CHILD.TROUBLED', { address: 'session/p0', status: 'parked', reason: 'boom' }] as const;

const GATEWAYS: typeof SESSIONS = {
  recovering: [() => root(), { type: 'RECOVERED' }],
  live: [() => root(['RECOVERED']), { type: 'DRAIN' }],
  degraded: [() => root(['RECOVERED'], DOWN), { type: 'SYSTEM.UP', system: 'vm' }],
  gathering: [() => root(['RECOVERED'], TROUBLED, TROUBLED), { type: 'TROUBLES.DUE' }],
  draining: [() => root(['RECOVERED'], ['DRAIN']), { type: 'DRAINED' }],
  stopped: [() => root(['RECOVERED'], ['DRAIN'], ['DRAINED']), { type: 'BOOT' }],
};

function samplesOf(kind: ActorKind, address: Address, samples: typeof SESSIONS): Sample[] {
  return Object.entries(samples).map(([name, [make, next]]) => ({ kind, address, name, make, next }));
}

export const SAMPLES: readonly Sample[] = [
  ...samplesOf('session', 'session/p0', SESSIONS),
  ...samplesOf('container', 'container/acme/web@', CONTAINERS),
  ...samplesOf('approval', 'approval/p0/r1', APPROVALS),
  ...samplesOf('gateway', 'gateway/root', GATEWAYS),
];
