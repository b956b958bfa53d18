import { constants } from 'node:os';
import { ExitError, KilledError } from './errors.ts';
import type { ExecResult } from './execOn.ts';
import { type Command, nameOf } from './wrapper.ts';

const NAMES = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/** The signal an exit code above 128 stands for, as shells have it. */
export function signalOf(code: number): string | null {
  return code > 128 ? (NAMES.get(code - 128) ?? null) : null;
}

/** @throws KilledError, ExitError */
export function mustSucceed(command: Command, result: ExecResult): ExecResult {
  if (result.signal !== null) throw new KilledError(nameOf(command), result.signal);
  if (result.code !== 0) throw new ExitError(nameOf(command), result.code, result.stderr);
  return result;
}
