/**
 * Golden envelopes: `v<version>/<kind>/<sample>.json`, what the chart of that version stored. Those of a released version stay
 * for ever, because databases hold such envelopes.
 *
 * Run as a program it writes those that are missing for the current versions; with `--replace` it writes all of the current
 * versions anew, which is only right while no such version was released:
 * `npx tsx tests/machines/golden/files.ts [--replace]`
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { step } from '../../../src/actors/step.ts';
import type { Envelope, KindDefinition } from '../../../src/actors/types.ts';
import type { ActorKind, Address } from '../../../src/machines/addresses.ts';
import type { ChartEvent } from '../../../src/machines/events.ts';
import type { Json } from '../../../src/machines/json.ts';
import { definitionOf } from '../support.ts';
import { SAMPLES, type Sample } from './samples.ts';

export interface Golden {
  readonly kind: ActorKind;
  readonly address: Address;
  readonly envelope: Envelope;
  /** What comes next, and where it led when this was written. */
  readonly event: ChartEvent;
  readonly after: Json;
}

const FOLDER = dirname(fileURLToPath(import.meta.url));

export function fileOf({ kind, name }: Pick<Sample, 'kind' | 'name'>, version: number): string {
  return `v${version}/${kind}/${name}.json`;
}

/** Of all versions, by path. */
export function goldens(): ReadonlyMap<string, Golden> {
  const paths = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.json'));
  return new Map(paths.sort().map((path) => [path, JSON.parse(readFileSync(join(FOLDER, path), 'utf8')) as Golden]));
}

/** As the chart of today writes it. */
export function goldenOf({ kind, address, make, next }: Sample): Golden {
  const actor = make();
  const envelope = actor.envelope();
  const event = { ...next, at: actor.now() + 10 };
  return { kind, address, envelope, event, after: valueAfter(definitionOf(kind), address, envelope, event) };
}

/** Where an event leads, from the envelope as a database gives it. @throws if nothing takes it */
export function valueAfter(definition: KindDefinition, address: Address, envelope: Envelope, event: ChartEvent): Json {
  const stored = JSON.parse(JSON.stringify(envelope)) as Envelope;
  const result = step(definition, address, stored, event, { rev: 100, now: event.at });
  if (!result.handled) throw new Error(`${address} does not take ${event.type}`);
  return result.envelope.snapshot.value ?? null;
}

function write(replace: boolean): void {
  for (const sample of SAMPLES) {
    const path = join(FOLDER, fileOf(sample, definitionOf(sample.kind).version));
    if (existsSync(path) && !replace) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${JSON.stringify(goldenOf(sample), undefined, 2)}\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) write(process.argv.includes('--replace'));
