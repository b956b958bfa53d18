/** The machines of the program, one for each kind of actor. */
import type { AnyStateMachine } from 'xstate';
import type { ActorKind } from '../../machines/addresses.ts';
import { APPROVAL_VERSION, approvalMachine } from '../../machines/approval.ts';
import { CONTAINER_VERSION, containerMachine } from '../../machines/container.ts';
import { GATEWAY_VERSION, gatewayMachine } from '../../machines/gateway.ts';
import { SESSION_VERSION, sessionMachine } from '../../machines/session.ts';

export interface Chart {
  readonly machine: AnyStateMachine;
  readonly version: number;
}

export const CHARTS: Readonly<Record<ActorKind, Chart>> = {
  gateway: { machine: gatewayMachine, version: GATEWAY_VERSION },
  container: { machine: containerMachine, version: CONTAINER_VERSION },
  session: { machine: sessionMachine, version: SESSION_VERSION },
  approval: { machine: approvalMachine, version: APPROVAL_VERSION },
};

export const KINDS = Object.keys(CHARTS) as readonly ActorKind[];

export function isKind(text: string): text is ActorKind {
  return Object.hasOwn(CHARTS, text);
}
