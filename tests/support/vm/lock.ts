/** What only one test process at a time may do, such as making what all of them use. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Held until the returned function is called or this process ends. */
export async function lock(file: string): Promise<() => Promise<void>> {
  const holder = spawn('flock', [file, 'sh', '-c', 'echo locked; cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(holder.stdout, 'data');
  return async () => {
    holder.stdin.end();
    if (holder.exitCode === null) await once(holder, 'exit');
  };
}
