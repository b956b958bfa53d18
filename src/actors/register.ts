/**
 * What a chart may not use, found when it is registered and said with the state's path: everything that XState would keep
 * in memory only, what it would take for something else, and states that do not say what moves them on.
 */
import type { ActorKind } from '../machines/addresses.ts';
import { complaintAboutDelay, delayUses, pathOf } from './delays.ts';
import type { KindDefinition, SupervisionPolicy, TaskRunners } from './types.ts';

export interface RegisteredKind extends KindDefinition {
  readonly supervision: SupervisionPolicy;
}

const DEFAULT_POLICY: SupervisionPolicy = { maxAttempts: 3, parkAfter: 3, windowMs: 60_000, inboxLimit: 1000 };

/** Built-in actions that end within the step or become part of the envelope. */
const DURABLE = new Set([
  'xstate.assign',
  'xstate.raise',
  'xstate.cancel',
  'xstate.stopChild',
  'xstate.enqueueActions',
  'xstate.log',
]);

type Node = KindDefinition['machine']['root'];

/** @throws Error with every complaint, each with the path of its state. */
export function registerKinds(
  kinds: readonly KindDefinition[],
  tasks: TaskRunners,
): ReadonlyMap<ActorKind, RegisteredKind> {
  const registered = new Map<ActorKind, RegisteredKind>();
  for (const definition of kinds) {
    if (registered.has(definition.kind)) throw new Error(`Kind "${definition.kind}" is registered twice`);
    const complaints = complaintsOf(definition, tasks);
    if (complaints.length > 0) {
      throw new Error(`Chart "${definition.machine.id}" cannot be made durable:\n- ${complaints.join('\n- ')}`);
    }
    registered.set(definition.kind, { ...definition, supervision: { ...DEFAULT_POLICY, ...definition.policy } });
  }
  return registered;
}

/** Every reason why a chart cannot be registered; empty if it can. */
export function complaintsOf({ machine, version, migrate }: KindDefinition, tasks: TaskRunners): string[] {
  const complaints: string[] = [];
  if (!Number.isInteger(version) || version < 1) complaints.push(`version ${version} is not a positive integer`);
  for (let from = 1; from < version; from += 1) {
    if (migrate?.[from] === undefined) complaints.push(`migrate[${from}] is missing`);
  }
  for (const [name, action] of Object.entries(machine.implementations.actions)) {
    complainAboutAction(action, `action "${name}"`);
  }
  for (const use of delayUses(machine)) {
    const complaint = complaintAboutDelay(machine, use);
    if (complaint !== undefined) complaints.push(complaint);
  }
  visit(machine.root, false);
  return complaints;

  function visit(node: Node, taggedAbove: boolean): void {
    const path = pathOf(node);
    const tagged = taggedAbove || node.tags.some((tag) => tag === 'busy' || tag === 'waiting');
    if (node.type === 'atomic' && !tagged && !isPassage(node)) {
      complaints.push(`${path}: tagged neither busy (something moves it on) nor waiting (only the outside can)`);
    }
    for (const action of node.entry) complainAboutAction(action, `${path}: entry`);
    for (const action of node.exit) complainAboutAction(action, `${path}: exit`);
    const transitions = [...node.transitions.values()].flat();
    for (const transition of [...transitions, ...(node.always ?? [])]) {
      const on = transition.eventType === '' ? 'always' : `on ${transition.eventType}`;
      for (const action of transition.actions) complainAboutAction(action, `${path}: ${on}`);
    }
    if (node.type === 'compound') {
      for (const action of node.initial.actions) complainAboutAction(action, `${path}: initial`);
    }
    const invokes: unknown = node.config.invoke ?? [];
    for (const invoke of Array.isArray(invokes) ? invokes : [invokes]) complainAboutInvoke(invoke, path);
    for (const child of Object.values(node.states)) visit(child, tagged);
  }

  function complainAboutAction(action: unknown, where: string): void {
    if (typeof action === 'function') {
      if ('resolve' in action) complainAboutBuiltIn('type' in action ? String(action.type) : '', where);
      else if (!where.startsWith('action ')) complaints.push(`${where} has an inline action; name it in setup()`);
      return;
    }
    const name = typeof action === 'string' ? action : nameOf(action);
    if (name.startsWith('xstate.')) complainAboutBuiltIn(name, where);
    else if (!(name in machine.implementations.actions)) complaints.push(`${where} names unknown action "${name}"`);
  }

  function complainAboutBuiltIn(type: string, where: string): void {
    if (!DURABLE.has(type)) complaints.push(`${where} uses ${type}, which does not survive a restart; use an effect`);
  }

  function complainAboutInvoke(invoke: unknown, path: string): void {
    const { id, src, systemId } = (invoke ?? {}) as { id?: unknown; src?: unknown; systemId?: unknown };
    if (typeof src !== 'string') {
      complaints.push(`${path}: invoke with an inline or nested machine; register the source by name`);
      return;
    }
    if (typeof id !== 'string' || id === '') complaints.push(`${path}: invoke of "${src}" needs an explicit id`);
    if (systemId !== undefined) complaints.push(`${path}: invoke of "${src}" may not have a systemId`);
    const logic: unknown = machine.implementations.actors[src];
    if (logic === undefined) complaints.push(`${path}: invoke of "${src}", which setup({ actors }) does not declare`);
    else if (typeof logic === 'object' && logic !== null && '__xstatenode' in logic) {
      complaints.push(`${path}: invoke of "${src}", a nested machine; make it an actor kind of its own`);
    }
    if (tasks[src] === undefined)
      complaints.push(`${path}: invoke of "${src}", for which no task runner is registered`);
  }
}

/** Always left in the step that enters it. */
function isPassage({ always = [] }: Node): boolean {
  return always.some(({ guard }) => guard === undefined);
}

function nameOf(action: unknown): string {
  return typeof action === 'object' && action !== null && 'type' in action ? String(action.type) : '';
}
