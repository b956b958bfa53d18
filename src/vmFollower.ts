/** Tells the root actor when the VM goes and comes, as long as this process leads. */
import type { Logger } from 'pino';
import type { VmState } from './adapters/ssh/index.ts';
import { GATEWAY } from './machines/addresses.ts';
import type { Gateway } from './wiring.ts';

/** Before the first attempt to connect has ended. */
const UNDECIDED = 'connecting';

export interface VmFollower {
  /** For `/health`. */
  name(): string;
  /** A process that begins to lead tells how it stands: the root has forgotten what another process told it. */
  tell(): void;
}

/** Undefined without a VM. */
export function followVm({ vm, runtime, metrics }: Gateway, log: Logger): VmFollower | undefined {
  if (vm === undefined) return undefined;
  let was = vm.state();
  const tell = (state: VmState): void => {
    if (!runtime.stats().leading || (!state.up && state.reason === UNDECIDED)) return;
    const type = state.up ? 'SYSTEM.UP' : 'SYSTEM.DOWN';
    const event = { type, at: state.since, system: 'vm', reason: state.reason };
    runtime
      .deliver([{ to: GATEWAY, event, dedupKey: `vm/${type}/${state.since}/${state.reason}/${Date.now()}` }])
      .catch((error: unknown) => log.error({ err: error }, 'could not tell the root of the VM'));
  };
  vm.onState((state) => {
    log.info({ ...state }, 'VM connection');
    if (state.up && !was.up) metrics.reconnects.inc({ link: 'vm' });
    was = state;
    tell(state);
  });
  return {
    name: () => {
      const { up, reason } = vm.state();
      return up ? 'up' : reason === UNDECIDED ? UNDECIDED : 'down';
    },
    tell: () => tell(vm.state()),
  };
}
