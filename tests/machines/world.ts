/**
 * A small world around the charts: several sessions, their container, approvals, a model of the worker, people, and time.
 * Which of the possible things happens next is chosen from outside, so that a list of numbers is a history.
 */
import { orderKeyOf } from '../../src/actors/effectPolicy.ts';
import { endTask, step, stepInitial, takeDueTimer, wakeAtOf } from '../../src/actors/step.ts';
import type { Envelope } from '../../src/actors/types.ts';
import { type Address, kindOf } from '../../src/machines/addresses.ts';
import type { Effect, ExternalEffect } from '../../src/machines/effects.ts';
import type { ChartEvent } from '../../src/machines/events.ts';
import type { Json, JsonObject } from '../../src/machines/json.ts';
import {
  attached,
  type Input,
  type ModelSession,
  type ModelWorker,
  newSession,
  newWitness,
  restart,
  take,
  type Witness,
} from './modelWorker.ts';
import { definitionOf, isExternal } from './support.ts';

interface Letter {
  readonly event: ChartEvent;
  readonly taskKey?: string | undefined;
}

interface Actor {
  envelope: Envelope;
  rev: number;
}

export interface Job {
  readonly actor: Address;
  readonly effect: ExternalEffect;
  readonly order: string | undefined;
  /** It has been carried out; only its outcome is not told yet. */
  outcome?: { readonly ok: boolean; readonly fields: JsonObject };
}

/** A step of a chart, for those who check what it did. */
export interface Seen {
  readonly address: Address;
  readonly event: ChartEvent;
  readonly before: JsonObject | undefined;
  readonly after: JsonObject;
  readonly value: Json;
  readonly effects: readonly Effect[];
}

export interface World {
  readonly witness: Witness;
  readonly worker: ModelWorker;
  readonly actors: Map<Address, Actor>;
  readonly inboxes: Map<Address, Letter[]>;
  readonly jobs: Job[];
  /** Events nobody had a transition for. */
  readonly dead: string[];
  /** The attached streams, by session, with the key of the task that holds them. */
  readonly streams: Map<Address, string>;
  now(): number;
  /** Moves the clock to the next timer. @returns false if none is due within the time */
  sleep(limitMs: number): boolean;
  deliver(to: Address, event: Omit<ChartEvent, 'at'> & { type: string }, taskKey?: string): void;
  /** The next letter of an inbox. */
  read(address: Address): void;
  /** Jobs that nothing before them holds up. */
  ready(): Job[];
  act(job: Job, ok: boolean): void;
  report(job: Job): void;
  /** Whether it can be carried out now; requests to a worker need its stream. */
  canAct(job: Job): boolean;
  linkKey(session: Address): string | undefined;
  /** Whether a worker answers where the session looks for it. */
  reachable(session: Address): boolean;
  attach(session: Address): void;
  drop(session: Address): void;
  readLog(session: Address): void;
  modelOf(session: Address): ModelSession | undefined;
  crash(how: 'soft' | 'reboot' | 'gone' | 'wiped'): void;
  context(address: Address): JsonObject;
  value(address: Address): string;
}

const ENV = { SM_SESSION_LIVENESS_TIMEOUT_SECS: '120', SM_CONTAINER_MAX_SESSIONS: '5' };

