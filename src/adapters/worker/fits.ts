/** Whether a worker is one that this gateway can talk to. Pure. */
import type { DescribeResponse } from './generated/claude_agent/v1/agent.ts';

/** What this gateway speaks. Raised with changes of the contract that an older side would misunderstand. */
export const PROTOCOL_VERSION = 1;

export type Fit = { readonly ok: true } | { readonly ok: false; readonly human: string };

/** Workers of another version with the same protocol fit; a new container gets the newest one. */
export function workerFits(described: Pick<DescribeResponse, 'workerVersion' | 'protocolVersion'>): Fit {
  const { workerVersion, protocolVersion } = described;
  if (protocolVersion === PROTOCOL_VERSION) return { ok: true };
  const [age, step] =
    protocolVersion < PROTOCOL_VERSION
      ? [
          'older',
          '`@claude stop --container`, then `@claude resume`: the new container gets the worker of SM_WORKER_MOUNT (bring it up to date with `csm bundle`). If it is part of the image, update it there first.',
        ]
      : ['newer', 'Update the session manager, or `@claude stop --container` and start anew with its own worker.'];
  return {
    ok: false,
    human: `The container's agent worker (${workerVersion}) is ${age} than this session manager: it speaks version ${protocolVersion} of the protocol, and ${PROTOCOL_VERSION} is needed. ${step}`,
  };
}
