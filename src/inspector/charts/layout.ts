/** Gives every box, dot and arrow of a chart its place, with ELK's layered layout in a worker thread. */
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { ElkExtendedEdge, ElkNode } from 'elkjs/lib/elk-api.js';
import { type Arrow, type ChartGraph, METRICS, type Shape, type Size } from './graph.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export type Box = Point & Size;

export interface PlacedShape {
  readonly shape: Shape;
  /** In the picture, not in its parent. */
  readonly box: Box;
  readonly parent: string | undefined;
}

export interface PlacedArrow {
  readonly arrow: Arrow;
  readonly points: readonly (readonly Point[])[];
  readonly label: Box | undefined;
}

export interface PlacedChart {
  readonly id: string;
  readonly size: Size;
  /** Parents before children. */
  readonly shapes: readonly PlacedShape[];
  readonly arrows: readonly PlacedArrow[];
}

/**
 * Going through a chart depth first from its initial dots decides which arrows point up: charts then read from the top.
 * (Keeping the order of the sources with `considerModelOrder` crashes elkjs 0.12.1 inside nested states.)
 */
const EVERYWHERE = {
  'elk.layered.cycleBreaking.strategy': 'DEPTH_FIRST',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
};

const TOP = {
  ...EVERYWHERE,
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.layered.spacing.nodeNodeBetweenLayers': '22',
  'elk.layered.spacing.edgeNodeBetweenLayers': '12',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '8',
  'elk.spacing.nodeNode': '22',
  'elk.spacing.edgeNode': '14',
  'elk.spacing.edgeEdge': '10',
  'elk.spacing.edgeLabel': '4',
  'elk.spacing.labelNode': '6',
  'elk.spacing.nodeSelfLoop': '14',
};

const MARGIN = 12;
const LAYOUT_LIMIT_MS = 60_000;

/** How often a chart is laid out again because a box was narrower than its own text. */
const PASSES = 4;

/** @throws Error if the layout fails or takes longer than a minute. */
export async function layOut(graph: ChartGraph): Promise<PlacedChart> {
  const wider = new Map<string, number>();
  for (let pass = 1; ; pass += 1) {
    const placed = readBack(graph, await runElk(toElk(graph, wider)));
    const narrow = placed.shapes.filter(({ shape, box }) => box.width < shape.size.width);
    if (narrow.length === 0 || pass === PASSES) return placed;
    // ELK does not keep a minimum width across levels; room at the right does the same.
    for (const { shape, box } of narrow) {
      wider.set(shape.id, (wider.get(shape.id) ?? 0) + Math.ceil(shape.size.width - box.width));
    }
  }
}

type Widths = ReadonlyMap<string, number>;

function toElk({ root, arrows }: ChartGraph, wider: Widths): ElkNode {
  return {
    id: '/',
    layoutOptions: { ...TOP, 'elk.padding': `[top=${MARGIN},left=${MARGIN},bottom=${MARGIN},right=${MARGIN}]` },
    children: [elkShape(root, wider)],
    edges: arrows.map(({ id, from, to, lines, size }) => ({
      id,
      sources: [from],
      targets: [to],
      labels:
        lines.length === 0
          ? []
          : [{ text: lines.join('\n'), ...size, layoutOptions: { 'elk.edgeLabels.inline': 'true' } }],
    })),
  };
}

function elkShape({ id, size, children }: Shape, wider: Widths): ElkNode {
  if (children.length === 0) return { id, ...size };
  const side = METRICS.padding + 2;
  const right = side + (wider.get(id) ?? 0);
  return {
    id,
    children: children.map((child) => elkShape(child, wider)),
    layoutOptions: {
      ...EVERYWHERE,
      'elk.padding': `[top=${size.height + 4},left=${side},bottom=${side},right=${right}]`,
    },
  };
}

/**
 * The whole program of the thread. As text, not as a file: a worker thread does not get the loader that lets sources run as
 * they are, so a file would have to exist in two forms.
 */
const THREAD = `
const { parentPort, workerData } = require('node:worker_threads');
const Elk = require(workerData.elk);
new Elk().layout(workerData.graph).then((placed) => parentPort.postMessage(placed));
`;
const ELK = createRequire(import.meta.url).resolve('elkjs/lib/elk.bundled.js');

function runElk(graph: ElkNode): Promise<ElkNode> {
  const worker = new Worker(THREAD, { eval: true, workerData: { elk: ELK, graph }, execArgv: [] });
  return new Promise<ElkNode>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the layout of a chart took too long')), LAYOUT_LIMIT_MS);
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the layout of a chart ended with ${code}`));
    });
  }).finally(() => worker.terminate());
}

/** Shapes are relative to their parent, arrows to the shape that ELK names as their container. */
function readBack(graph: ChartGraph, elk: ElkNode): PlacedChart {
  const origins = new Map<string, Point>([[elk.id, { x: 0, y: 0 }]]);
  const shapes: PlacedShape[] = [];
  const place = (shape: Shape, node: ElkNode, origin: Point, parent: string | undefined): void => {
    const at = { x: round(origin.x + (node.x ?? 0)), y: round(origin.y + (node.y ?? 0)) };
    origins.set(shape.id, at);
    shapes.push({ shape, box: { ...at, width: round(node.width ?? 0), height: round(node.height ?? 0) }, parent });
    for (const [index, child] of shape.children.entries()) {
      const placed = node.children?.[index];
      if (placed !== undefined) place(child, placed, at, shape.id);
    }
  };
  const [top] = elk.children ?? [];
  if (top === undefined) throw new Error('the layout of a chart lost its root');
  place(graph.root, top, { x: 0, y: 0 }, undefined);
  const edges = new Map((elk.edges ?? []).map((edge) => [edge.id, edge]));
  return {
    id: graph.id,
    size: { width: round(elk.width ?? 0), height: round(elk.height ?? 0) },
    shapes,
    arrows: graph.arrows.map((arrow) => placeArrow(arrow, edges.get(arrow.id), origins)),
  };
}

function placeArrow(arrow: Arrow, edge: ElkExtendedEdge | undefined, origins: ReadonlyMap<string, Point>): PlacedArrow {
  const origin = origins.get(containerOf(edge)) ?? { x: 0, y: 0 };
  const moved = ({ x, y }: Point): Point => ({ x: round(origin.x + x), y: round(origin.y + y) });
  const [label] = edge?.labels ?? [];
  return {
    arrow,
    points: (edge?.sections ?? []).map(({ startPoint, bendPoints, endPoint }) =>
      [startPoint, ...(bendPoints ?? []), endPoint].map(moved),
    ),
    label:
      label === undefined || arrow.lines.length === 0
        ? undefined
        : { ...moved({ x: label.x ?? 0, y: label.y ?? 0 }), ...arrow.size },
  };
}

function containerOf(edge: ElkExtendedEdge | undefined): string {
  return edge !== undefined && 'container' in edge ? String(edge.container) : '/';
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
