/**
 * PostgreSQL refuses to run as root. Started by root, its programs run as another user, and that user must be able to
 * reach both the programs and the data.
 */
import { createHash } from 'node:crypto';
import { access, chmod, cp, lstat, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { DevError } from './errors.ts';

export interface RunAs {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

const CANDIDATES = ['postgres', 'nobody'];
/** Reachable for everybody and kept over reboots. */
const SHARED_PLACES = ['/var/lib/csm-dev', '/var/tmp/csm-dev'];

/** The user the server runs as: `undefined` for the one who runs this. */
export async function unprivilegedUser(dataDir: string): Promise<RunAs | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = await knownUsers();
  const owner = await stat(path.join(dataDir, 'cluster')).catch(() => undefined);
  // Data that is there already is kept by the user it belongs to.
  if (owner && owner.uid !== 0) {
    const known = users.find((user) => user.uid === owner.uid);
    return known ?? { uid: owner.uid, gid: owner.gid, name: `user ${owner.uid}` };
  }
  for (const name of CANDIDATES) {
    const user = users.find((each) => each.name === name);
    if (user && user.uid !== 0) return user;
  }
  throw new DevError(
    'NO_UNPRIVILEGED_USER',
    'PostgreSQL does not run as root, and there is no user "postgres" or "nobody" to run it as.',
    'Run this as an ordinary user, or create one: useradd --system postgres',
  );
}

async function knownUsers(): Promise<RunAs[]> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n');
  return lines.flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    return name && uid && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}

/** The first folder on the way to `target` that the user may not pass; `undefined` if there is none. */
export async function firstWall(target: string, user: RunAs | undefined): Promise<string | undefined> {
  if (!user) return undefined;
  const parts = path.resolve(target).split(path.sep).filter(Boolean);
  for (let depth = 0; depth <= parts.length; depth += 1) {
    const folder = path.sep + parts.slice(0, depth).join(path.sep);
    const info = await stat(folder).catch(() => undefined);
    if (!info) return undefined;
    if (!info.isDirectory()) continue;
    const bit = info.uid === user.uid ? 0o100 : info.gid === user.gid ? 0o010 : 0o001;
    if ((info.mode & bit) === 0) return folder;
  }
  return undefined;
}

/** A folder for this data outside of walls; the same one every time. */
export async function sharedPlace(dataDir: string): Promise<string> {
  const name = createHash('sha256').update(path.resolve(dataDir)).digest('hex').slice(0, 16);
  for (const place of SHARED_PLACES) {
    try {
      const folder = path.join(place, name);
      await mkdir(folder, { recursive: true, mode: 0o755 });
      // Some of these places everybody can write to: what another user put there is not used.
      if ((await lstat(place)).uid !== 0 || !(await lstat(place)).isDirectory()) continue;
      await chmod(place, 0o755);
      return folder;
    } catch {
      // Read-only or taken: the next one.
    }
  }
  throw new DevError(
    'NO_PLACE_FOR_DATA',
    `Only root may enter ${path.dirname(dataDir)}, and none of ${SHARED_PLACES.join(', ')} can be written.`,
    'Move the checkout to a folder that every user may enter, e.g. /srv or /tmp, or run this as an ordinary user.',
  );
}

/**
 * Copies the programs to where the user can run them. A copy is complete or absent: it is renamed into its place.
 *
 * @returns the folder of the copy
 */
export async function copyPrograms(native: string, version: string, place: string): Promise<string> {
  const target = path.join(place, `programs-${version}`);
  if (
    await access(target).then(
      () => true,
      () => false,
    )
  )
    return target;
  const part = `${target}.part-${process.pid}`;
  try {
    await cp(native, part, { recursive: true, verbatimSymlinks: true });
    await chmod(part, 0o755);
    await rename(part, target);
  } catch (cause) {
    await rm(part, { recursive: true, force: true });
    if (
      await access(target).then(
        () => true,
        () => false,
      )
    )
      return target;
    throw new DevError(
      'PROGRAMS_NOT_COPIED',
      `PostgreSQL could not be copied to ${target}.`,
      'Is the disk full? See: df -h',
      cause,
    );
  }
  return target;
}
