// @limit 240
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decide, restore } from '../../src/actors/scope.ts';
import type { Json } from '../../src/machines/json.ts';
import {
  definitionFor,
  type Explored,
  explore,
  outcomesOf,
  type Place,
  SUBJECTS,
  type Subject,
} from './exploration.ts';
import { complaints, definitions } from './support.ts';

/** Nothing more is asked of these, and nobody waits for them. */
const ENDS: Readonly<Record<string, readonly string[]>> = {
  approval: ['settled.granted', 'settled.denied', 'settled.expired', 'withdrawn', 'closed'],
};
const MOST = 4_000;

interface Node {
  readonly id: string;
  readonly path: readonly string[];
  readonly type: string;
  readonly tags: readonly string[];
  readonly always?: readonly { readonly guard?: unknown }[] | undefined;
  readonly parent?: Node | undefined;
  readonly states: Readonly<Record<string, Node>>;
}

const rootOf = (subject: Subject): Node => definitionFor(subject).machine.root;
const pathOf = (node: Node): string => node.path.join('.');
const within = (node: Node): Node[] => [node, ...Object.values(node.states).flatMap(within)];
const upwards = (node: Node): Node[] => [node, ...(node.parent ? upwards(node.parent) : [])];
const isLeaf = (node: Node): boolean => Object.keys(node.states).length === 0;
/** It is always left in the step that enters it. */
const isPassage = ({ always }: Node): boolean => always?.at(-1)?.guard === undefined && (always?.length ?? 0) > 0;

/** The innermost active states. */
function activeLeaves(node: Node, value: Json): Node[] {
  const child = (name: string, inner: Json): Node[] => {
    const found = node.states[name];
    return found ? activeLeaves(found, inner) : [];
  };
  if (isLeaf(node)) return [node];
  if (typeof value === 'string') return child(value, null);
  return Object.entries(value ?? {}).flatMap(([name, inner]) => child(name, inner ?? null));
}

const leavesOf = (subject: Subject, place: Place) =>
  activeLeaves(rootOf(subject), place.envelope.snapshot.value ?? null);

const explored = new Map<Subject, Explored>();
function seen(subject: Subject): Explored {
  const known = explored.get(subject) ?? explore(subject, MOST);
  explored.set(subject, known);
  return known;
}

const kinds = [...new Set(SUBJECTS.map(({ kind }) => kind))];

test('every kind is explored', () => {
  assert.equal(
    [...kinds].sort(),
    definitions()
      .map(({ kind }) => kind)
      .sort(),
  );
});

for (const kind of kinds) {
  const subjects = SUBJECTS.filter((subject) => subject.kind === kind);
  const [subject] = subjects;
  if (!subject) continue;
  const leaves = within(rootOf(subject)).filter((node) => isLeaf(node) && !isPassage(node));

  test(`every state of a ${kind} can be reached`, () => {
    const reached = new Set(
      subjects.flatMap((each) => seen(each).moves.flatMap(({ to }) => leavesOf(each, to).map(pathOf))),
    );
    for (const each of subjects)
      for (const place of seen(each).places) for (const leaf of leavesOf(each, place)) reached.add(pathOf(leaf));
    assert.equal(
      leaves.map(pathOf).filter((path) => !reached.has(path)),
      [],
    );
  });

  test(`no state of a ${kind} is a dead end, but for those that are meant to be`, () => {
    const left = new Set<string>();
    for (const each of subjects) {
      for (const { from, to } of seen(each).moves) {
        const still = leavesOf(each, to).map(pathOf);
        for (const leaf of leavesOf(each, from).map(pathOf)) if (!still.includes(leaf)) left.add(leaf);
      }
    }
    const stuck = leaves.map(pathOf).filter((path) => !left.has(path));
    assert.equal(stuck.sort(), [...(ENDS[kind] ?? [])].sort());
  });

  test(`a ${kind} that is busy has a task, a timer or a request that moves it on, whatever led there`, () => {
    const idle = new Set<string>();
    for (const each of subjects) {
      for (const { to } of seen(each).moves) {
        for (const leaf of leavesOf(each, to)) {
          if (upwards(leaf).some(({ tags }) => tags.includes('busy')) && !movesOn(each, to, leaf)) {
            idle.add(`${pathOf(leaf)} after ${to.path.join(' ')}`);
          }
        }
      }
    }
    assert.equal([...idle], []);
  });

  test(`the chart of a ${kind} can be made durable, and every state of it says whether it is busy or waits`, () => {
    assert.equal(complaints(definitionFor(subject)), []);
  });
}

/** By its own timer, a task of a state it is in, or an outcome that the chart takes there. */
function movesOn(subject: Subject, { envelope, pending, now }: Place, leaf: Node): boolean {
  const around = upwards(leaf).map(({ id }) => id);
  if (Object.keys(envelope.timers).some((id) => around.some((node) => id.endsWith(`.${node}`)))) return true;
  if (Object.values(envelope.tasks).some(({ ended }) => !ended)) return true;
  const { machine } = definitionFor(subject);
  return pending.some((effect) =>
    outcomesOf(effect).some((outcome) => {
      const snapshot = restore(machine, envelope.snapshot, envelope.tasks);
      const after = decide(machine, snapshot, { ...outcome, at: now }).snapshot;
      return !activeLeaves(machine.root, after.value as Json).some(({ id }) => id === leaf.id);
    }),
  );
}

test.run();
