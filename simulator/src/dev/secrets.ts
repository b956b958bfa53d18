import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';

/** Secrets of one development environment, made once. */
export interface DevSecrets {
  /** Part of the chat page's address. */
  readonly page: string;
  readonly callback: string;
}

/** Reads or makes the secrets; the file is for its owner only. */
export async function readSecrets(file: string): Promise<DevSecrets> {
  const known = await readFile(file, 'utf8').catch(() => undefined);
  if (known !== undefined) return JSON.parse(known) as DevSecrets;
  const fresh: DevSecrets = { page: randomBytes(16).toString('hex'), callback: randomBytes(32).toString('hex') };
  await writeFile(file, JSON.stringify(fresh), { mode: 0o600 });
  return fresh;
}
