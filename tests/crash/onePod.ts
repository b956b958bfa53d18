/** The world of a test with one gateway: started, and listening to the chat. */
import { type Board, followBoard } from './board.ts';
import { podOf, untilHealthy } from './fleet.ts';
import type { Pod } from './pod.ts';
import { untilListening } from './waiting.ts';
import { type CrashWorld, startWorld } from './world.ts';

export interface OnePod {
  world: CrashWorld;
  pod: Pod;
  board: Board;
}

/** @param context of a suite; filled as things start, so that `endOnePod` ends them also when a later one does not start */
export async function startOnePod(context: Partial<OnePod>): Promise<OnePod> {
  const world = await startWorld();
  context.world = world;
  const board = followBoard(world.chat);
  context.board = board;
  const pod = podOf(world, { sabotage: '' }, { name: 'gateway', port: world.callbackPort });
  context.pod = pod;
  await untilHealthy(pod);
  await untilListening(world);
  return { world, pod, board };
}

export async function endOnePod({ pod, world }: Partial<OnePod>): Promise<void> {
  await pod?.retire();
  await world?.stop();
}
