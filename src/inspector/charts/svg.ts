/** A placed chart as SVG. Classes carry the looks; ids of states and transitions are in data attributes for the live view. */

import { METRICS } from './graph.ts';
import type { PlacedArrow, PlacedChart, PlacedShape, Point } from './layout.ts';

export interface SvgOptions {
  /** Style sheet to put into the file, so that it stands alone. Left out, the page around it brings the style. */
  readonly style?: string;
  readonly title: string;
}

/** The same chart always gives the same text. */
export function chartSvg(chart: PlacedChart, { style, title }: SvgOptions): string {
  const { width, height } = chart.size;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${xml(title)}">`,
    `<title>${xml(title)}</title>`,
    ...(style === undefined ? [] : [`<style>${style.replaceAll('<', '')}</style>`]),
    '<defs>',
    '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="9" markerHeight="9" orient="auto-start-reverse"><path class="tip" d="M0 0.5 8 4 0 7.5z"/></marker>',
    '<marker id="tip-lit" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="9" markerHeight="9" orient="auto-start-reverse"><path class="tip lit" d="M0 0.5 8 4 0 7.5z"/></marker>',
    '</defs>',
    ...chart.shapes.map(shapeSvg),
    ...chart.arrows.map(arrowSvg),
    ...chart.arrows.map(labelSvg).filter((label) => label !== ''),
    '</svg>\n',
  ].join('\n');
}

function shapeSvg({ shape, box }: PlacedShape): string {
  const { x, y, width, height } = box;
  const cx = x + width / 2;
  const cy = y + height / 2;
  switch (shape.kind) {
    case 'initial':
      return `<circle class="initial" cx="${cx}" cy="${cy}" r="${width / 2}"/>`;
    case 'anywhere':
      return `<circle class="anywhere" cx="${cx}" cy="${cy}" r="${width / 2 - 1}"><title>from anywhere in here</title></circle>`;
    case 'history':
      return `<g class="node history" data-node="${xml(shape.id)}"><circle cx="${cx}" cy="${cy}" r="${width / 2}"/><text class="name" x="${cx}" y="${cy + 4}" text-anchor="middle">H${shape.node?.deep ? '*' : ''}</text></g>`;
    case 'atomic':
    case 'compound':
    case 'parallel':
    case 'final':
      return boxSvg({ shape, box, parent: undefined });
  }
}

function boxSvg({ shape, box }: PlacedShape): string {
  const { x, y, width, height } = box;
  const { padding, nameHeight, lineHeight } = METRICS;
  const { node } = shape;
  const classes = ['node', shape.kind, ...(node?.region ? ['region'] : []), ...(node?.tags ?? [])];
  const tasks = node?.tasks.map(({ id }) => id).join(' ') ?? '';
  const data = `data-node="${xml(shape.id)}"${tasks === '' ? '' : ` data-tasks="${xml(tasks)}"`}`;
  const lineY = (index: number) => y + padding + nameHeight + 4 + (index + 0.75) * lineHeight;
  return [
    `<g class="${classes.join(' ')}" ${data}>`,
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="8"/>`,
    ...(shape.kind === 'final'
      ? [`<rect class="inner" x="${x + 3}" y="${y + 3}" width="${width - 6}" height="${height - 6}" rx="6"/>`]
      : []),
    `<text class="name" x="${x + padding}" y="${y + padding + 12}">${xml(node?.name ?? '')}</text>`,
    ...shape.lines.map(
      ({ text, tone }, index) =>
        `<text class="line ${tone}" x="${x + padding}" y="${round(lineY(index))}" xml:space="preserve">${xml(text)}</text>`,
    ),
    '</g>',
  ].join('');
}

function arrowSvg({ arrow, points }: PlacedArrow): string {
  const path = points.map(roundedPath).join('');
  const events = arrow.transitions.map(({ eventType }) => eventType).join(' ');
  const data = `data-edge="${xml(arrow.id)}" data-source="${xml(arrow.source)}" data-target="${xml(arrow.to)}" data-events="${xml(events)}"`;
  const kind = arrow.transitions.length === 0 ? 'edge first' : 'edge';
  return `<path class="${kind}" ${data} d="${path}" marker-end="url(#tip)"/>`;
}

function labelSvg({ arrow, label }: PlacedArrow): string {
  if (label === undefined) return '';
  const { x, y, width, height } = label;
  const lines = arrow.lines.map((text, index) => {
    const done = arrow.transitions[index]?.actions ?? [];
    const tip = done.length === 0 ? '' : `<title>${xml(`${text} / ${done.join(', ')}`)}</title>`;
    const at = round(y + 2 + (index + 0.75) * METRICS.lineHeight);
    return `<text class="event" x="${round(x + width / 2)}" y="${at}" text-anchor="middle">${tip}${xml(text)}</text>`;
  });
  return `<g class="label" data-label="${xml(arrow.id)}"><rect x="${x}" y="${y}" width="${width}" height="${height}" rx="3"/>${lines.join('')}</g>`;
}

/** A way of right angles with its corners taken off. */
function roundedPath(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  let path = `M${first.x} ${first.y}`;
  let before = first;
  for (const [index, point] of rest.entries()) {
    const next = rest[index + 1];
    if (next === undefined) {
      path += `L${point.x} ${point.y}`;
      break;
    }
    const into = towards(point, before);
    const out = towards(point, next);
    path += `L${into.x} ${into.y}Q${point.x} ${point.y} ${out.x} ${out.y}`;
    before = point;
  }
  return path;
}

const CORNER = 6;

function towards(from: Point, to: Point): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const part = length === 0 ? 0 : Math.min(CORNER, length / 2) / length;
  return { x: round(from.x + (to.x - from.x) * part), y: round(from.y + (to.y - from.y) * part) };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function xml(text: string): string {
  return (
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      // Not allowed in XML at all.
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '')
  );
}
