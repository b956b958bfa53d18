/** Workers outlive their gateway on purpose; when the whole environment ends, they end with it. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const STOP_LIMIT_MS = 15_000;

/** Ends every worker that a local workspace below this folder started. */
export async function stopWorkers(workspaceDir: string): Promise<void> {
  const folders = await readdir(join(workspaceDir, 'workers')).catch(() => []);
  await Promise.all(folders.map((folder) => stopWorker(join(workspaceDir, 'workers', folder))));
}

async function stopWorker(folder: string): Promise<void> {
  const text = await readFile(join(folder, 'worker.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return;
  const { pid, startTime } = JSON.parse(text) as { pid: number; startTime: string };
  if ((await startTimeOf(pid)) !== startTime) return;
  process.kill(pid, 'SIGTERM');
  for (const end = Date.now() + STOP_LIMIT_MS; (await startTimeOf(pid)) === startTime; ) {
    if (Date.now() > end) process.kill(-pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function startTimeOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}
