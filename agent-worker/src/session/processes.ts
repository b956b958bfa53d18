// Ending an agent with everything it started. Claude Code runs shell commands in process sessions of their own and a
// killed CLI leaves them behind, so neither its process group nor its parentage is enough: every process of an agent
// carries a mark in its environment, and descendants are added in case a command cleared it.
import { readdirSync, readFileSync } from 'node:fs';
import { MARK } from './environment.ts';

interface ProcessInfo {
  pid: number;
  parent: number;
  /** In clock ticks since boot: tells a process from another that got its number later. */
  startedAt: string;
}

/** The living processes that carry the mark, and the descendants of `pid`. */
export function processesOf(mark: string, pid: number | undefined): ProcessInfo[] {
  const all = readProcesses();
  const found = new Map<number, ProcessInfo>();
  for (const process of all) if (process.pid === pid || hasMark(process.pid, mark)) found.set(process.pid, process);
  for (let grown = true; grown; ) {
    grown = false;
    for (const process of all) {
      if (found.has(process.pid) || !found.has(process.parent)) continue;
      found.set(process.pid, process);
      grown = true;
    }
  }
  return [...found.values()];
}

/** Kills what still lives of these processes. Returns how many that were. */
export function endProcesses(known: readonly ProcessInfo[]): number {
  let ended = 0;
  for (const target of known) {
    if (target.pid === process.pid || readProcess(target.pid)?.startedAt !== target.startedAt) continue;
    try {
      process.kill(target.pid, 'SIGKILL');
      ended += 1;
    } catch {
      // It ended by itself meanwhile, which is what was wanted.
    }
  }
  return ended;
}

function readProcesses(): ProcessInfo[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
}

function readProcess(pid: number): ProcessInfo | undefined {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  // The command's name in parentheses may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parent] = fields;
  const startedAt = fields[19];
  if (parent === undefined || startedAt === undefined || state === 'Z') return undefined;
  return { pid, parent: Number(parent), startedAt };
}

function hasMark(pid: number, mark: string): boolean {
  return readOrEmpty(`/proc/${pid}/environ`).split('\0').includes(`${MARK}=${mark}`);
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // Gone, or another user's: not ours to end.
    return '';
  }
}
