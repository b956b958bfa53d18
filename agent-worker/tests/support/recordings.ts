// Recorded conversations of the real SDK, played through the mapper as a session would.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { record, text } from '../../src/mapping/json.ts';
import { isDeadResume, mapMessage, mapProcessEnd, notePush } from '../../src/mapping/mapper.ts';
import { type MapperState, newMapperState, type Output } from '../../src/mapping/state.ts';

const FOLDER = fileURLToPath(new URL('../../../../shared/recordings/agent-sdk', import.meta.url));

/** All recordings. Missing ones are an error, not a reason to test less. */
export const RECORDINGS: readonly string[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.ndjson'))
  .map((name) => name.replace(/\.ndjson$/, ''))
  .sort();

export type Line = Record<string, unknown>;

export interface Played {
  lines: Line[];
  outputs: Output[];
  state: MapperState;
  deadResume: boolean;
  /** Its process was closed on purpose. */
  closed: boolean;
}

type Case = Output['$case'];
type Values = { [K in Case]: Extract<Output, { $case: K }>['value'] };

/** @param change what is played instead of each line */
export function play(name: string, change: (line: Line) => Line[] = (line) => [line]): Played {
  const lines = readFileSync(`${FOLDER}/${name}.ndjson`, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => change(JSON.parse(line) as Line));
  const state = newMapperState();
  const outputs: Output[] = [];
  let deadResume = false;
  const closed = lines.some((line) => line._note === 'close');
  for (const line of lines) {
    const note = text(line._note);
    if (note === 'push') {
      const message = record(line.message);
      const uuid = text(message.uuid);
      const content = text(record(message.message).content);
      const command = /^\/(compact|clear)/.exec(content)?.[1];
      if (uuid !== '') {
        const known = command === 'compact' || command === 'clear' ? command : undefined;
        notePush(state, { uuid, inputId: inputIdOf(uuid), command: known });
      }
    } else if (note === 'iterator_end' || note === 'iterator_throw') {
      if (!deadResume)
        outputs.push(...mapProcessEnd(state, { id: 'at-the-end', error: text(line.message), wanted: closed }));
    } else if (note === '') {
      if (isDeadResume(state, line)) deadResume = true;
      else outputs.push(...mapMessage(state, line));
    }
  }
  return { lines, outputs, state, deadResume, closed };
}

/** `input-1` for the uuid that ends in 1. */
export function inputIdOf(uuid: string): string {
  return `input-${uuid.slice(-1)}`;
}

export function all<C extends Case>(outputs: readonly Output[], kind: C): Values[C][] {
  return outputs.filter((output) => output.$case === kind).map((output) => output.value as Values[C]);
}

/** The kinds of the outputs in order, pieces of text left out. */
export function kinds(outputs: readonly Output[]): string[] {
  return outputs.map((output) => output.$case).filter((kind) => kind !== 'textDelta');
}
