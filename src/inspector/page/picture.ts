/** A chart's SVG in the page: fetched once, lit up as its actor moves. */

import type { Envelope } from '../../actors/types.ts';
import type { Json } from '../../machines/json.ts';
import { AskError } from './ask.ts';
import { activeStates, countdown } from './words.ts';

const SVG = 'http://www.w3.org/2000/svg';

const fetched = new Map<string, Promise<SVGSVGElement>>();

/** @throws AskError. Each call gives a copy of its own. */
export async function fetchPicture(kind: string): Promise<SVGSVGElement> {
  let picture = fetched.get(kind);
  if (picture === undefined) {
    picture = readSvg(`/api/charts/${kind}.svg`);
    fetched.set(kind, picture);
    picture.catch(() => fetched.delete(kind));
  }
  return document.importNode(await picture, true);
}

/** The browser parses it while it loads: nothing is ever turned from text into markup by script. */
function readSvg(path: string): Promise<SVGSVGElement> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('GET', path);
    request.responseType = 'document';
    request.onload = () => {
      const root = request.responseXML?.documentElement;
      if (request.status === 200 && root instanceof SVGSVGElement) resolve(root);
      else reject(new AskError(request.status, 'The chart could not be drawn.'));
    };
    request.onerror = () => reject(new AskError(0, 'The gateway cannot be reached.'));
    request.send();
  });
}

export interface Moment {
  readonly machine: string;
  readonly value: Json | undefined;
  /** State before the last transition, and the event that made it. */
  readonly before: Json | undefined;
  readonly event: string | undefined;
}

/** Marks the active states and the arrows of the last transition. @returns the innermost active states. */
export function light(svg: SVGSVGElement, { machine, value, before, event }: Moment): SVGGElement[] {
  const active = new Set(activeStates(machine, value));
  const previous = new Set(before === undefined ? [] : activeStates(machine, before));
  const innermost: SVGGElement[] = [];
  for (const node of svg.querySelectorAll<SVGGElement>('[data-node]')) {
    const id = node.dataset.node ?? '';
    const on = active.has(id);
    const isLeaf = on && ![...active].some((other) => other.startsWith(`${id}.`));
    node.classList.toggle('active', on);
    node.classList.toggle('leaf', isLeaf);
    if (isLeaf) innermost.push(node);
  }
  for (const edge of svg.querySelectorAll<SVGPathElement>('[data-edge]')) {
    const { source = '', target = '', events = '' } = edge.dataset;
    const types = events.split(' ');
    const byEvent = event !== undefined && types.includes(event);
    // Followed without an event of its own, in the same step.
    const byItself = types.includes('') && !previous.has(target);
    const taken = previous.has(source) && active.has(target) && (byEvent || byItself);
    edge.classList.toggle('lit', taken);
    edge.setAttribute('marker-end', taken ? 'url(#tip-lit)' : 'url(#tip)');
  }
  return innermost;
}

/** Countdowns on states with timers, spinners on states with running tasks. */
export function badge(svg: SVGSVGElement, { timers, tasks }: Pick<Envelope, 'timers' | 'tasks'>): void {
  for (const old of svg.querySelectorAll('.badge')) old.remove();
  for (const [id, { due }] of Object.entries(timers)) {
    for (const node of svg.querySelectorAll<SVGGElement>('[data-node]')) {
      if (!id.startsWith('xstate.after.') || !id.endsWith(`.${node.dataset.node}`)) continue;
      const text = element('text', { class: 'countdown', 'text-anchor': 'middle' });
      text.dataset.due = String(due);
      text.textContent = countdown(due);
      place(node, element('rect', { class: 'pill', width: '46', height: '18', rx: '9' }), 40, -10);
      place(node, text, 17, 3);
    }
  }
  for (const [id, task] of Object.entries(tasks)) {
    if (task.ended) continue;
    for (const node of svg.querySelectorAll<SVGGElement>('[data-tasks]')) {
      if (!node.dataset.tasks?.split(' ').includes(id)) continue;
      const circle = element('circle', { class: 'spin', r: '5' });
      circle.append(title(`Task ${id} runs (${task.src})`));
      place(node, circle, 16, 17);
    }
  }
}

/** Once a second. */
export function tick(svg: SVGSVGElement): void {
  for (const text of svg.querySelectorAll<SVGTextElement>('.countdown')) {
    text.textContent = countdown(Number(text.dataset.due));
  }
}

/** Near the upper right corner of a state's box: so far left of it and below it. */
function place(node: SVGGElement, mark: SVGElement, right: number, down: number): void {
  const box = node.querySelector('rect');
  if (box === null) return;
  const x = box.x.baseVal.value + box.width.baseVal.value - right;
  const y = box.y.baseVal.value + down;
  if (mark.tagName === 'circle') {
    mark.setAttribute('cx', String(x));
    mark.setAttribute('cy', String(y));
  } else {
    mark.setAttribute('x', String(x));
    mark.setAttribute('y', String(y));
  }
  mark.classList.add('badge');
  node.append(mark);
}

function element(name: 'text' | 'circle' | 'rect', attributes: Readonly<Record<string, string>>): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  return made;
}

function title(text: string): SVGElement {
  const made = document.createElementNS(SVG, 'title');
  made.textContent = text;
  return made;
}
