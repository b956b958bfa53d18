/** The data folder of the development database. */
import { randomBytes } from 'node:crypto';
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DevError } from './errors.ts';
import { failure } from './postgresFailure.ts';
import { type Programs, runProgram } from './postgresPrograms.ts';
import type { RunAs } from './postgresUser.ts';

/** Superuser and database. */
export const NAME = 'csm';
/** Inside the data, so that neither exists without the other. */
const PASSWORD = 'csm.password';

/** Makes the data folder if there is none: complete or not at all. @returns the password */
export async function ensureCluster(
  cluster: string,
  programs: Programs,
  user: RunAs | undefined,
  log: (message: string) => void,
): Promise<string> {
  const known = await passwordOf(cluster, programs);
  if (known !== undefined) return known;
  log('Making a new database');
  const part = `${cluster}.part-${process.pid}`;
  try {
    await makeCluster(part, programs, user);
    await rename(path.join(part, 'data'), cluster);
  } catch (cause) {
    // Somebody else made it at the same time and was first.
    const other = await passwordOf(cluster, programs);
    if (other !== undefined) return other;
    throw failure('The database could not be made', messageOf(cause), path.dirname(cluster), cause);
  } finally {
    await rm(part, { recursive: true, force: true });
  }
  return (await passwordOf(cluster, programs)) ?? '';
}

async function makeCluster(part: string, { initdb }: Programs, user: RunAs | undefined): Promise<void> {
  const data = path.join(part, 'data');
  const given = path.join(part, PASSWORD);
  await mkdir(data, { recursive: true, mode: 0o700 });
  await writeFile(given, randomBytes(24).toString('base64url'), { mode: 0o600 });
  if (user) for (const each of [part, data, given]) await chown(each, user.uid, user.gid);
  const args = ['-D', data, '-U', NAME, '--auth=scram-sha-256', `--pwfile=${given}`];
  const { code, output } = await runProgram(
    initdb,
    [...args, '--encoding=UTF8', '--locale=C', '--no-instructions', '--no-sync'],
    user,
  );
  if (code !== 0) throw new Error(output);
  await rename(given, path.join(data, PASSWORD));
}

/** The password of data that are there, `undefined` if there are none. */
async function passwordOf(cluster: string, { major }: Programs): Promise<string | undefined> {
  const found = await read(path.join(cluster, 'PG_VERSION'));
  if (found === undefined) return undefined;
  if (found !== major) {
    throw new DevError(
      'POSTGRES_OTHER_VERSION',
      `${cluster} was made by PostgreSQL ${found}; this one is ${major} and cannot read it.`,
      `To begin with an empty database: mv '${cluster}' '${cluster}.${found}'`,
    );
  }
  const password = await read(path.join(cluster, PASSWORD));
  if (password) return password;
  throw new DevError(
    'POSTGRES_NO_PASSWORD',
    `The password of the database is missing (${path.join(cluster, PASSWORD)}).`,
    `To begin with an empty database: mv '${cluster}' '${cluster}.old'`,
  );
}

async function read(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw failure(`${file} cannot be read`, messageOf(cause), path.dirname(path.dirname(file)), cause);
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
