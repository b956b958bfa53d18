/** Looking at a session's workspace through its worker: git in the checkout, and the worker's own log. */
import type { ServiceError } from '@grpc/grpc-js';
import { TerminalError } from '../../actors/index.ts';
import { type Address, keyOf } from '../../machines/addresses.ts';
import type { WorkerClient } from './client.ts';
import { type GetFileResponse, GitCommand } from './generated/claude_agent/v1/agent.ts';

/** Longer than git may take in the worker. */
const PATIENCE_MS = 25_000;

/** A file is held in memory until the chat has it. The worker's own tool offers none that is larger. */
const FILE_LIMIT = 20 * 1024 * 1024;

const COMMANDS = { status: GitCommand.STATUS, diff: GitCommand.DIFF, unpushed: GitCommand.UNPUSHED } as const;

export interface Printed {
  readonly output: string;
  /** The end of it is missing. */
  readonly truncated: boolean;
}

/** Every call throws a TerminalError with words for people: asking again is a person's business. */
export interface WorkspaceView {
  git(session: Address, command: keyof typeof COMMANDS): Promise<Printed>;
  logs(session: Address, lines: number): Promise<readonly string[]>;
  /** A file below the working directory, whole. */
  file(session: Address, path: string): Promise<Buffer>;
}

/** @param clientOf the connection of the session's link, while it has one */
export function workspaceView(clientOf: (session: Address) => WorkerClient | undefined): WorkspaceView {
  const connected = (session: Address): WorkerClient => {
    const client = clientOf(session);
    if (client) return client;
    throw new TerminalError('WORKER_AWAY', `No connection to the worker of ${session}`, {
      human: 'The session is not connected to its workspace now. `@claude resume` starts it if it was stopped.',
    });
  };
  return {
    git(session, command) {
      const { stub, metadata } = connected(session);
      const request = { sessionId: keyOf(session), command: COMMANDS[command] };
      return new Promise((resolve, reject) => {
        stub.runGit(request, metadata(), { deadline: Date.now() + PATIENCE_MS }, (error, answer) =>
          error ? reject(failed('git could not be run', error)) : resolve(answer),
        );
      });
    },
    logs(session, lines) {
      const { stub, metadata } = connected(session);
      return new Promise((resolve, reject) => {
        stub.readLogs({ lines }, metadata(), { deadline: Date.now() + PATIENCE_MS }, (error, answer) =>
          error ? reject(failed('The log could not be read', error)) : resolve(answer.lines),
        );
      });
    },
    async file(session, path) {
      const { stub, metadata } = connected(session);
      const request = { sessionId: keyOf(session), path };
      const chunks: Buffer[] = [];
      let size = 0;
      const call = stub.getFile(request, metadata(), { deadline: Date.now() + PATIENCE_MS });
      try {
        for await (const { chunk } of call as AsyncIterable<GetFileResponse>) {
          size += chunk.length;
          if (size > FILE_LIMIT) throw new TerminalError('FILE_TOO_BIG', path, { human: 'It is larger than 20 MB.' });
          chunks.push(Buffer.from(chunk));
        }
      } catch (error) {
        call.cancel();
        throw error instanceof TerminalError ? error : failed('It could not be read', error as ServiceError);
      }
      return Buffer.concat(chunks);
    },
  };
}

function failed(what: string, error: ServiceError): TerminalError {
  const human = `${what}: ${error.details === '' ? 'the workspace does not answer' : error.details}`;
  return new TerminalError('WORKER_CALL_FAILED', error.message, { human, cause: error });
}