export function createWorld(onStep: (seen: Seen) => void): World {
  const witness = newWitness();
  const worker: ModelWorker = { alive: false, generation: 0, endpoint: '', sessions: new Map() };
  const actors = new Map<Address, Actor>();
  const inboxes = new Map<Address, Letter[]>();
  const jobs: Job[] = [];
  const dead: string[] = [];
  const streams = new Map<Address, string>();
  let clock = 1_000_000;

  const deliver: World['deliver'] = (to, event, taskKey) => {
    const letters = inboxes.get(to) ?? [];
    inboxes.set(to, letters);
    letters.push({ event: { ...event, at: clock }, taskKey });
  };

  const takeStep = (address: Address, event: ChartEvent, from: Envelope | undefined): void => {
    const definition = definitionOf(kindOf(address), ENV);
    const actor = actors.get(address);
    const rev = (actor?.rev ?? 0) + 1;
    const before = from?.snapshot.context as JsonObject | undefined;
    const time = { rev, now: clock };
    const born = from ? undefined : stepInitial(definition, address, definition.inputOf(address, event), time);
    const stored = JSON.parse(JSON.stringify(from ?? born?.envelope)) as Envelope;
    const result = step(definition, address, stored, event, time);
    actors.set(address, { envelope: result.envelope, rev });
    // A timer whose guard holds it back is no letter to anybody.
    if (!result.handled && !event.type.startsWith('xstate.after.'))
      dead.push(`${kindOf(address)} in ${JSON.stringify(result.envelope.snapshot.value)}: ${event.type}`);
    if (result.status !== 'active') dead.push(`${address} is ${result.status}`);
    const effects = [...(born?.effects ?? []), ...result.effects];
    for (const effect of effects) {
      if (effect.kind === 'tell') deliver(effect.to, effect.event);
      else if (isExternal(effect)) jobs.push({ actor: address, effect, order: orderKeyOf(address, effect) });
    }
    const key = result.envelope.tasks.link?.key;
    if (streams.has(address) && streams.get(address) !== key) streams.delete(address);
    onStep({
      address,
      event,
      before,
      after: result.envelope.snapshot.context as JsonObject,
      value: result.envelope.snapshot.value ?? null,
      effects,
    });
  };

  const world: World = {
    witness,
    worker,
    actors,
    inboxes,
    jobs,
    dead,
    streams,
    now: () => clock,
    sleep(limitMs) {
      const wakes = [...actors].flatMap(([address, { envelope }]) => {
        const due = wakeAtOf(envelope);
        return due === undefined || due > clock + limitMs ? [] : [{ address, due }];
      });
      const [first] = wakes.sort((a, b) => a.due - b.due);
      const actor = first && actors.get(first.address);
      if (!first || !actor) return false;
      clock = Math.max(clock, first.due);
      const timer = takeDueTimer(actor.envelope, clock);
      if (timer) takeStep(first.address, timer.event, timer.rest);
      return true;
    },
    deliver,
    read(address) {
      const letter = inboxes.get(address)?.shift();
      if (!letter) return;
      clock += 1;
      const { event, taskKey } = letter;
      const actor = actors.get(address);
      if (!actor && !definitionOf(kindOf(address), ENV).birthEvents.includes(event.type)) {
        dead.push(`${kindOf(address)} is absent: ${event.type}`);
        return;
      }
      if (taskKey === undefined) return takeStep(address, event, actor?.envelope);
      if (actor?.envelope.tasks.link?.key === taskKey) takeStep(address, event, endTask(actor.envelope, 'link'));
    },
    ready: () =>
      jobs.filter(
        (job, index) => job.order === undefined || jobs.findIndex((other) => other.order === job.order) === index,
      ),
    canAct: (job) => sessionOf(job.effect) === undefined || streams.has(sessionOf(job.effect) as Address),
    act(job, ok) {
      clock += 1;
      job.outcome = ok ? carryOut(world, job.effect) : { ok: false, fields: failure('failed') };
    },
    report(job) {
      jobs.splice(jobs.indexOf(job), 1);
      const { reply } = job.effect;
      const type = job.outcome?.ok ? reply?.done : reply?.failed;
      if (type !== undefined) deliver(job.actor, { ...job.outcome?.fields, ...reply?.with, type });
    },
    linkKey(session) {
      const task = actors.get(session)?.envelope.tasks.link;
      return task && !task.ended ? task.key : undefined;
    },
    reachable: (session) => {
      const task = actors.get(session)?.envelope.tasks.link;
      return worker.alive && task?.input.endpoint === worker.endpoint;
    },
    attach(session) {
      const key = world.linkKey(session);
      const task = actors.get(session)?.envelope.tasks.link;
      if (key === undefined || !task) return;
      if (!world.reachable(session)) {
        deliver(session, { type: 'LINK.DOWN', reason: 'nobody answers' });
        return;
      }
      const model = worker.sessions.get(session) ?? newSession(witness, task.input.plan === true);
      worker.sessions.set(session, model);
      streams.set(session, key);
      deliver(session, { type: 'LINK.UP', ...attached(model) });
    },
    drop(session) {
      streams.delete(session);
      deliver(session, { type: 'LINK.DOWN', reason: 'the stream broke' });
    },
    readLog(session) {
      const model = worker.sessions.get(session);
      const entry = model?.log[model.read];
      if (!model || !entry) return;
      model.read += 1;
      deliver(session, entry);
    },
    modelOf: (session) => (worker.alive ? worker.sessions.get(session) : undefined),
    crash(how) {
      for (const session of [...streams.keys()]) world.drop(session);
      worker.alive = how === 'soft' || how === 'reboot';
      if (how === 'wiped') worker.sessions.clear();
      else for (const session of worker.sessions.values()) restart(witness, session, how === 'reboot');
    },
    context: (address) => actors.get(address)?.envelope.snapshot.context as JsonObject,
    value: (address) => JSON.stringify(actors.get(address)?.envelope.snapshot.value ?? null),
  };
  return world;
}

