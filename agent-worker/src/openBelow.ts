// Opens a file below a session's folder. The path is checked on the opened file itself, so a symbolic link (or one exchanged
// in between) leads nowhere else.
import { constants } from 'node:fs';
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { status } from '@grpc/grpc-js';
import { messageOf } from './errors.ts';

/** The largest file that is handed out. */
export const FILE_LIMIT = 100 * 1024 * 1024;

export class FileRefused extends Error {
  readonly code: status;
  constructor(code: status, details: string) {
    super(details);
    this.code = code;
  }
}

/**
 * @param path relative to `cwd`
 * @throws FileRefused with words for whoever asked. The caller closes the handle.
 */
export async function openBelow(cwd: string, path: string): Promise<FileHandle> {
  const wanted = resolve(cwd, path);
  if (path === '' || isAbsolute(path) || !isBelow(cwd, wanted)) {
    throw new FileRefused(status.INVALID_ARGUMENT, 'The path is not below the working directory.');
  }
  const file = await open(wanted, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw new FileRefused(status.NOT_FOUND, `The file cannot be opened: ${messageOf(error)}`);
  });
  try {
    const real = await readlink(join('/proc/self/fd', String(file.fd)));
    if (!isBelow(await realpath(cwd), real)) {
      throw new FileRefused(status.INVALID_ARGUMENT, 'The path leads out of the working directory.');
    }
    const stats = await file.stat();
    if (!stats.isFile()) throw new FileRefused(status.INVALID_ARGUMENT, 'The path is not a file.');
    if (stats.size > FILE_LIMIT) throw new FileRefused(status.RESOURCE_EXHAUSTED, 'The file is too large.');
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

function isBelow(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith('../') && !isAbsolute(way);
}
