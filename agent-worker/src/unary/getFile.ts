// A file below a session's folder, in chunks.
import { type handleServerStreamingCall, type ServerWritableStream, status } from '@grpc/grpc-js';
import { messageOf } from '../errors.ts';
import type { GetFileRequest, GetFileResponse } from '../generated/claude_agent/v1/agent.ts';
import { FileRefused, openBelow } from '../openBelow.ts';
import type { Registry } from '../worker/registry.ts';

const CHUNK_BYTES = 256 * 1024;
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

function drained(call: ServerWritableStream<GetFileRequest, GetFileResponse>): Promise<void> {
  return new Promise((resolve) => {
    call.once('drain', resolve);
    call.once('cancelled', () => resolve());
  });
}
