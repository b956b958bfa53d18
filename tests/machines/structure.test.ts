import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { complaints, definitions } from './support.ts';

interface Node {
  readonly path: readonly string[];
  readonly type: string;
  readonly tags: readonly string[];
  readonly always?: readonly unknown[] | undefined;
  readonly states: Readonly<Record<string, Node>>;
  readonly parent?: Node;
}

function leaves(node: Node): Node[] {
  const children = Object.values(node.states);
  return children.length === 0 ? [node] : children.flatMap(leaves);
}

function tagsWithParents(node: Node): string[] {
  return [...node.tags, ...(node.parent ? tagsWithParents(node.parent) : [])];
}

for (const definition of definitions()) {
  test(`the chart of a ${definition.kind} can be made durable`, () => {
    assert.equal(complaints(definition), []);
  });

  test(`every state of a ${definition.kind} is moved on by something, or waits for somebody`, () => {
    const root = definition.machine.root as unknown as Node;
    const untagged = leaves(root)
      .filter((leaf) => !tagsWithParents(leaf).some((tag) => tag === 'busy' || tag === 'waiting'))
      .filter((leaf) => (leaf.always ?? []).length === 0)
      .map((leaf) => leaf.path.join('.'));
    assert.equal(untagged, []);
  });
}

test.run();
