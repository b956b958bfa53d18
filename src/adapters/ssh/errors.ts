/**
 * What can go wrong between us and the VM, in this program's words. What ssh2 and sshd report becomes one of these here
 * and nowhere else. `human` names the cause and the next step.
 */
import { RetryableError, TerminalError } from '../../actors/index.ts';

/** The VM showed a key that is not the expected one, or there is nothing to compare it with. */
export class HostKeyError extends TerminalError {
  /** SHA-256 fingerprints of the keys that were shown, as OpenSSH prints them. */
  readonly shown: readonly string[];
  constructor(message: string, human: string, shown: readonly string[]) {
    super('SSH_HOST_KEY', message, { human });
    this.shown = shown;
  }
}

/** The VM does not let our key in, or we have none that can be used. */
export class AuthError extends TerminalError {
  constructor(message: string, human: string, cause?: unknown) {
    super('SSH_AUTH', message, { human, cause });
  }
}

/** No connection, and so nothing was started. */
export class UnreachableError extends RetryableError {
  constructor(message: string, human: string, cause?: unknown) {
    super('SSH_UNREACHABLE', message, { human, cause });
  }
}

/** The command was not done in time and was ended. */
export class TimeoutError extends RetryableError {
  /** Whether the VM confirmed that nothing of it runs any more. If not, it is ended when the connection is back. */
  readonly ended: boolean;
  /** @param isShort the limit is the one of short commands */
  constructor(what: string, timeoutMs: number, ended: boolean, isShort = false) {
    const seconds = Math.round(timeoutMs / 100) / 10;
    const setting = isShort ? ' SM_SSH_TIMEOUT_SECS sets that limit.' : '';
    super('SSH_TIMEOUT', `${what}: not done within ${seconds} s${ended ? '' : '; not seen to end'}`, {
      human: `A command on the VM (${what}) took longer than ${seconds} seconds and was ended. The VM may be overloaded, or its disk may hang.${setting}`,
    });
    this.ended = ended;
  }
}

/** The caller gave up; the command was ended. */
export class AbortedError extends RetryableError {
  readonly ended: boolean;
  constructor(what: string, ended: boolean, cause: unknown) {
    super('SSH_ABORTED', `${what}: given up${ended ? '' : '; not seen to end'}`, { cause });
    this.ended = ended;
  }
}

/** The command ran and said no. */
export class ExitError extends TerminalError {
  readonly exitCode: number;
  /** The end of what it wrote to stderr. */
  readonly stderrTail: string;
  constructor(what: string, exitCode: number, stderr: string) {
    const tail = stderr.trim().slice(-2000);
    const last = tail.split('\n').at(-1) ?? '';
    super('SSH_EXIT', `${what}: exit code ${exitCode}${last === '' ? '' : `: ${last}`}`, {
      human: `A command on the VM (${what}) failed with exit code ${exitCode}${last === '' ? '.' : `: ${last}`}`,
    });
    this.exitCode = exitCode;
    this.stderrTail = tail;
  }
}

/** Something on the VM ended the command: the kernel for want of memory, a person, a shutdown. */
export class KilledError extends RetryableError {
  readonly signal: string;
  constructor(what: string, signal: string) {
    super('SSH_KILLED', `${what}: ended by ${signal}`, {
      human: `A command on the VM (${what}) was ended by ${signal} from outside. If that repeats, look at the VM's memory and its system log.`,
    });
    this.signal = signal;
  }
}

/** The connection went away while the command ran: it may or may not have done its work. */
export class ConnectionLostError extends RetryableError {
  constructor(what: string, reason: string) {
    super('SSH_CONNECTION_LOST', `${what}: connection lost (${reason}), outcome unknown`, {
      human: `The connection to the VM was lost (${reason}) while a command ran there. It will be tried again.`,
    });
  }
}

/** The login shell did not run what it was given. */
export function loginShellError(user: string, said: string): TerminalError {
  const words = said.trim().split('\n').at(-1) ?? '';
  return new TerminalError('SSH_SHELL', `The login shell of ${user} runs no commands: ${words}`, {
    human: `The VM's user "${user}" cannot run commands${words === '' ? '' : ` ("${words}")`}. Give it a POSIX login shell such as /bin/bash and see what its start files print.`,
  });
}

/** What became of one attempt to connect. */
export interface ConnectFailure {
  readonly target: string;
  readonly cause: unknown;
}

/** Translates ssh2's errors of the time before a connection is ready. Host key errors are made where the key is seen. */
export function connectError({ target, cause }: ConnectFailure): AuthError | UnreachableError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const level = typeof cause === 'object' && cause !== null && 'level' in cause ? cause.level : undefined;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  if (level === 'client-authentication') {
    return new AuthError(
      `${target}: ${text}`,
      `The VM refuses the key for ${target}. Check SM_VM_USER and SM_VM_SSH_KEY: its public half must be in that user's authorized_keys.`,
      cause,
    );
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new UnreachableError(`${target}: ${text}`, `The VM's name cannot be resolved. Check SM_VM_HOST.`, cause);
  }
  if (code === 'ECONNREFUSED') {
    return new UnreachableError(
      `${target}: ${text}`,
      'The VM refuses SSH connections. Is sshd running there, and are SM_VM_HOST and SM_VM_PORT right?',
      cause,
    );
  }
  return new UnreachableError(
    `${target}: ${text}`,
    `The VM cannot be reached over SSH (${text}). Check SM_VM_HOST, SM_VM_PORT and the network between.`,
    cause,
  );
}
