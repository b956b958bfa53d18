/** Host keys that were trusted on first use: the first ever kept for a VM is the one that counts. */
import { type Database, run, type Statement } from '../database.ts';

const HOST_KEY: Statement = { name: 'host_key', text: 'select key from vm_host_key where target = $1' };

export async function hostKey(db: Database, target: string): Promise<string | undefined> {
  const [row] = await run<{ key: string }>(db, HOST_KEY, [target]);
  return row?.key;
}

const KEEP_HOST_KEY: Statement = {
  name: 'keep_host_key',
  text: `
with kept as (insert into vm_host_key (target, key) values ($1, $2) on conflict (target) do nothing returning key)
select key from kept union all select key from vm_host_key where target = $1 limit 1`,
};

/** @returns the key that is kept; undefined if another process has just kept one that this statement does not see yet */
export async function keepHostKey(db: Database, target: string, key: string): Promise<string | undefined> {
  const [row] = await run<{ key: string }>(db, KEEP_HOST_KEY, [target, key]);
  return row?.key;
}
