/**
 * Only so many containers come up at the same time: builds take all of the VM's processors and of its disk's time. Who may is
 * read from what is committed, so nothing is held by a process that ends.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EffectHandlers } from '../../actors/index.ts';
import type { Address } from '../../machines/addresses.ts';
import type { Json } from '../../machines/json.ts';
import { withNews } from './news.ts';
import type { VmWorkspace } from './ports.ts';

const LOOK_EVERY_MS = 1_000;

export interface AdmissionPorts extends Pick<VmWorkspace, 'runtime' | 'vmState' | 'now'> {
  /** States of all containers. */
  readonly states: () => Promise<
    readonly { readonly address: Address; readonly status: string; readonly value: Json }[]
  >;
  /** How many may be on their way up. */
  readonly most: number;
}

export function admissionHandlers(ports: AdmissionPorts) {
  /** Let in, but not seen on their way yet. */
  const granted = new Map<Address, number>();
  return {
    'workspace.admit': (request, context) =>
      withNews(ports, request, context, async (say) => {
        const { container, generation } = request.params;
        for (;;) {
          const others = (await ports.states()).filter(({ address }) => address !== container);
          for (const { address, value } of others) if (!isQueued(value)) granted.delete(address);
          // One that was set aside is not on its way, wherever it stopped; it would hold its place for ever.
          const active = others.filter(({ status }) => status === 'active');
          const busy = active.filter(({ address, value }) => isComingUp(value) || granted.has(address)).length;
          if (busy < ports.most) break;
          say(`Waiting until fewer containers are being prepared (${busy} are) …`);
          await sleep(LOOK_EVERY_MS, undefined, { signal: context.signal });
        }
        granted.set(container, generation);
      }),
  } satisfies EffectHandlers;
}

function isQueued(value: Json): boolean {
  return stepOf(value) === 'queued';
}

function isComingUp(value: Json): boolean {
  const step = stepOf(value);
  return step !== undefined && step !== 'queued';
}

/** Of the way up, for the first time or again. */
function stepOf(value: Json): Json | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if ('starting' in value) return value.starting;
  return 'recovering' in value ? value.recovering : undefined;
}
