/** A folder for a database of its own, and the small tools of these tests. */
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { removeEmbeddedPostgres } from '../../src/dev/postgres.ts';

export const NOBODY = { uid: 65_534, gid: 65_534 };
export const isRoot = process.getuid?.() === 0;
export const log = (): void => {};

export interface TestFolder {
  readonly folder: string;
  readonly dataDir: string;
  /** Ends the server and removes everything. */
  remove(): Promise<void>;
}

export async function testFolder(): Promise<TestFolder> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'csm-postgres-'));
  await chmod(folder, 0o755);
  const dataDir = path.join(folder, 'postgres');
  return {
    folder,
    dataDir,
    remove: async () => {
      await removeEmbeddedPostgres(dataDir);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows.flatMap((row) => Object.values(row));
  } finally {
    await client.end();
  }
}

export interface Started {
  readonly url?: string;
  readonly pid?: number;
  readonly adopted?: boolean;
  readonly code?: string;
}

/** Starts it in a process that ends at once, as that user. */
export function startInChild(dataDir: string, as: { uid?: number; gid?: number } = {}): Promise<Started> {
  const script = fileURLToPath(new URL('./startPostgres.ts', import.meta.url));
  const env = { PATH: process.env.PATH ?? '', HOME: path.dirname(dataDir) };
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), script, dataDir],
      { ...as, env, timeout: 60_000 },
      (error, stdout, stderr) =>
        error ? reject(new Error(`${error.message}\n${stderr}`)) : resolve(JSON.parse(stdout)),
    );
  });
}
