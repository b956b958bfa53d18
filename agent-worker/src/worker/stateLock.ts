// Only one worker ever has a state directory. Lock files are numbered, and the highest number holds: a lock is made whole
// and at once (a hard link to a finished file), a dead holder's lock is never taken over but outnumbered, and only the
// holder removes lower ones. So two workers that find the same dead holder cannot both win.
//
// Holders are told apart by process id, start time, boot and process namespace, so a number that was given out again
// (another process, another container, another boot) does not look like a living holder. What it cannot see is a worker in
// another container with the same volume; the supervisor's flock does.
import { linkSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Exit code of a worker that finds another one at work (EX_TEMPFAIL). */
export const STATE_TAKEN_EXIT_CODE = 75;

export class StateTaken extends Error {
  constructor(stateDir: string, holder: string) {
    super(`another worker (process ${holder}) has the state directory ${stateDir}`);
  }
}

/** Takes the state directory until this process ends or calls the result. @throws StateTaken */
export function lockState(stateDir: string, pid = process.pid): () => void {
  const mine = identityOf(pid);
  const claim = join(stateDir, `claim.${pid}`);
  writeFileSync(claim, `${mine}\n`, { mode: 0o600 });
  try {
    for (;;) {
      const highest = Math.max(0, ...numbersOf(stateDir));
      const holder = readOrEmpty(lockFile(stateDir, highest)).trim();
      if (isAlive(holder)) throw new StateTaken(stateDir, holder.split(' ')[0] ?? '');
      const number = highest + 1;
      if (!link(claim, lockFile(stateDir, number))) continue;
      // A slow one may have made a number that was in use and removed in the meantime: a higher one exists then.
      if (Math.max(...numbersOf(stateDir)) !== number) {
        rmSync(lockFile(stateDir, number), { force: true });
        continue;
      }
      for (const lower of numbersOf(stateDir)) if (lower < number) rmSync(lockFile(stateDir, lower), { force: true });
      return () => rmSync(lockFile(stateDir, number), { force: true });
    }
  } finally {
    rmSync(claim, { force: true });
  }
}

function numbersOf(stateDir: string): number[] {
  return readdirSync(stateDir).flatMap((name) => {
    const number = /^lock\.(\d+)$/.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

function lockFile(stateDir: string, number: number): string {
  return join(stateDir, `lock.${number}`);
}

/** False if the name is taken. */
function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** `pid start boot namespace`; the start time is field 22 of /proc/<pid>/stat. Empty if there is no such process. */
function identityOf(pid: number): string {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  // The command's name in parentheses may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[19] === undefined || fields[0] === 'Z') return '';
  const boot = readOrEmpty('/proc/sys/kernel/random/boot_id').trim();
  return `${pid} ${fields[19]} ${boot} ${readlinkSync('/proc/self/ns/pid')}`;
}

function isAlive(holder: string): boolean {
  return holder !== '' && identityOf(Number(holder.split(' ')[0])) === holder;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Gone: nobody holds it.
    return '';
  }
}
