// @limit 240
// The pictures of the charts: nothing overlaps, nothing is left out, and they are the same every time.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type AnyStateMachine, createMachine, initialTransition, setup } from 'xstate';
import { chartText } from '../../src/inspector/charts/export.ts';
import { chartGraph } from '../../src/inspector/charts/graph.ts';
import { CHARTS, KINDS } from '../../src/inspector/charts/kinds.ts';
import { type Box, layOut, type PlacedChart } from '../../src/inspector/charts/layout.ts';
import { allNodes, type ChartModel, chartModel } from '../../src/inspector/charts/model.ts';
import { chartSvg } from '../../src/inspector/charts/svg.ts';

const test = suite('charts');

/** Everything the notation has that our own charts may not use today. */
const everything = setup({
  guards: { isLate: () => true },
  actions: { note: () => {} },
}).createMachine({
  id: 'everything',
  initial: 'first',
  on: { RESET: { target: '.first' }, LOG: { actions: 'note' } },
  states: {
    first: {
      entry: 'note',
      exit: 'note',
      after: { 90000: { guard: 'isLate', target: 'second' } },
      on: {
        NEXT: 'second',
        AGAIN: { target: 'first', reenter: true },
        RESUME: 'second.back',
        BAD: [{ target: '#end' }],
      },
    },
    second: {
      type: 'parallel',
      states: {
        left: {
          initial: 'a',
          states: { a: { on: { FLIP: 'b' } }, b: { on: { FLIP: 'a', OUT: '#everything.second' } } },
        },
        right: { initial: 'c', states: { c: { on: { DONE: 'd' } }, d: { type: 'final' } } },
        back: { type: 'history', history: 'deep' },
      },
      onDone: 'over',
    },
    over: { id: 'end', type: 'final' },
  },
});

const placedCharts = new Map<string, { model: ChartModel; placed: PlacedChart }>();

test.before(async () => {
  const machines: [string, AnyStateMachine][] = [
    ...KINDS.map((kind): [string, AnyStateMachine] => [kind, CHARTS[kind].machine]),
    ['everything', everything],
  ];
  for (const [name, machine] of machines) {
    const model = chartModel(machine);
    placedCharts.set(name, { model, placed: await layOut(chartGraph(model)) });
  }
});

function inside(inner: Box, outer: Box): boolean {
  return (
    inner.x >= outer.x - 0.5 &&
    inner.y >= outer.y - 0.5 &&
    inner.x + inner.width <= outer.x + outer.width + 0.5 &&
    inner.y + inner.height <= outer.y + outer.height + 0.5
  );
}

function overlap(left: Box, right: Box): boolean {
  const across = Math.min(left.x + left.width, right.x + right.width) - Math.max(left.x, right.x);
  const down = Math.min(left.y + left.height, right.y + right.height) - Math.max(left.y, right.y);
  return across > 1 && down > 1;
}

function pairs<Item>(items: readonly Item[]): [Item, Item][] {
  return items.flatMap((left, index) => items.slice(index + 1).map((right): [Item, Item] => [left, right]));
}

test('every state is inside its parent, below its text, and beside its siblings', () => {
  for (const [name, { placed }] of placedCharts) {
    const boxes = new Map(placed.shapes.map((shape) => [shape.shape.id, shape]));
    for (const { shape, box, parent } of placed.shapes) {
      const outer = parent === undefined ? { x: 0, y: 0, ...placed.size } : boxes.get(parent)?.box;
      assert.ok(outer !== undefined && inside(box, outer), `${name}: ${shape.id} leaves ${parent}`);
      assert.ok(box.width >= shape.size.width - 0.5, `${name}: the text of ${shape.id} is wider than its box`);
      const header = boxes.get(parent ?? '')?.shape.size.height ?? 0;
      assert.ok(box.y - outer.y >= header - 0.5, `${name}: ${shape.id} lies on the text of ${parent}`);
    }
    for (const [left, right] of pairs(placed.shapes)) {
      if (left.parent !== right.parent) continue;
      assert.not.ok(overlap(left.box, right.box), `${name}: ${left.shape.id} and ${right.shape.id} overlap`);
    }
  }
});

test('labels lie on no state they do not belong to, and on no other label', () => {
  for (const [name, { placed }] of placedCharts) {
    const labels = placed.arrows.flatMap(({ arrow, label }) => (label === undefined ? [] : [{ arrow, label }]));
    for (const [left, right] of pairs(labels)) {
      assert.not.ok(overlap(left.label, right.label), `${name}: labels of ${left.arrow.id} and ${right.arrow.id}`);
    }
    for (const { arrow, label } of labels) {
      for (const { shape, box } of placed.shapes) {
        if (shape.children.length > 0) continue;
        assert.not.ok(overlap(label, box), `${name}: the label of ${arrow.id} covers ${shape.id}`);
      }
    }
  }
});

