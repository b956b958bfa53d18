/**
 * What is drawn of a chart, with the size of every text: boxes, dots and arrows, before they have a place.
 *
 * Transitions with the same way are one arrow with a line each. A transition that leaves nothing is a line in its state's
 * box. One that leads from a state into itself starts at a small ring in it ("from anywhere in here").
 */
import type { ChartModel, ChartNode, ChartTransition } from './model.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Line {
  readonly text: string;
  readonly tone: 'task' | 'action' | 'inner' | 'quiet';
}

export type ShapeKind = ChartNode['kind'] | 'initial' | 'anywhere';

export interface Shape {
  readonly id: string;
  readonly kind: ShapeKind;
  readonly node: ChartNode | undefined;
  readonly lines: readonly Line[];
  /** Of its own texts; a compound grows around its children. */
  readonly size: Size;
  readonly children: readonly Shape[];
}

export interface Arrow {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** State at which it starts, also if it starts at a ring or dot in it. */
  readonly source: string;
  readonly transitions: readonly ChartTransition[];
  readonly lines: readonly string[];
  readonly size: Size;
}

export interface ChartGraph {
  readonly id: string;
  readonly root: Shape;
  readonly arrows: readonly Arrow[];
}

export const METRICS = {
  nameHeight: 18,
  lineHeight: 14,
  padding: 10,
  /** Fractions of the font's size; monospaced fonts are 0.6 wide, names are bold and may be wider. */
  nameChar: 13 * 0.69,
  lineChar: 10.5 * 0.605,
  dot: 10,
  ring: 14,
  history: 22,
  /** Characters after which a line is broken. */
  wrap: 44,
} as const;

export function chartGraph(model: ChartModel): ChartGraph {
  const arrows = new Map<string, { from: string; to: string; source: string; transitions: ChartTransition[] }>();
  const rings = new Set<string>();
  const parts = new Map<string, ChartNode>();
  const visit = (node: ChartNode): void => {
    parts.set(node.id, node);
    for (const child of node.children) visit(child);
  };
  visit(model.root);

  for (const transition of model.transitions) {
    for (const to of transition.targets) {
      const inside = to.startsWith(`${transition.source}.`);
      const selfInRoot = to === model.root.id;
      if (inside || selfInRoot) rings.add(transition.source);
      const from = inside || selfInRoot ? ringId(transition.source) : transition.source;
      const key = `${from} -> ${to}`;
      const arrow = arrows.get(key) ?? { from, to, source: transition.source, transitions: [] };
      arrow.transitions.push(transition);
      arrows.set(key, arrow);
    }
  }
  const dots: Arrow[] = [...parts.values()].flatMap(({ id, initial }) =>
    initial === undefined ? [] : [{ ...noWords, id: dotId(id), from: dotId(id), to: initial, source: id }],
  );
  return {
    id: model.id,
    root: shapeOf(model.root, model.transitions, rings),
    arrows: [
      ...dots,
      ...[...arrows].map(([id, arrow]) => {
        const lines = arrow.transitions.map(transitionText);
        return { id, ...arrow, lines, size: textSize(lines) };
      }),
    ],
  };
}

const noWords = { transitions: [], lines: [], size: { width: 0, height: 0 } } as const;

function ringId(node: string): string {
  return `${node}/anywhere`;
}

function dotId(node: string): string {
  return `${node}/initial`;
}

/** `EVENT [guard]`; what is done on the way is in the tooltip and in the journal. */
function transitionText({ event, guard }: ChartTransition): string {
  if (guard === '') return event;
  return event === 'always' ? `[${guard}]` : `${event} [${guard}]`;
}

function shapeOf(node: ChartNode, transitions: readonly ChartTransition[], rings: ReadonlySet<string>): Shape {
  const lines = linesOf(node, transitions);
  const children = node.children.map((child) => shapeOf(child, transitions, rings));
  const extras: Shape[] = [];
  if (node.initial !== undefined) extras.push(mark(dotId(node.id), 'initial', METRICS.dot));
  if (rings.has(node.id)) extras.push(mark(ringId(node.id), 'anywhere', METRICS.ring));
  return {
    id: node.id,
    kind: node.kind,
    node,
    lines,
    size: node.kind === 'history' ? { width: METRICS.history, height: METRICS.history } : boxSize(node.name, lines),
    children: [...extras, ...children],
  };
}

function mark(id: string, kind: ShapeKind, size: number): Shape {
  return { id, kind, node: undefined, lines: [], size: { width: size, height: size }, children: [] };
}

function boxSize(name: string, lines: readonly Line[]): Size {
  const { nameChar, lineChar, padding, nameHeight, lineHeight } = METRICS;
  const widest = Math.max(name.length * nameChar, ...lines.map(({ text }) => text.length * lineChar));
  return {
    width: Math.ceil(Math.max(64, widest + 2 * padding)),
    height: 2 * padding + nameHeight + lines.length * lineHeight + (lines.length > 0 ? 4 : 0),
  };
}

function textSize(lines: readonly string[]): Size {
  const widest = Math.max(0, ...lines.map((text) => text.length * METRICS.lineChar));
  return { width: Math.ceil(widest + 8), height: lines.length * METRICS.lineHeight + 4 };
}

/** Tasks, entry and exit, and what is handled in place: events with the same guard and actions share a line. */
function linesOf(node: ChartNode, transitions: readonly ChartTransition[]): Line[] {
  const lines: Line[] = node.tasks.map(({ id, src }) => ({ text: `runs ${id}: ${src}`, tone: 'task' }));
  if (node.entry.length > 0) lines.push(...wrapped('entry / ', node.entry, 'action'));
  if (node.exit.length > 0) lines.push(...wrapped('exit / ', node.exit, 'action'));
  const inner = new Map<string, { events: string[]; guard: string; actions: readonly string[] }>();
  for (const { source, targets, event, guard, actions } of transitions) {
    if (source !== node.id || targets.length > 0) continue;
    const key = `${guard} / ${actions.join(', ')}`;
    const group = inner.get(key) ?? { events: [], guard, actions };
    group.events.push(event);
    inner.set(key, group);
  }
  for (const { events, guard, actions } of inner.values()) {
    const after = `${guard === '' ? '' : ` [${guard}]`}${actions.length === 0 ? ' / -' : ` / ${actions.join(', ')}`}`;
    lines.push(...wrapped('', events, actions.length === 0 ? 'quiet' : 'inner', after));
  }
  return lines;
}

/** A list broken into lines after whole words; continued lines are set in. */
function wrapped(before: string, words: readonly string[], tone: Line['tone'], after = ''): Line[] {
  const pieces = [...words.map((word, index) => (index < words.length - 1 ? `${word},` : word))];
  const tail = after.trim() === '' ? [] : after.trim().split(' ');
  const lines: string[] = [];
  let line = before.trimEnd();
  for (const piece of [...pieces, ...tail]) {
    const longer = line === '' ? piece : `${line} ${piece}`;
    if (longer.length > METRICS.wrap && line.trim() !== '') {
      lines.push(line);
      line = `  ${piece}`;
    } else line = longer;
  }
  lines.push(line);
  return lines.map((text) => ({ text, tone }));
}
