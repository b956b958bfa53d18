// The inputs a session has accepted: on disk before anything acts on them, so that none ever acts twice.
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';

/** Inputs that want a turn of their own; after a crash those without one are told as lost. */
export type InputKind = 'turn' | 'control';

export interface InputJournal {
  has(inputId: string): boolean;
  /** Returns once the input is on the disk. */
  accept(inputId: string, kind: InputKind): void;
  /** Inputs that want a turn, oldest first. */
  wantingTurns(): string[];
  close(): void;
}

/** How many inputs are remembered. The gateway never repeats one after so many others. */
export const INPUT_LIMIT = 2_000;

/** Opens the journal in `file`, or begins one. */
export function openInputJournal(file: string, limit = INPUT_LIMIT): InputJournal {
  const inputs = existsSync(file) ? load(file) : new Map<string, InputKind>();
  let lines = 0;
  let fd = -1;

  const write = (inputId: string, kind: InputKind) => {
    writeSync(fd, `${JSON.stringify([inputId, kind])}\n`);
    lines += 1;
  };

  const rewrite = () => {
    for (const inputId of inputs.keys()) {
      if (inputs.size <= limit) break;
      inputs.delete(inputId);
    }
    if (fd >= 0) closeSync(fd);
    const temporary = `${file}.new`;
    fd = openSync(temporary, 'w', 0o600);
    lines = 0;
    for (const [inputId, kind] of inputs) write(inputId, kind);
    fsyncSync(fd);
    renameSync(temporary, file);
  };

  rewrite();

  return {
    has: (inputId) => inputs.has(inputId),
    accept(inputId, kind) {
      inputs.set(inputId, kind);
      write(inputId, kind);
      fsyncSync(fd);
      if (lines > 2 * limit) rewrite();
    },
    wantingTurns: () => [...inputs].filter(([, kind]) => kind === 'turn').map(([inputId]) => inputId),
    close() {
      if (fd >= 0) closeSync(fd);
      fd = -1;
    },
  };
}

function load(file: string): Map<string, InputKind> {
  const inputs = new Map<string, InputKind>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const entry = parse(line);
    if (entry) inputs.set(entry[0], entry[1]);
  }
  return inputs;
}

function parse(line: string): [string, InputKind] | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    if (!Array.isArray(entry) || typeof entry[0] !== 'string') return undefined;
    return [entry[0], entry[1] === 'turn' ? 'turn' : 'control'];
  } catch {
    // The last line of a crash: the input was not accepted, since nobody was told so before the sync.
    return undefined;
  }
}
