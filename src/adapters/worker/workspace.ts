/** Looking at a session's workspace through its worker: git in the checkout, and the worker's own log. */
import type { ServiceError } from '@grpc/grpc-js';
import { TerminalError } from '../../actors/index.ts';
import { type Address, keyOf } from '../../machines/addresses.ts';
import type { WorkerClient } from './client.ts';
import { GitCommand } from './generated/claude_agent/v1/agent.ts';

/** Longer than git may take in the worker. */
const PATIENCE_MS = 25_000;

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
  };
}

function failed(what: string, error: ServiceError): TerminalError {
  const human = `${what}: ${error.details === '' ? 'the workspace does not answer' : error.details}`;
  return new TerminalError('WORKER_CALL_FAILED', error.message, { human, cause: error });
}
