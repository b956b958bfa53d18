import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { upcast } from '../../src/actors/migrate.ts';
import { tagsOf } from '../../src/actors/step.ts';
import { fileOf, goldenOf, goldens, valueAfter } from './golden/files.ts';
import { SAMPLES } from './golden/samples.ts';
import { definitionOf, definitions } from './support.ts';

const kept = goldens();

test('every version of every kind has its golden envelopes', () => {
  for (const { kind, version } of definitions()) {
    for (let each = 1; each <= version; each += 1) {
      assert.ok(
        [...kept.keys()].some((path) => path.startsWith(`v${each}/${kind}/`)),
        `${kind} ${each}`,
      );
    }
  }
  const missing = SAMPLES.map((sample) => fileOf(sample, definitionOf(sample.kind).version)).filter(
    (path) => !kept.has(path),
  );
  assert.equal(missing, [], 'write them: npx tsx tests/machines/golden/files.ts');
});

for (const [path, { kind, address, envelope, event, after }] of kept) {
  test(`${path} loads, and takes what comes next`, () => {
    const definition = definitionOf(kind);
    const loaded = upcast(definition, address, envelope, { rev: 99, now: event.at });
    assert.is(loaded.version, definition.version);
    assert.ok(tagsOf(definition, loaded).length > 0, 'it knows its states');
    const value = valueAfter(definition, address, loaded, event);
    // States may have other names by now; then leading somewhere is all that can be asked.
    if (envelope.version === definition.version) assert.equal(value, after);
  });
}

for (const sample of SAMPLES) {
  const path = fileOf(sample, definitionOf(sample.kind).version);
  const golden = kept.get(path);
  if (!golden) continue;
  test(`the chart still stores what ${path} says, or it has a new version`, () => {
    assert.equal(shapeOf(goldenOf(sample).envelope), shapeOf(golden.envelope));
  });
}

/** What a reader of the envelope relies on: names and types, states, timers and tasks; not the values. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, key === 'value' ? inner : shapeOf(inner)]),
  );
}

test.run();
