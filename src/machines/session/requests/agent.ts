/** What the agent is told to do, other than to answer. */
import type { Effect } from '../../effects.ts';
import { type Args, inputOf, only } from '../args.ts';
import type { SessionEvent } from '../events.ts';
import { ofSent } from './prompts.ts';

export function interruptTurn({ context, event }: Args): Effect[] {
  if (!context.turn) return [];
  return [
    {
      kind: 'worker.interrupt',
      params: { session: context.address, inputId: inputOf(event), turnId: context.turn.id },
      reply: { failed: 'INTERRUPT.REFUSED' },
    },
  ];
}

export function compact({ context, event }: Args): Effect {
  const { hint, userId: id, userName: name } = only(event, 'COMMAND.COMPACT');
  return {
    kind: 'worker.compact',
    params: { session: context.address, inputId: inputOf(event), hint, author: { id, name } },
    reply: { failed: 'COMPACT.REFUSED', with: ofSent(inputOf(event), event) },
  };
}

export function clear({ context, event }: Args): Effect {
  return {
    kind: 'worker.clear',
    params: { session: context.address, inputId: inputOf(event) },
    reply: { failed: 'CLEAR.REFUSED', with: ofSent(inputOf(event), event) },
  };
}

export function closeAgent({ context, event }: Args): Effect {
  return {
    kind: 'worker.close',
    params: { session: context.address, inputId: inputOf(event) },
    reply: { failed: 'CLOSE.REFUSED' },
  };
}

function setMode(plan: boolean, { context, event }: Args): Effect {
  return {
    kind: 'worker.mode',
    params: { session: context.address, inputId: inputOf(event), plan },
    reply: { failed: 'MODE.REFUSED' },
  };
}

export function setModel({ context, event }: Args): Effect {
  return {
    kind: 'worker.model',
    params: { session: context.address, inputId: inputOf(event), model: only(event, 'COMMAND.MODEL').model },
    reply: { failed: 'MODEL.REFUSED' },
  };
}

/** `plan` alone turns it on here; `plan off` says so. */
export function planOn(args: Args): Effect {
  return setMode(askedMode(args.event) ?? true, args);
}

export function planOff(args: Args): Effect {
  return setMode(askedMode(args.event) ?? false, args);
}

function askedMode(event: SessionEvent): boolean | null {
  return event.type === 'COMMAND.PLAN' ? event.on : null;
}
