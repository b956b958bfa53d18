/**
 * What a person may do with an actor that is stuck, and with events that came to nothing. Each is an event in the actor's
 * own inbox, so it is committed, journaled and audited like everything else, and works from a standby, too.
 *
 * | action | with a dead letter | without |
 * |---|---|---|
 * | `retry` | the event is offered again | a parked actor goes on, with the event that parked it first |
 * | `skip` | the letter is settled, the event forgotten | a parked actor goes on without the event that parked it |
 * | `restart` | - | the actor begins anew from what it was made of; its tasks and timers are replaced |
 * | `stop` | - | the actor is done for good; whoever holds a place for it is told |
 */
import { randomUUID } from 'node:crypto';
import type { Address } from '../machines/addresses.ts';
import type { ChartEvent } from '../machines/events.ts';
import { assertNever } from '../machines/json.ts';
import { type Clock, systemClock } from './clock.ts';
import type { InboxRow, InnerItem, RuntimeStore, Store, StoredLetter } from './store.ts';
import { cleanText, toPlain } from './text.ts';
import type { ActorStatus } from './types.ts';
import { createWaiters, type Waiters } from './waiters.ts';

export type OperatorAction = 'retry' | 'skip' | 'restart' | 'stop';

export interface OperatorRequest {
  readonly action: OperatorAction;
  readonly address: Address;
  /** `id` of a dead letter of this actor. */
  readonly letter?: number;
  /** Who asks, for the journal and the audit log. */
  readonly by: string;
}

/** `done`: committed. `refused`: not possible now; `reason` says why, nothing changed. `timeout`: noted, not yet carried out. */
export interface OperatorResult {
  readonly result: 'done' | 'refused' | 'timeout';
  readonly reason: string;
}

const ORDER_EVENT = 'runtime.operator';
/** How long an order may take until it is said to be on its way. */
const PATIENCE_MS = 10_000;

/** What the event in the inbox carries: all that the turn needs, so that the turn stays pure. */
export interface Order {
  readonly action: OperatorAction;
  readonly by: string;
  readonly letter: { readonly id: number; readonly event: ChartEvent; readonly dedupKey: string } | undefined;
  /** What the actor was made of; for `restart`. */
  readonly birth: ChartEvent | undefined;
}

export function isOrder({ event }: Pick<InboxRow, 'event'>): boolean {
  return event.type === ORDER_EVENT;
}

/** @returns undefined for an event that carries no order. */
export function orderOf(event: ChartEvent): Order | undefined {
  if (event.type !== ORDER_EVENT) return undefined;
  const { order } = event as ChartEvent & { readonly order: Order };
  return { action: order.action, by: order.by, letter: order.letter, birth: order.birth };
}

export interface OrderPorts {
  readonly store: Pick<RuntimeStore, 'loadActors' | 'deadLetter' | 'lastPoison' | 'birthOf' | 'deliver'>;
  readonly waiters: Pick<Waiters, 'wait'>;
  readonly clock: Clock;
}

/** Puts the order where the leader finds it, and waits until it is carried out. From any process that reaches the database. */
export async function giveOrder(
  { store, waiters, clock }: OrderPorts,
  request: OperatorRequest,
): Promise<OperatorResult> {
  const prepared = await prepare(store, request, clock.now());
  if ('refused' in prepared) return { result: 'refused', reason: prepared.refused };
  const { item } = prepared;
  const waiter = waiters.wait(item.dedupKey, PATIENCE_MS, () => true);
  try {
    await store.deliver([item], { term: undefined, limitOf: () => undefined, cursors: [] });
    switch (await waiter.result) {
      case 'done':
        return { result: 'done', reason: '' };
      case 'timeout':
        return { result: 'timeout', reason: 'The order is noted; the leader has not carried it out yet.' };
      default:
        return { result: 'refused', reason: 'The actor was gone before the order reached it.' };
    }
  } finally {
    waiter.cancel();
  }
}

/** Orders from a process that has no runtime, such as a command line. */
export function createOperator(store: Store): { operate(request: OperatorRequest): Promise<OperatorResult> } {
  const clock = systemClock;
  const ports = { store, waiters: createWaiters({ store, clock }), clock };
  return { operate: (request) => giveOrder(ports, request) };
}

/** Looks whether the order is possible and what it needs. @returns the event to deliver, or why it is refused. */
async function prepare(
  store: OrderPorts['store'],
  request: OperatorRequest,
  now: number,
): Promise<{ readonly item: InnerItem } | { readonly refused: string }> {
  const { address, action } = request;
  const [actor] = await store.loadActors([address]);
  if (actor === undefined) return { refused: `There is no actor ${address}.` };
  const letter = await letterOf(store, request, actor.status);
  if (typeof letter === 'string') return { refused: letter };
  const birth = action === 'restart' ? await store.birthOf(address) : undefined;
  const obstacle = obstacleOf(action, actor.status, letter, birth);
  if (obstacle !== undefined) return { refused: obstacle };
  const order = { action, by: cleanText(request.by), letter, birth };
  const event = toPlain<ChartEvent>({ type: ORDER_EVENT, at: now, action, by: order.by, order }).json;
  const dedupKey = `operator/${randomUUID()}`;
  return { item: { to: address, event, dedupKey, cause: `operator/${order.by}` } };
}

/** @returns the letter the order is about, undefined if about none, or why it cannot be. */
async function letterOf(
  store: OrderPorts['store'],
  { address, action, letter: id }: OperatorRequest,
  status: ActorStatus,
): Promise<Order['letter'] | string> {
  if (id === undefined) {
    const parkedBy = status === 'parked' && (action === 'retry' || action === 'skip');
    return parkedBy ? brief(await store.lastPoison(address)) : undefined;
  }
  const letter = await store.deadLetter(id);
  if (letter?.address !== address) return `There is no dead letter ${id} of ${address}.`;
  if (letter.settledAt !== undefined) return `Dead letter ${id} was settled already.`;
  return brief(letter);
}

function brief(letter: StoredLetter | undefined): Order['letter'] {
  return letter && { id: letter.id, event: letter.event, dedupKey: letter.dedupKey };
}

function obstacleOf(
  action: OperatorAction,
  status: ActorStatus,
  letter: Order['letter'],
  birth: ChartEvent | undefined,
): string | undefined {
  switch (action) {
    case 'retry':
      if (status === 'active' && letter === undefined) return 'It is not parked. Name a dead letter to offer again.';
      return status === 'done' || status === 'error' ? `It is over (${status}) and takes no events.` : undefined;
    case 'skip':
      return status === 'parked' || letter !== undefined ? undefined : 'It is not parked. Name a dead letter to skip.';
    case 'restart':
      return birth === undefined ? 'What it was made of is not known any more.' : undefined;
    case 'stop':
      return status === 'done' ? 'It is done already.' : undefined;
    default:
      return assertNever(action);
  }
}
