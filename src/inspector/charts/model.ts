/**
 * A machine as a picture needs it: states, and what moves between them, in words. Read from the machine as XState resolved
 * it, so the picture cannot differ from what runs.
 */
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { actionText, delayText, eventText, guardText } from './words.ts';

export type NodeKind = 'atomic' | 'compound' | 'parallel' | 'final' | 'history';

export interface ChartNode {
  /** `session.active.open`: the machine's id and the path, as active states are named, too. */
  readonly id: string;
  readonly name: string;
  readonly kind: NodeKind;
  /** A child of a parallel state: active together with its siblings. */
  readonly region: boolean;
  readonly children: readonly ChartNode[];
  /** Where a compound state begins. */
  readonly initial: string | undefined;
  /** Deep history remembers the states below, too. */
  readonly deep: boolean;
  readonly tasks: readonly { readonly id: string; readonly src: string }[];
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly tags: readonly string[];
}

export interface ChartTransition {
  /** `<source>#<number>`, in the order of the chart. */
  readonly id: string;
  readonly source: string;
  /** Empty: handled without leaving the state. */
  readonly targets: readonly string[];
  /** As the journal has it; empty for transitions that need no event. */
  readonly eventType: string;
  /** `DETACH`, `after 30 s`, `done: link`, `always`. */
  readonly event: string;
  readonly guard: string;
  readonly actions: readonly string[];
}

export interface ChartModel {
  readonly id: string;
  readonly root: ChartNode;
  readonly transitions: readonly ChartTransition[];
}

export function chartModel(machine: AnyStateMachine): ChartModel {
  const transitions: ChartTransition[] = [];
  const root = readNode(machine.root, transitions);
  return { id: machine.id, root, transitions };
}

export function nodeId(node: AnyStateNode): string {
  return [node.machine.id, ...node.path].join('.');
}

function readNode(node: AnyStateNode, transitions: ChartTransition[]): ChartNode {
  const id = nodeId(node);
  readTransitions(node, id, transitions);
  return {
    id,
    name: node.key,
    kind: node.type,
    region: node.parent?.type === 'parallel',
    children: Object.values(node.states).map((child) => readNode(child, transitions)),
    initial: node.type === 'compound' ? firstTarget(node) : undefined,
    deep: node.history === 'deep',
    tasks: node.invoke.map((invoke) => ({ id: invoke.id, src: String(invoke.src) })),
    entry: actionsOf(node.entry),
    exit: actionsOf(node.exit),
    tags: [...node.tags],
  };
}

function firstTarget(node: AnyStateNode): string | undefined {
  const target = node.initial?.target?.[0];
  return target === undefined ? undefined : nodeId(target);
}

function readTransitions(node: AnyStateNode, source: string, into: ChartTransition[]): void {
  const delays = new Map(node.after.map(({ eventType, delay }) => [eventType, delayText(delay)]));
  const all = [...[...node.transitions.values()].flat(), ...(node.always ?? [])];
  for (const [index, transition] of all.entries()) {
    const { eventType } = transition;
    into.push({
      id: `${source}#${index}`,
      source,
      targets: (transition.target ?? []).map(nodeId),
      eventType,
      event: delays.get(eventType) ?? eventText(eventType),
      guard: guardText(transition.guard),
      actions: actionsOf(transition.actions),
    });
  }
}

/** XState keeps `after` as actions of its own; here they are transitions already. */
function actionsOf(actions: readonly unknown[]): string[] {
  return actions.map(actionText).filter((name) => name !== 'xstate.raise' && name !== 'xstate.cancel');
}

/** Every node, parents before children. */
export function allNodes(root: ChartNode): ChartNode[] {
  return [root, ...root.children.flatMap(allNodes)];
}
