/** A chart as a Mermaid state diagram, for documents. https://mermaid.js.org/syntax/stateDiagram.html */
import type { ChartModel, ChartNode, ChartTransition } from './model.ts';

export function chartMermaid({ root, transitions }: ChartModel): string {
  const lines = ['stateDiagram-v2'];
  for (const child of root.children) writeState(child, 1, lines);
  if (root.initial !== undefined) lines.push(`  [*] --> ${name(root.initial)}`);
  for (const transition of transitions) {
    const label = labelOf(transition);
    for (const target of transition.targets) {
      // The diagram has no box for the root itself; what starts there starts anywhere.
      if (transition.source === root.id) lines.push(`  %% anywhere --> ${name(target)} : ${label}`);
      else lines.push(`  ${name(transition.source)} --> ${name(target)} : ${label}`);
    }
    if (transition.targets.length === 0) lines.push(`  %% in ${name(transition.source)} : ${label}`);
  }
  return `${lines.join('\n')}\n`;
}

function writeState(node: ChartNode, depth: number, lines: string[]): void {
  const indent = '  '.repeat(depth);
  const id = name(node.id);
  if (node.kind === 'history') {
    lines.push(`${indent}state "H${node.deep ? '*' : ''}" as ${id}`);
    return;
  }
  lines.push(`${indent}state "${node.name}" as ${id}`);
  if (node.kind === 'final') lines.push(`${indent}${id} --> [*]`);
  if (node.children.length === 0) return;
  lines.push(`${indent}state ${id} {`);
  if (node.initial !== undefined) lines.push(`${indent}  [*] --> ${name(node.initial)}`);
  for (const [index, child] of node.children.entries()) {
    if (node.kind === 'parallel' && index > 0) lines.push(`${indent}  --`);
    writeState(child, depth + 1, lines);
  }
  lines.push(`${indent}}`);
}

/** Colons and semicolons end a label. */
function labelOf({ event, guard, actions }: ChartTransition): string {
  const text = `${event}${guard === '' ? '' : ` [${guard}]`}${actions.length === 0 ? '' : ` / ${actions.join(', ')}`}`;
  return text.replaceAll(':', '').replaceAll(';', ',');
}

function name(id: string): string {
  return id.replaceAll(/[^A-Za-z0-9]/g, '_');
}
