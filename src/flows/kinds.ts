/** The four kinds of actors, as the runtime is told of them. */
import type { KindDefinition } from '../actors/index.ts';
import type { Config } from '../config.ts';
import { type Address, containerAddress, sessionOfApproval } from '../machines/addresses.ts';
import type { Requested } from '../machines/approval/context.ts';
import { APPROVAL_BIRTH_EVENTS, APPROVAL_VERSION, approvalMachine } from '../machines/approval.ts';
import { CONTAINER_BIRTH_EVENTS, CONTAINER_VERSION, containerMachine } from '../machines/container.ts';
import type { RepoRef } from '../machines/effects.ts';
import type { ChartEvent } from '../machines/events.ts';
import { GATEWAY_BIRTH_EVENTS, GATEWAY_VERSION, gatewayMachine } from '../machines/gateway.ts';
import type { SessionRequest } from '../machines/session/context.ts';
import { SESSION_BIRTH_EVENTS, SESSION_VERSION, sessionMachine } from '../machines/session.ts';
import { APPROVAL_MIGRATIONS, CONTAINER_MIGRATIONS, SESSION_MIGRATIONS } from './migrations.ts';
import { approvalTrouble, containerTrouble, rootTrouble, sessionTrouble } from './supervision.ts';

export function kindsOf(config: Config): readonly KindDefinition[] {
  return [
    {
      kind: 'gateway',
      machine: gatewayMachine,
      version: GATEWAY_VERSION,
      birthEvents: GATEWAY_BIRTH_EVENTS,
      inputOf: () => ({}),
      onTrouble: rootTrouble,
    },
    {
      kind: 'container',
      machine: containerMachine,
      version: CONTAINER_VERSION,
      migrate: CONTAINER_MIGRATIONS,
      birthEvents: CONTAINER_BIRTH_EVENTS,
      inputOf: (address, event) => ({
        address,
        repo: event.repo as RepoRef,
        limits: {
          maxSessions: config.container.maxSessions,
          idleMs: config.container.idleTimeoutSecs * 1000,
        },
      }),
      onTrouble: containerTrouble,
    },
    {
      kind: 'session',
      machine: sessionMachine,
      version: SESSION_VERSION,
      migrate: SESSION_MIGRATIONS,
      birthEvents: SESSION_BIRTH_EVENTS,
      urgentEvents: ['COMMAND.INTERRUPT', 'COMMAND.STOP', 'TURN.ENDED'],
      inputOf: (address, event) => sessionInput(config, address, event),
      parentOf: (_address, event) => containerOf(event),
      onTrouble: sessionTrouble,
    },
    {
      kind: 'approval',
      machine: approvalMachine,
      version: APPROVAL_VERSION,
      migrate: APPROVAL_MIGRATIONS,
      birthEvents: APPROVAL_BIRTH_EVENTS,
      urgentEvents: ['DECIDE', 'WITHDRAW'],
      inputOf: (address, event) => ({
        address,
        timeoutMs: config.sessions.approvalTimeoutSecs * 1000,
        remindMs: config.sessions.approvalRemindSecs * 1000,
        twoPeople: config.access.twoApprovers,
        grantMs: config.firewall.grantHours * 3_600_000,
        request: event as Requested,
      }),
      parentOf: sessionOfApproval,
      onTrouble: approvalTrouble,
    },
  ];
}

function requestOf(event: ChartEvent): SessionRequest {
  return event.request as SessionRequest;
}

function containerOf(event: ChartEvent): Address {
  const { repo, branch } = requestOf(event).repo;
  return containerAddress(repo, branch);
}

function sessionInput(config: Config, address: Address, event: ChartEvent) {
  return {
    address,
    container: containerOf(event),
    request: requestOf(event),
    limits: {
      livenessMs: config.sessions.livenessTimeoutSecs * 1000,
      ownTurns: config.spending.ownTurns,
    },
    at: event.at,
  };
}
