/** What only one test process at a time may do, such as making what all of them use. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { promisify } from 'node:util';

/** Held until the returned function is called or this process ends. */
export async function lock(file: string): Promise<() => Promise<void>> {
  const holder = await hold([file]);
  return async () => {
    holder.stdin?.end();
    if (holder.exitCode === null) await once(holder, 'exit');
  };
}

/** Says, as long as this process runs, that it uses what the file stands for; others may use it as well. */
export async function use(file: string): Promise<void> {
  const holder = await hold(['--shared', file]);
  holder.stdout?.destroy();
  if (holder.stdin instanceof Socket) holder.stdin.unref();
  holder.unref();
}

/** Whether some process holds or uses it. */
export async function isUsed(file: string): Promise<boolean> {
  return promisify(execFile)('flock', ['--nonblock', file, 'true']).then(
    () => false,
    () => true,
  );
}

async function hold(words: readonly string[]): Promise<ChildProcess> {
  const program = ['sh', '-c', 'echo locked; cat'];
  const holder = spawn('flock', [...words, ...program], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(holder.stdout, 'data');
  return holder;
}
