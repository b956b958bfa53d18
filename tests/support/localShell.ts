/** The git adapter's shell on this machine: what the SSH connection promises, without SSH. */
import { spawn } from 'node:child_process';
import { RetryableError } from '../../src/actors/index.ts';
import type { Shell } from '../../src/adapters/git/index.ts';

/**
 * @param env added to every command's environment, e.g. a HOME
 * @param launcher what starts every command, e.g. in a namespace
 */
export function localShell(env: Readonly<Record<string, string>> = {}, launcher: readonly string[] = []): Shell {
  return {
    exec: ({ script, args = [] }, options) =>
      new Promise((resolve, reject) => {
        const [program = 'sh', ...words] = [...launcher, 'sh', '-c', script, 'sh', ...args];
        const child = spawn(program, words, {
          cwd: options.cwd ?? '/',
          detached: true,
          env: { PATH: process.env.PATH, HOME: '/nonexistent', ...env, ...options.env },
        });
        let failure: unknown;
        const end = (reason: unknown): void => {
          failure ??= reason;
          if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
        };
        const late = new RetryableError('TEST_TIMEOUT', 'not done in time');
        const timer = setTimeout(() => end(late), options.timeoutMs);
        const onAbort = (): void => end(options.signal?.reason);
        options.signal?.addEventListener('abort', onAbort, { once: true });
        const output = { stdout: '', stderr: '' };
        for (const name of ['stdout', 'stderr'] as const) {
          child[name].setEncoding('utf8');
          child[name].on('data', (text: string) => {
            output[name] += text;
            for (const line of text.split(/[\r\n]+/)) if (line !== '') options.onLine?.(line, name);
          });
        }
        // A command need not read it.
        child.stdin.on('error', () => {});
        child.stdin.end(options.stdin ?? '');
        child.on('error', reject);
        child.on('close', (code) => {
          clearTimeout(timer);
          options.signal?.removeEventListener('abort', onAbort);
          if (failure !== undefined) return reject(failure);
          resolve({ code: code ?? 128, ...output });
        });
      }),
  };
}
