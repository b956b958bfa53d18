/** The actor system as the rest of the program sees it: see api.ts. */

import type { Address } from '../machines/addresses.ts';
import { kindOf } from '../machines/addresses.ts';
import type { JsonObject } from '../machines/json.ts';
import type { DirtyNotice, Runtime, RuntimeLimits, RuntimeOptions } from './api.ts';
import { systemClock } from './clock.ts';
import { FencedError, RetryableError, UnknownOutcomeError } from './errors.ts';
import { createGroup, GroupFullError } from './group.ts';
import { checkItem, checkOutputs } from './ingress.ts';
import { createLead, type Lead } from './lead.ts';
import { silentLog } from './log.ts';
import { giveOrder } from './operator.ts';
import { registerKinds } from './register.ts';
import { tagsOf, wakeAtOf } from './step.ts';
import type { LoadedActor, Turn } from './turn.ts';
import type {
  ActorView,
  CommitNotice,
  CursorMove,
  DeliverExtra,
  DeliverResult,
  InboxItem,
  WaitResult,
} from './types.ts';
import { createWaiters } from './waiters.ts';

const DEFAULT_LIMITS: RuntimeLimits = {
  batch: 100,
  fold: 32,
  cached: 2000,
  events: 20_000,
  effects: 5_000,
  pollMs: 5000,
  deliveries: 1000,
};
/** Deliveries that share one statement. */
const DELIVERY_BATCH = 64;

