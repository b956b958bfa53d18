/** Files that the agent gives to the thread: fetched from its workspace and uploaded when their post is made. */
import { RetryableError, TerminalError } from '../actors/index.ts';
import type { MattermostRest } from '../adapters/mattermost/index.ts';
import type { WorkspaceView } from '../adapters/worker/workspace.ts';
import type { Address } from '../machines/addresses.ts';
import type { Posting } from './posting.ts';

export interface OfferedFile {
  readonly session: Address;
  readonly channelId: string;
  /** Relative to the working directory. */
  readonly path: string;
  /** How often it was tried in vain just before. */
  readonly attempts: number;
}

export interface OfferedFilePorts {
  readonly workspace: Pick<WorkspaceView, 'file'>;
  readonly rest: Pick<MattermostRest, 'uploadFile'>;
  readonly posting: Pick<Posting, 'call'>;
}

/** The uploaded file, or why there is none, in words. */
export type Attached = { readonly fileId: string } | { readonly problem: string };
export type AttachFile = (file: OfferedFile) => Promise<Attached>;

/** The way to a workspace may be lost for a moment; a thread waits for its file no longer than about half a minute. */
const MAX_ATTEMPTS = 4;

/** @throws RetryableError while it may still work */
export function attachFile({ workspace, rest, posting }: OfferedFilePorts): AttachFile {
  return async ({ session, channelId, path, attempts }) => {
    try {
      const bytes = await workspace.file(session, path);
      const { id } = await posting.call('final', () => rest.uploadFile({ channelId, name: fileName(path), bytes }));
      return { fileId: id };
    } catch (error) {
      if (!(error instanceof TerminalError)) throw error;
      if (error.code === 'WORKER_AWAY' && attempts < MAX_ATTEMPTS) {
        throw new RetryableError(error.code, error.message, { cause: error });
      }
      return { problem: error.human ?? error.message };
    }
  };
}

/** The last part of the path, without what could make it look like another one. */
export function fileName(path: string): string {
  const last = path.split('/').at(-1) ?? '';
  const plain = last.replace(/[\p{Cc}\p{Cf}\\:*?"<>|]/gu, '_').replace(/^\.+/, '');
  return [...plain].slice(-120).join('') || 'file';
}
