/** The machine with the containers is this one: commands are child processes, ended with everything they started. */
import { spawn } from 'node:child_process';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { RetryableError, TerminalError } from '../../../src/actors/index.ts';
import type { Command, Shell, ShellOptions, ShellResult } from '../../../src/adapters/devcontainer/index.ts';

/** @param env the whole login environment of the machine's user */
export function localShell(env: Readonly<Record<string, string>>): Shell {
  return {
    exec: (command, options) => run(command, options, env),
    readFile: async (path, maxBytes) => {
      const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      if (content && content.length > maxBytes) throw new TerminalError('SSH_FILE_TOO_BIG', `${path} is too big`);
      return content;
    },
    writeFile: async (path, content, mode) => {
      await writeFile(`${path}.new`, content, { mode });
      await rename(`${path}.new`, path);
    },
  };
}

function run(command: Command, options: ShellOptions, login: Readonly<Record<string, string>>): Promise<ShellResult> {
  const [program = '', ...args] =
    'script' in command ? ['sh', '-c', command.script, 'sh', ...(command.args ?? [])] : command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: '/', detached: true, env: { ...login, ...options.env } });
    const output = { stdout: '', stderr: '' };
    let ended: Error | undefined;
    const end = (error: Error): void => {
      ended ??= error;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    };
    const timer = setTimeout(
      () => end(new RetryableError('SSH_TIMEOUT', `${program}: not done in time`)),
      options.timeoutMs ?? 60_000,
    );
    const onAbort = (): void => end(new RetryableError('SSH_ABORTED', `${program}: given up`));
    options.signal?.addEventListener('abort', onAbort, { once: true });
    if (options.signal?.aborted) onAbort();
    for (const stream of ['stdout', 'stderr'] as const) {
      let open = '';
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        output[stream] += text;
        const lines = (open + text).split(/\r\n|\n|\r/);
        open = lines.pop() ?? '';
        for (const line of lines) if (line !== '') options.onLine?.(line, stream);
      });
    }
    child.stdin.on('error', () => {}).end(options.stdin ?? '');
    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      if (error.code !== 'ENOENT') return reject(error);
      // What a shell says of a program that is not there.
      resolve({ code: 127, signal: null, stdout: '', stderr: `${program}: not found`, truncated: false });
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      if (ended) reject(ended);
      else
        resolve({ ...output, code: code ?? 128 + (signal ? constants.signals[signal] : 0), signal, truncated: false });
    });
  });
}