/** @throws Error when a chart cannot be made durable; the message lists every reason with the state's path. */
export function createRuntime(options: RuntimeOptions): Runtime {
  const { store, faults } = options;
  const clock = options.clock ?? systemClock;
  const log = options.log ?? silentLog;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const kinds = registerKinds(options.kinds, options.tasks);
  const commitListeners = new Set<(notice: CommitNotice) => void>();
  const dirtyListeners = new Set<(notice: DirtyNotice) => void>();
  const waiters = createWaiters({ store, clock });
  const counts = { turns: 0, deadLetters: 0 };
  let isCertain = (): boolean => true;
  let lead: Lead | undefined;

  interface Delivery {
    readonly items: readonly InboxItem[];
    readonly cursors: readonly CursorMove[];
    readonly term: number | undefined;
  }
  const limitOf = (address: Address) => kinds.get(kindOf(address))?.supervision.inboxLimit ?? 1000;
  const deliverGroup = createDeliveries(false);
  const fencedGroup = createDeliveries(true);

  function createDeliveries(fenced: boolean): (delivery: Delivery) => Promise<DeliverResult[]> {
    const run = async (deliveries: readonly Delivery[]): Promise<DeliverResult[][]> => {
      const leader = lead;
      if (fenced && deliveries.some(({ term }) => term !== leader?.term)) {
        throw new FencedError('what was read in a term that is over is not delivered');
      }
      const items = deliveries.flatMap((delivery) => delivery.items);
      const cursors = deliveries.flatMap((delivery) => delivery.cursors);
      const write = store.deliver(items, { term: leader?.term, limitOf, cursors, fenced });
      const { results, rows } = await known(leader, write);
      leader?.accept(rows);
      let at = 0;
      return deliveries.map((delivery) => {
        at += delivery.items.length;
        return results.slice(at - delivery.items.length, at);
      });
    };
    return createGroup(run, DELIVERY_BATCH, limits.deliveries);
  }

  /** A write whose answer was lost may have happened; its source may never ask again. */
  async function known<Result>(leader: Lead | undefined, write: Promise<Result>): Promise<Result> {
    try {
      return await write;
    } catch (error) {
      if (error instanceof UnknownOutcomeError) leader?.uncertain();
      throw error;
    }
  }

  async function deliver(
    items: readonly InboxItem[],
    { cursors = [], term }: DeliverExtra = {},
  ): Promise<DeliverResult[]> {
    const group = term === undefined ? deliverGroup : fencedGroup;
    try {
      const results = await group({ items: items.map(checkItem), cursors, term });
      await faults?.('before-ack');
      return results;
    } catch (error) {
      // With cursors there is a source that would take "busy" for an answer and go on: it must deliver again.
      if (error instanceof GroupFullError && cursors.length === 0) return items.map(() => 'busy');
      if (error instanceof GroupFullError) throw new RetryableError('ingress.full', error.message, { cause: error });
      throw error;
    }
  }

  function notify<Value>(listeners: Set<(value: Value) => void>, value: Value): void {
    for (const listener of listeners) {
      try {
        listener(value);
      } catch (error) {
        log.error({ err: error }, 'a listener failed');
      }
    }
  }

  function onTurn(turn: Turn): void {
    counts.turns += turn.notices.length;
    counts.deadLetters += turn.commit.deadLetters.length;
    for (const { reason, event } of turn.commit.deadLetters) {
      log.warn({ actor: turn.commit.address, event: event.type, reason }, 'dead letter');
    }
    for (const notice of turn.notices) notify(commitListeners, notice);
    for (const { dedupKey, fate } of turn.fates) waiters.settle(dedupKey, fate);
    const { transcript, threads } = turn.commit;
    const dirty = new Set([...transcript, ...threads].map(({ session }) => session));
    for (const session of dirty) {
      const kinds = transcript.filter((row) => row.session === session).map(({ kind }) => kind);
      notify(dirtyListeners, { session, kinds });
    }
  }

  async function deliverAndWait(unchecked: InboxItem, timeoutMs: number): Promise<WaitResult> {
    const item = checkItem(unchecked);
    const waiter = waiters.wait(item.dedupKey, timeoutMs, () => lead === undefined);
    try {
      const [result] = await deliver([item]);
      if (result === 'busy') return 'busy';
      if (result === 'duplicate') {
        const state = await store.inboxState(item.dedupKey);
        if (state !== 'pending') return state === 'dead' ? 'dead' : 'duplicate';
      }
      return await waiter.result;
    } finally {
      waiter.cancel();
    }
  }

  return {
    async start({ term, catchUp, onFenced, certain = () => true }) {
      if (lead !== undefined) throw new Error('the runtime leads already');
      isCertain = certain;
      lead = createLead({
        term,
        kinds,
        store,
        handlers: options.handlers,
        tasks: options.tasks,
        clock,
        log,
        limits,
        faults,
        onTurn,
        onFenced: onFenced ?? (() => {}),
        certain,
      });
      await lead.start(catchUp);
    },
    async stop() {
      const leader = lead;
      lead = undefined;
      await leader?.stop();
    },
    deliver,
    deliverAndWait: (item, { timeoutMs }) => deliverAndWait(item, timeoutMs),
    operate: (request) => giveOrder({ store, waiters, clock }, request),
    async appendOutputs(batch) {
      const leader = lead;
      if (leader === undefined) throw new FencedError('outputs are taken by the leader only');
      const { heldSeq, rows } = await known(leader, store.appendOutputs(leader.term, checkOutputs(batch)));
      leader.accept(rows);
      notify(dirtyListeners, { session: batch.session, kinds: batch.rows.map(({ kind }) => kind) });
      await faults?.('before-ack');
      return heldSeq;
    },
    async read(address) {
      const cached = lead?.cached(address);
      if (cached !== undefined) return view(address, cached);
      const [row] = await store.loadActors([address]);
      return row === undefined ? undefined : view(address, row);
    },
    leads: () => lead !== undefined && isCertain(),
    onCommit(listener) {
      commitListeners.add(listener);
      return () => commitListeners.delete(listener);
    },
    onDirty(listener) {
      dirtyListeners.add(listener);
      return () => dirtyListeners.delete(listener);
    },
    stats() {
      const figures = lead?.figures();
      return {
        leading: lead !== undefined,
        pendingEvents: figures?.pendingEvents ?? 0,
        pendingEffects: figures?.pendingEffects ?? 0,
        runningEffects: figures?.runningEffects ?? 0,
        runningTasks: figures?.runningTasks ?? 0,
        commits: figures?.commits ?? 0,
        cachedActors: figures?.cachedActors ?? 0,
        unreadable: figures?.unreadable ?? 0,
        alarms: figures?.alarms ?? 0,
        degraded: lead?.degraded(),
        ...counts,
      };
    },
  };

  function view(address: Address, actor: LoadedActor): ActorView {
    const { envelope, rev, status, parent } = actor;
    const kind = kinds.get(kindOf(address));
    const current = kind !== undefined && kind.version === envelope.version;
    return {
      address,
      kind: kindOf(address),
      status,
      version: envelope.version,
      rev,
      value: envelope.snapshot.value ?? null,
      context: (envelope.snapshot.context ?? {}) as JsonObject,
      tags: current ? tagsOf(kind, envelope) : [],
      parent,
      wakeAt: wakeAtOf(envelope),
    };
  }
}
