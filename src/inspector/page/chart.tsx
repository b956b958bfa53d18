/** The live chart of the selected actor, in a window that can be moved, zoomed and follows what is active. */
import { signal, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Envelope } from '../../actors/types.ts';
import { wordsOf } from './ask.ts';
import { Note } from './parts.tsx';
import { badge, fetchPicture, light, type Moment, tick } from './picture.ts';
import { now } from './words.ts';

/** Readable at 75 %; a chart that would be smaller than that is shown in part. */
const SMALLEST_FIT = 0.62;
const READABLE = 0.8;
const STEPS = [0.25, 0.35, 0.5, 0.65, 0.8, 1, 1.25, 1.6] as const;

const zoom = signal<number | 'auto'>('auto');
const follows = signal(true);

interface ChartProps {
  readonly kind: string;
  readonly moment: Moment;
  /** Absent for a moment that has passed. */
  readonly work: Pick<Envelope, 'timers' | 'tasks'> | undefined;
}

export function Chart({ kind, moment, work }: ChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const picture = useRef<SVGSVGElement | undefined>(undefined);
  const failure = useSignal('');
  const drawn = useSignal(0);

  useEffect(() => {
    let current = true;
    picture.current?.remove();
    picture.current = undefined;
    failure.value = '';
    fetchPicture(kind).then(
      (svg) => {
        if (!current) return;
        picture.current = svg;
        frame.current?.append(svg);
        drawn.value += 1;
      },
      (error: unknown) => {
        if (current) failure.value = wordsOf(error);
      },
    );
    return () => {
      current = false;
    };
  }, [kind]);

  const state = JSON.stringify(moment);
  const count = drawn.value;
  const drawing = picture.current === undefined && failure.value === '';
  useEffect(() => {
    const svg = picture.current;
    if (svg === undefined || frame.current === null) return;
    const innermost = light(svg, moment);
    resize(frame.current, svg);
    if (follows.peek()) center(frame.current, svg, innermost);
  }, [state, count, zoom.value]);

  const badges = JSON.stringify(work);
  useEffect(() => {
    if (picture.current !== undefined) badge(picture.current, work ?? { timers: {}, tasks: {} });
  }, [badges, count]);

  useSignalEffect(() => {
    now.value;
    if (picture.current !== undefined) tick(picture.current);
  });

  return (
    <div class="chart-panel">
      {failure.value !== '' && <Note tone="bad">{failure.value}</Note>}
      <div class="tools" role="toolbar" aria-label="Chart tools">
        <span class="quiet" role="status">
          {drawing ? 'Drawing the chart …' : `Chart of ${kind}`}
        </span>
        <span class="space" />
        <button type="button" aria-label="Zoom out" title="Zoom out" onClick={() => step(-1)}>
          −
        </button>
        <button type="button" aria-label="Zoom in" title="Zoom in" onClick={() => step(1)}>
          +
        </button>
        <button
          type="button"
          title="Fit the chart, or as much of it as is readable"
          aria-pressed={zoom.value === 'auto'}
          onClick={() => {
            zoom.value = 'auto';
          }}
        >
          Fit
        </button>
        <button
          type="button"
          title="Keep the active states in view"
          aria-pressed={follows.value}
          onClick={() => {
            follows.value = !follows.value;
            const svg = picture.current;
            if (follows.value && svg !== undefined && frame.current !== null) {
              center(frame.current, svg, [...svg.querySelectorAll<SVGGElement>('.leaf')]);
            }
          }}
        >
          Follow
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <section ref={frame} class="frame" tabIndex={0} aria-label="Chart, scrolls" onPointerDown={drag} />
    </div>
  );
}

let scale = 1;

function resize(frame: HTMLElement, svg: SVGSVGElement): void {
  const { width, height } = svg.viewBox.baseVal;
  const fit = Math.min(1, (frame.clientWidth - 2) / width);
  scale = zoom.peek() === 'auto' ? (fit >= SMALLEST_FIT ? fit : READABLE) : Number(zoom.peek());
  svg.setAttribute('width', String(Math.round(width * scale)));
  svg.setAttribute('height', String(Math.round(height * scale)));
}

/** Zooms by one step from what is shown now. */
function step(direction: 1 | -1): void {
  const next =
    direction > 0 ? STEPS.find((value) => value > scale + 0.01) : STEPS.findLast((value) => value < scale - 0.01);
  if (next !== undefined) zoom.value = next;
}

/** Brings the innermost active states into view: all of them if they fit, else the first. */
function center(frame: HTMLElement, svg: SVGSVGElement, innermost: readonly SVGGElement[]): void {
  const boxes = innermost.map((node) => node.getBBox());
  const [first] = boxes;
  if (first === undefined) return;
  const left = Math.min(...boxes.map(({ x }) => x)) * scale;
  const right = Math.max(...boxes.map(({ x, width }) => x + width)) * scale;
  const top = Math.min(...boxes.map(({ y }) => y)) * scale;
  const bottom = Math.max(...boxes.map(({ y, height }) => y + height)) * scale;
  const fits = right - left < frame.clientWidth && bottom - top < frame.clientHeight;
  const x = fits ? (left + right) / 2 : (first.x + first.width / 2) * scale;
  const y = fits ? (top + bottom) / 2 : (first.y + first.height / 2) * scale;
  const isNew = svg.dataset.shown === undefined;
  svg.dataset.shown = 'yes';
  const calm = isNew || matchMedia('(prefers-reduced-motion: reduce)').matches;
  frame.scrollTo({
    left: x - frame.clientWidth / 2,
    top: y - frame.clientHeight / 2,
    behavior: calm ? 'instant' : 'smooth',
  });
}

function drag(event: PointerEvent): void {
  const frame = event.currentTarget as HTMLElement;
  if (event.button !== 0 || event.pointerType === 'touch') return;
  const { clientX, clientY } = event;
  const { scrollLeft, scrollTop } = frame;
  const move = (moved: PointerEvent): void => {
    frame.scrollLeft = scrollLeft - (moved.clientX - clientX);
    frame.scrollTop = scrollTop - (moved.clientY - clientY);
  };
  const end = (): void => {
    frame.classList.remove('dragging');
    removeEventListener('pointermove', move);
    removeEventListener('pointerup', end);
  };
  frame.classList.add('dragging');
  addEventListener('pointermove', move);
  addEventListener('pointerup', end);
}
