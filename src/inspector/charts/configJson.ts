/**
 * A machine's configuration as JSON, as XState's editor and Stately Studio read it: guards and actions by name. Functions
 * (the context, inputs of tasks) have no place in JSON and are left out; combined guards become one name.
 */
import type { AnyStateMachine } from 'xstate';
import { guardText } from './words.ts';

export function configJson(machine: AnyStateMachine): string {
  return `${JSON.stringify(plain(machine.config, ''), undefined, 2)}\n`;
}

function plain(value: unknown, key: string): unknown {
  if (key === 'guard') return guardText(value);
  if (Array.isArray(value)) return value.map((item) => plain(item, ''));
  if (typeof value === 'function') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item, name)]));
}
