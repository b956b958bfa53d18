/** Everything charts ask of workspaces, on the VM. */
import type { EffectHandlers } from '../../actors/index.ts';
import { type AdmissionPorts, admissionHandlers } from './admission.ts';
import { buildHandlers } from './build.ts';
import { checkoutHandlers } from './checkouts.ts';
import type { VmWorkspace } from './ports.ts';
import { removalHandlers } from './removal.ts';
import { workerPlaceHandlers } from './workers.ts';

export function vmWorkspaceHandlers(ports: VmWorkspace & AdmissionPorts) {
  return {
    ...admissionHandlers(ports),
    ...checkoutHandlers(ports),
    ...buildHandlers(ports),
    ...workerPlaceHandlers(ports),
    ...removalHandlers(ports),
  } satisfies EffectHandlers;
}