test('every transition of every chart has an arrow or a line, and every arrow a way', () => {
  for (const [name, { model, placed }] of placedCharts) {
    const svg = chartSvg(placed, { title: name });
    const drawn = new Set(placed.arrows.flatMap(({ arrow }) => arrow.transitions.map(({ id }) => id)));
    for (const { arrow, points } of placed.arrows) {
      assert.ok((points[0]?.length ?? 0) >= 2, `${name}: ${arrow.id} has no way`);
    }
    const lines = new Map(placed.shapes.map(({ shape }) => [shape.id, shape.lines.map(({ text }) => text).join(' ')]));
    for (const { id, source, targets, event } of model.transitions) {
      if (targets.length > 0) assert.ok(drawn.has(id), `${name}: ${id} is not drawn`);
      else assert.ok(lines.get(source)?.includes(event), `${name}: ${event} is not in the box of ${source}`);
    }
    for (const node of allNodes(model.root)) assert.ok(svg.includes(`data-node="${node.id}"`), node.id);
  }
});

test('the notation is complete: dots, history, final states, regions, timers, guards', () => {
  const { placed } = placedCharts.get('everything') ?? {};
  assert.ok(placed !== undefined);
  const svg = chartSvg(placed, { title: 'everything' });
  for (const part of [
    'class="initial"',
    'class="anywhere"',
    '>H*<',
    'class="node final"',
    'class="inner"',
    'region"',
    'after 90 s [isLate]',
    'entry / note',
    'LOG / note',
    '>done<',
  ]) {
    assert.ok(svg.includes(part), part);
  }
});

test('a state that leads to itself has a loop', () => {
  const { placed } = placedCharts.get('everything') ?? {};
  const loop = placed?.arrows.find(({ arrow }) => arrow.from === 'everything.first' && arrow.to === arrow.from);
  assert.ok((loop?.points[0]?.length ?? 0) >= 3);
});

test('the same chart gives the same picture', async () => {
  const { model, placed } = placedCharts.get('approval') ?? {};
  assert.ok(model !== undefined && placed !== undefined);
  assert.is(chartSvg(await layOut(chartGraph(model)), { title: 'x' }), chartSvg(placed, { title: 'x' }));
});

test('JSON of a chart makes the same chart again, with guards and actions by name', async () => {
  for (const kind of KINDS) {
    const config = JSON.parse(await chartText(kind, 'json')) as Parameters<typeof createMachine>[0];
    const again = chartModel(createMachine(config) as AnyStateMachine);
    const { model } = placedCharts.get(kind) ?? {};
    assert.equal(
      allNodes(again.root).map(({ id }) => id),
      allNodes(model?.root ?? again.root).map(({ id }) => id),
    );
    assert.equal(again.transitions, model?.transitions, kind);
  }
});

test('JSON of a chart starts in the same state', async () => {
  const config = JSON.parse(await chartText('approval', 'json')) as Parameters<typeof createMachine>[0];
  const [snapshot] = initialTransition(createMachine(config));
  assert.is(snapshot.value, 'new');
});

test('Mermaid names every state and every transition', async () => {
  for (const kind of KINDS) {
    const text = await chartText(kind, 'mermaid');
    const { model } = placedCharts.get(kind) ?? {};
    for (const node of allNodes(model?.root ?? ({ ...everything.root } as never)).slice(1)) {
      assert.ok(text.includes(node.id.replaceAll('.', '_')), node.id);
    }
    const arrows = model?.transitions.flatMap(({ targets }) => targets).length ?? 0;
    const dots = text.match(/^ *\[\*\] --> /gm)?.length ?? 0;
    const ends = text.match(/ --> \[\*\]$/gm)?.length ?? 0;
    assert.is((text.match(/-->/g)?.length ?? 0) - dots - ends, arrows, kind);
  }
});

test('docs/charts shows the charts as they are (refresh: npm run charts)', async () => {
  const folder = 'docs/charts';
  assert.ok(existsSync(folder));
  const wanted = KINDS.flatMap((kind) => [`${kind}.mmd`, `${kind}.svg`]).sort();
  assert.equal(
    readdirSync(folder)
      .filter((file) => /\.(svg|mmd)$/.test(file))
      .sort(),
    wanted,
  );
  for (const kind of KINDS) {
    assert.is(readFileSync(`${folder}/${kind}.mmd`, 'utf8'), await chartText(kind, 'mermaid'), `${kind}.mmd`);
    assert.is(readFileSync(`${folder}/${kind}.svg`, 'utf8'), await chartText(kind, 'svg'), `${kind}.svg`);
  }
});

test.run();
