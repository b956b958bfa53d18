/**
 * The delays of a chart. XState takes a delay that is no number for "at once", which could make a chart run in circles
 * within one step, and one that is NaN for never; here both are errors that name the state.
 */
import type { AnyStateMachine } from 'xstate';

type Node = AnyStateMachine['root'];

/** A delayed raise or an `after`, and the path of the state that has it. */
export interface DelayUse {
  readonly path: string;
  /** Milliseconds, or the name of a delay in `setup({ delays })`, or a function. */
  readonly delay: unknown;
}

export function pathOf(node: Node): string {
  return node.path.length === 0 ? '(root)' : node.path.join('.');
}

/** Every delay a chart uses. What `enqueueActions` asks for is not known before it runs. */
export function delayUses(machine: AnyStateMachine): DelayUse[] {
  const uses: DelayUse[] = [];
  visit(machine.root);
  return uses;

  function visit(node: Node): void {
    const transitions = [...node.transitions.values()].flat();
    const actions = [...transitions, ...(node.always ?? [])].flatMap((transition) => [...transition.actions]);
    if (node.type === 'compound') actions.push(...node.initial.actions);
    // `after` is an entry action of its state.
    for (const action of [...node.entry, ...node.exit, ...actions]) {
      const delay = delayIn(action);
      if (delay !== undefined) uses.push({ path: pathOf(node), delay });
    }
    for (const child of Object.values(node.states)) visit(child);
  }

  function delayIn(action: unknown): unknown {
    if (typeof action === 'function') return 'delay' in action ? action.delay : undefined;
    const name = typeof action === 'object' && action !== null && 'type' in action ? action.type : action;
    const named: unknown = typeof name === 'string' ? machine.implementations.actions[name] : undefined;
    return typeof named === 'function' && 'delay' in named ? named.delay : undefined;
  }
}

export function isDelay(ms: unknown): ms is number {
  return typeof ms === 'number' && Number.isFinite(ms) && ms >= 0;
}

/** What is wrong with a use of a delay before the chart has run; undefined if nothing is. */
export function complaintAboutDelay(machine: AnyStateMachine, { path, delay }: DelayUse): string | undefined {
  if (typeof delay === 'function') return `${path}: a delay is an inline function; name it in setup({ delays })`;
  if (typeof delay !== 'string') return isDelay(delay) ? undefined : `${path}: a delay of ${String(delay)} ms`;
  const declared: unknown = machine.implementations.delays[delay];
  if (declared === undefined) return `${path}: unknown delay "${delay}"`;
  if (typeof declared === 'function' || isDelay(declared)) return undefined;
  return `${path}: delay "${delay}" is ${String(declared)} ms`;
}

const checkedMachines = new WeakMap<AnyStateMachine, AnyStateMachine>();

/** The same chart, whose computed delays throw when they give anything but a number of milliseconds from 0 up. */
export function withCheckedDelays(machine: AnyStateMachine): AnyStateMachine {
  let checked = checkedMachines.get(machine);
  if (checked === undefined) {
    const uses = delayUses(machine);
    const delays = Object.entries(machine.implementations.delays).map(([name, delay]) => [
      name,
      typeof delay === 'function' ? checking(delay as (...args: unknown[]) => unknown, name) : delay,
    ]);
    checked = machine.provide({ delays: Object.fromEntries(delays) });
    checkedMachines.set(machine, checked);
    checkedMachines.set(checked, checked);

    function checking(delay: (...args: unknown[]) => unknown, name: string) {
      return (...args: unknown[]): number => {
        const ms = delay(...args);
        if (isDelay(ms)) return ms;
        const paths = uses.filter((use) => use.delay === name).map(({ path }) => path);
        throw new Error(`${paths.join(', ') || '(enqueued)'}: delay "${name}" gives ${String(ms)} ms`);
      };
    }
  }
  return checked;
}
