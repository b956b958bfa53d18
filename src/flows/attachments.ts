/** What people attach to their posts, on its way to the agent. */
import { TerminalError } from '../actors/index.ts';
import { isChatError, type MattermostRest } from '../adapters/mattermost/index.ts';

/** Of one file; a message to the worker holds 16 MiB in all. */
const MAX_FILE_BYTES = 5 * 1024 * 1024;

type Rest = Pick<MattermostRest, 'within'>;

/** @throws TerminalError for what will not be there however often it is asked for: nobody waits behind it */
export async function fetchAttachment(rest: Rest, fileId: string, signal: AbortSignal) {
  try {
    return await fetch(rest, fileId, signal);
  } catch (error) {
    if (!isChatError(error) || error.retryable || ['CHAT_ABORTED', 'CHAT_TOKEN'].includes(error.code)) throw error;
    throw new TerminalError('FILE_REFUSED', error.message, {
      cause: error,
      human:
        'A file of this message cannot be fetched from Mattermost, so the message was not passed on. Send it again.',
    });
  }
}

async function fetch(rest: Rest, fileId: string, signal: AbortSignal) {
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