function failure(code: string): JsonObject {
  return { code, message: code, human: `It ${code}.` };
}

/** The session whose stream a request needs. */
function sessionOf(effect: ExternalEffect): Address | undefined {
  return effect.kind.startsWith('worker.') && 'session' in effect.params
    ? (effect.params.session as Address)
    : undefined;
}

function carryOut(world: World, effect: ExternalEffect): NonNullable<Job['outcome']> {
  const done = (fields: JsonObject = {}) => ({ ok: true, fields });
  const input = inputOf(effect);
  if (input) {
    const session = world.worker.sessions.get(sessionOf(effect) as string);
    const refusal = session ? take(world.witness, session, input) : 'WORKER_AWAY';
    return refusal === undefined ? done() : { ok: false, fields: failure(refusal) };
  }
  const { worker } = world;
  switch (effect.kind) {
    case 'chat.openThread':
      return done({ channelId: 'c', rootId: `root-${effect.params.session}` });
    case 'chat.card':
      return done({ postId: `card-${effect.params.approval}` });
    case 'workspace.checkout':
      return done({ path: `/w/${effect.params.session}`, branch: 'b' });
    case 'workspace.tidy':
      return done({ kept: '', path: effect.params.path });
    case 'workspace.startWorker': {
      const { generation } = effect.params;
      if (!worker.alive || worker.generation !== generation) worker.endpoint = `e${world.witness.nextId++}`;
      worker.alive = true;
      worker.generation = generation;
      return done({ endpoint: worker.endpoint, identity: `g${generation}` });
    }
    case 'workspace.inspect':
      return done({ found: worker.alive ? 'worker' : 'noWorker', endpoint: worker.endpoint });
    case 'workspace.remove':
      world.crash('wiped');
      return done();
    case 'worker.probe':
      return done({ reachable: true, error: '' });
    case 'firewall.allow':
      return done({ enforced: true, late: [] });
    case 'firewall.check':
      return done({ standing: 'ask', hosts: effect.params.hosts, warnings: [], words: '' });
    default:
      return done();
  }
}

function inputOf(effect: ExternalEffect): Input | undefined {
  switch (effect.kind) {
    case 'worker.prompt':
      return { kind: 'prompt', inputId: effect.params.inputId };
    case 'worker.compact':
      return { kind: 'compact', inputId: effect.params.inputId };
    case 'worker.clear':
      return { kind: 'clear', inputId: effect.params.inputId };
    case 'worker.close':
      return { kind: 'close', inputId: effect.params.inputId };
    case 'worker.interrupt':
      return { kind: 'interrupt', inputId: effect.params.inputId, turnId: effect.params.turnId };
    case 'worker.mode':
      return { kind: 'mode', inputId: effect.params.inputId, plan: effect.params.plan };
    case 'worker.decide': {
      const { inputId, requestId, outcome } = effect.params;
      return { kind: 'decide', inputId, requestId, outcome };
    }
    default:
      return undefined;
  }
}
