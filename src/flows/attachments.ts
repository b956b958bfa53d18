/** What people attach to their posts, on its way to the agent. */
import { TerminalError } from '../actors/index.ts';
import type { MattermostRest } from '../adapters/mattermost/index.ts';

/** Of one file; a message to the worker holds 16 MiB in all. */
const MAX_FILE_BYTES = 5 * 1024 * 1024;

export async function fetchAttachment(rest: MattermostRest, fileId: string, signal: AbortSignal) {
  const client = rest.within(signal);
  const info = await client.fileInfo(fileId);
  if (info.size > MAX_FILE_BYTES) {
    throw new TerminalError('FILE_TOO_BIG', `File of ${info.size} bytes`, {
      human: `\`${info.name}\` is larger than 5 MB, so the message was not passed on. Send it again without the file.`,
    });
  }
  const content = await client.downloadFile(fileId, MAX_FILE_BYTES);
  return { name: info.name, mediaType: info.mimeType, content };
}
