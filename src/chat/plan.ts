/** The plan of an ExitPlanMode call. */
import { parseInput } from './render/input.ts';

/** Code points of a plan that its card holds. */
const CARD_MAX = 3_000;

export function planOf(inputJson: string): string {
  const { plan } = parseInput(inputJson);
  return typeof plan === 'string' ? plan : '';
}

/** Longer than its card: shown in the thread, in as many posts as it takes. */
export function isLongPlan(plan: string): boolean {
  return plan.length > CARD_MAX && [...plan].length > CARD_MAX;
}
