/**
 * What becomes of those who depend on an actor that cannot go on: nobody waits for it, the thread says so in words, and the
 * root tells an operator. Committed together with the end of the actor.
 */
import type { Trouble } from '../actors/index.ts';
import { approvalAddress, GATEWAY } from '../machines/addresses.ts';
import type { ApprovalContext } from '../machines/approval/context.ts';
import type { ContainerContext } from '../machines/container/context.ts';
import type { Effect, Tell } from '../machines/effects.ts';
import { assertNever } from '../machines/json.ts';
import type { SessionContext } from '../machines/session/context.ts';

/** Above the root are only operators. Sessions go on without it, but nobody can begin a new one. */
export function rootTrouble({ address, status, reason }: Trouble): readonly Effect[] {
  const message =
    `:rotating_light: The root actor is out of service (${status}): ${reason}\nRunning sessions go on, but new ones cannot ` +
    `begin and nobody is told of other troubles. See \`csm letters ${address}\`; \`csm retry ${address}\` or ` +
    `\`csm skip ${address}\` lets it go on.`;
  return [{ kind: 'chat.tellOperator', params: { message } }];
}

/** Every kind but the root's own. */
export function tellRoot({ address, status, reason, at }: Trouble): Tell {
  return { kind: 'tell', to: GATEWAY, event: { type: 'CHILD.TROUBLED', at, address, status, reason } };
}

/** A session says what happened, takes its questions back, and gives up its place in the container. */
export function sessionTrouble(trouble: Trouble): readonly Effect[] {
  const { address, at } = trouble;
  const { rootId, request, open, container } = trouble.context as SessionContext;
  const text = sessionWords(trouble);
  const spoken: Effect =
    rootId === ''
      ? { kind: 'chat.reply', params: { place: request.askedIn, message: text, replyTo: request.askedBy } }
      : { kind: 'say', note: `trouble-${at}`, tone: 'error', text };
  const detach = { type: 'DETACH', at, session: address, scope: 'session' };
  const withdraw = { type: 'WITHDRAW', at, reason: 'The session cannot go on.' };
  return [
    spoken,
    ...open.map((id): Tell => ({ kind: 'tell', to: approvalAddress(address, id), event: withdraw })),
    { kind: 'tell', to: container, event: detach },
    tellRoot(trouble),
  ];
}

function sessionWords({ status, reason }: Trouble): string {
  switch (status) {
    case 'parked':
      return `This session ran into an internal error and was set aside until an operator has looked at it: ${reason}\n\nIf you cannot wait, begin a new one with \`@claude start\`.`;
    case 'error':
      return `This session ended with an internal error: ${reason}\n\nBegin a new one with \`@claude start\`.`;
    case 'stopped':
      return `An operator ended this session for good: ${reason}\n\nBegin a new one with \`@claude start\`.`;
    default:
      return assertNever(status);
  }
}

/** The guests of a container fail with a reason instead of waiting for it. */
export function containerTrouble(trouble: Trouble): readonly Effect[] {
  const { guests } = trouble.context as ContainerContext;
  const event = { type: 'CONTAINER.REFUSED', at: trouble.at, ...containerWords(trouble) };
  return [...guests.map(({ session }): Tell => ({ kind: 'tell', to: session, event })), tellRoot(trouble)];
}

function containerWords({ status, reason }: Trouble): { reason: string; next: string } {
  const next = 'When an operator has looked at it, `@claude retry` goes on.';
  switch (status) {
    case 'parked':
    case 'error':
      return { reason: `The workspace ran into an internal error: ${reason}`, next };
    case 'stopped':
      return { reason: `An operator ended the workspace: ${reason}`, next };
    default:
      return assertNever(status);
  }
}

/**
 * A question that nobody can answer any more. The agent is told exactly that, under the id of the decision: one that it was
 * given already stands. Silence is never consent.
 */
export function approvalTrouble(trouble: Trouble): readonly Effect[] {
  const { address, at, status, reason } = trouble;
  const { over, session, requestId, digest } = trouble.context as ApprovalContext;
  if (over) return [tellRoot(trouble)];
  const why = status === 'stopped' ? 'An operator ended' : 'An internal error stopped';
  return [
    {
      kind: 'worker.decide',
      params: {
        session,
        inputId: `decision-${requestId}`,
        requestId,
        digest,
        outcome: 'expired',
        message: 'Nobody could answer this request.',
        answers: {},
        proven: false,
      },
    },
    {
      kind: 'say',
      note: `trouble-${requestId}-${at}`,
      tone: 'error',
      text: `${why} the request above: ${reason}\n\nThe agent is told that nobody answered.`,
    },
    { kind: 'tell', to: session, event: { type: 'APPROVAL.SETTLED', at, requestId } },
    // Should it go on one day, it must know what its agent was told.
    ...(status === 'parked' ? [{ kind: 'tell', to: address, event: { type: 'GIVEN.UP', at, reason } } as const] : []),
    tellRoot(trouble),
  ];
}
