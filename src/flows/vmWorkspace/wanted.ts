/** Long steps end when nobody wants them any more: a build that a person has stopped must not run to its end. */

import type { ActorView } from '../../actors/index.ts';
import { failureOf, type Log, TerminalError } from '../../actors/index.ts';
import type { Address } from '../../machines/addresses.ts';
import type { VmWorkspace } from './ports.ts';

const LOOK_EVERY_MS = 1_000;

export interface Wanted {
  readonly actor: Address;
  /** Whether the actor that asked still waits for it. */
  isWanted(view: ActorView): boolean;
}

/**
 * Runs a step that is aborted once it is not wanted. What is committed decides; if that cannot be read, the step goes on.
 * @throws TerminalError NOT_WANTED
 */
export async function whileWanted<Result>(
  { runtime }: Pick<VmWorkspace, 'runtime'>,
  { actor, isWanted }: Wanted,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Log },
  step: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const ending = new AbortController();
  const giveUp = (): void => ending.abort(signal.reason);
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  let unwanted = false;
  const look = setInterval(() => {
    runtime.read(actor).then(
      (view) => {
        if (view === undefined || isWanted(view)) return;
        unwanted = true;
        ending.abort(notWanted(actor));
      },
      (error: unknown) => log.debug({ reason: failureOf(error).message, actor }, 'it could not be seen who waits'),
    );
  }, LOOK_EVERY_MS);
  try {
    return await step(ending.signal);
  } catch (error) {
    throw unwanted ? notWanted(actor) : error;
  } finally {
    clearInterval(look);
    signal.removeEventListener('abort', giveUp);
  }
}

function notWanted(actor: Address): TerminalError {
  return new TerminalError('NOT_WANTED', `${actor} does not wait for it any more`, { human: 'It was stopped.' });
}

/** A container that is on its way up or recovers, in the generation that asked. */
export function isComingUp(generation: number): Wanted['isWanted'] {
  return ({ value, context }) =>
    context.generation === generation && typeof value === 'object' && value !== null && !('running' in value);
}

/** A session that waits for its checkout. */
export function isOpening({ value }: ActorView): boolean {
  return typeof value === 'object' && value !== null && 'opening' in value;
}
