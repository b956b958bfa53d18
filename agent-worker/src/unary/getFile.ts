// A file below a session's folder, in chunks. The path is checked on the opened file itself, so a symbolic link (or one
// exchanged in between) leads nowhere else.
import { constants } from 'node:fs';
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { type handleServerStreamingCall, type ServerWritableStream, status } from '@grpc/grpc-js';
import { messageOf } from '../errors.ts';
import type { GetFileRequest, GetFileResponse } from '../generated/claude_agent/v1/agent.ts';
import type { Registry } from '../worker/registry.ts';

const CHUNK_BYTES = 256 * 1024;
/** The largest file that is handed out. */
export const FILE_LIMIT = 100 * 1024 * 1024;

class FileRefused extends Error {
  readonly code: status;
  constructor(code: status, details: string) {
    super(details);
    this.code = code;
  }
}

export function getFileCall(registry: Registry): handleServerStreamingCall<GetFileRequest, GetFileResponse> {
  return (call) => {
    const session = registry.get(call.request.sessionId);
    const sent = session
      ? sendFile(session.stored.options.cwd, call)
      : Promise.reject(new FileRefused(status.NOT_FOUND, 'The session is unknown.'));
    sent.then(
      () => call.end(),
      (error: unknown) => {
        const code = error instanceof FileRefused ? error.code : status.INTERNAL;
        call.emit('error', { code, details: messageOf(error) });
      },
    );
  };
}

async function sendFile(cwd: string, call: ServerWritableStream<GetFileRequest, GetFileResponse>): Promise<void> {
  const file = await openBelow(cwd, call.request.path);
  try {
    const buffer = Buffer.alloc(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES);
      if (bytesRead === 0 || call.cancelled) return;
      if (!call.write({ chunk: Buffer.from(buffer.subarray(0, bytesRead)) })) await drained(call);
    }
  } finally {
    await file.close();
  }
}

async function openBelow(cwd: string, path: string): Promise<FileHandle> {
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

function drained(call: ServerWritableStream<GetFileRequest, GetFileResponse>): Promise<void> {
  return new Promise((resolve) => {
    call.once('drain', resolve);
    call.once('cancelled', () => resolve());
  });
}
