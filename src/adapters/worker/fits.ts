/** Whether a worker is one that this gateway can talk to, and when it may be exchanged for a newer one. Pure. */
import { type DescribeResponse, SessionState, type SessionSummary } from './generated/claude_agent/v1/agent.ts';

/** What this gateway speaks. Raised with changes of the contract that an older side would misunderstand. */
export const PROTOCOL_VERSION = 1;

export type Fit = { readonly ok: true } | { readonly ok: false; readonly human: string };

/** Workers of another version with the same protocol fit; they are exchanged when it costs nothing. */
export function workerFits(described: Pick<DescribeResponse, 'workerVersion' | 'protocolVersion'>): Fit {
  const { workerVersion, protocolVersion } = described;
  if (protocolVersion === PROTOCOL_VERSION) return { ok: true };
  const [age, step] =
    protocolVersion < PROTOCOL_VERSION
      ? [
          'older',
          'It is exchanged when no turn runs; if it is part of the image, update it there, or set SM_WORKER_MOUNT.',
        ]
      : ['newer', 'Update the session manager, or `@claude stop --container` and start anew with its own worker.'];
  return {
    ok: false,
    human: `The container's agent worker (${workerVersion}) is ${age} than this session manager: it speaks version ${protocolVersion} of the protocol, and ${PROTOCOL_VERSION} is needed. ${step}`,
  };
}

/** Whether the worker may be ended for an upgrade: no turn runs in it, and so nothing is lost. */
export function mayReplace(sessions: readonly Pick<SessionSummary, 'state'>[]): boolean {
  return sessions.every(({ state }) => state !== SessionState.RUNNING);
}
