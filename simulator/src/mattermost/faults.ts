/** What a failed request is answered with. */
export interface FaultAnswer {
  status: number;
  /** An object is sent as JSON, a string as `contentType` (default text/html). */
  body?: string | Record<string, unknown>;
  contentType?: string;
  headers?: Record<string, string>;
}

/** Which requests are meant. Absent parts fit everything; in a text path `*` stands for any run of characters. */
export interface FaultMatch {
  method?: string;
  /** Compared with the path without the query, e.g. `/api/v4/posts`. */
  path?: string | RegExp;
}

/** An answer that is lost on the way although the request was processed. */
export type LostAnswer = 'hang' | 'cut';

interface Planned<T> {
  left: number;
  match: FaultMatch;
  what: T;
}

/** The plans the request hooks look at. The knobs themselves are in faultKnobs.ts. */
export interface FaultState {
  delayMs: number;
  blackHoleNew: boolean;
  failing: Planned<FaultAnswer>[];
  losing: Planned<LostAnswer>[];
  random: { fraction: number; next: () => number; match: FaultMatch; answer: FaultAnswer } | undefined;
  /** Answers held back for ever; called at the end to let the requests go. */
  held: Set<() => void>;
}

export function createFaultState(): FaultState {
  return { delayMs: 0, blackHoleNew: false, failing: [], losing: [], random: undefined, held: new Set() };
}

/** The answer a request is failed with before it is looked at, or undefined. Uses up one of the planned ones. */
export function plannedFailure(state: FaultState, method: string, path: string): FaultAnswer | undefined {
  const planned = use(state.failing, method, path);
  if (planned !== undefined) return planned;
  const { random } = state;
  if (random && fits(random.match, method, path) && random.next() < random.fraction) return random.answer;
  return undefined;
}

/** How the answer to a processed request is lost, or undefined. Uses up one of the planned ones. */
export function plannedLoss(state: FaultState, method: string, path: string): LostAnswer | undefined {
  return use(state.losing, method, path);
}

function use<T>(plans: Planned<T>[], method: string, path: string): T | undefined {
  const at = plans.findIndex((plan) => fits(plan.match, method, path));
  const plan = plans[at];
  if (plan === undefined) return undefined;
  plan.left -= 1;
  if (plan.left <= 0) plans.splice(at, 1);
  return plan.what;
}

function fits(match: FaultMatch, method: string, path: string): boolean {
  if (match.method !== undefined && match.method.toUpperCase() !== method) return false;
  if (match.path === undefined) return true;
  const pattern = typeof match.path === 'string' ? wildcard(match.path) : match.path;
  return pattern.test(path);
}

function wildcard(path: string): RegExp {
  return new RegExp(
    `^${path
      .split('*')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  );
}

/** A small seeded generator (mulberry32): the same seed fails the same requests in every run. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
