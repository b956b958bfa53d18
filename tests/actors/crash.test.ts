// @limit 420
/**
 * The process is killed at every named fault point, again and again, and started anew. Then the database and an independent
 * record of the outside world must agree: every event taken once, every tell arrived once, every effect carried out at
 * least once under its own key, and told of once.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { FaultPoint } from '../../src/actors/index.ts';
import { startPostgres, type TestDatabase, type TestPostgres } from '../support/postgres.ts';
import { event, until } from './support.ts';

const tsx = createRequire(import.meta.url).resolve('tsx');
const CHILD = fileURLToPath(new URL('./crashChild.ts', import.meta.url));
const S = 'session/s' as const;
const EVENTS = 24;

let postgres: TestPostgres;
let folder: string;
const children = new Set<ChildProcess>();
test.before(async () => {
  postgres = await startPostgres();
  folder = mkdtempSync(join(tmpdir(), 'csm-crash-'));
});
test.after(async () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
  await postgres.stop();
});

/** Runs the gateway until it dies or everything is acknowledged and settled. @returns whether it was killed. */
async function life(
  database: TestDatabase,
  world: string,
  fault: string,
  unacknowledged: Map<string, ReturnType<typeof event>>,
): Promise<boolean> {
  const child = spawn(process.execPath, ['--import', tsx, CHILD], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, CSM_TEST_DATABASE: database.url, CSM_TEST_WORLD: world, CSM_TEST_FAULT: fault },
  });
  children.add(child);
  let dead = false;
  const ended = new Promise<boolean>((resolve) => {
    child.once('close', (_code, signal) => {
      dead = true;
      children.delete(child);
      resolve(signal === 'SIGKILL');
    });
  });
  child.stdin.on('error', () => undefined);
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'ready') for (const item of unacknowledged.values()) child.stdin.write(`${JSON.stringify(item)}\n`);
    else unacknowledged.delete(line.slice('ack '.length));
  });
  await until('died or settled', async () => dead || (unacknowledged.size === 0 && (await settled(database))), 30_000);
  child.stdin.end();
  return ended;
}

async function settled({ rows }: TestDatabase): Promise<boolean> {
  const [row] = await rows(
    `select (select count(*) from inbox where done_at is null) + (select count(*) from effect where status = 'pending') as n`,
  );
  return row?.n === 0;
}

const POINTS: readonly FaultPoint[] = ['after-decide', 'after-commit', 'after-effect', 'before-ack'];
for (const point of POINTS) {
  test(`killed ${point}, nothing is lost and nothing committed happens twice`, async () => {
    const database = await postgres.freshDatabase();
    const world = join(folder, point);
    writeFileSync(world, '');
    const sources = new Map<string, ReturnType<typeof event>>();
    const add = (item: ReturnType<typeof event>) => sources.set(item.dedupKey, item);
    add(event(S, { type: 'START', at: 1 }));
    for (let index = 0; index < EVENTS; index += 1) {
      add(event(S, index % 2 === 0 ? { type: 'TELL', at: 1 } : { type: 'ASK', at: 1, text: `${index}` }));
    }
    let kills = 0;
    for (const nth of [1, 3]) if (await life(database, world, `${point}:${nth}`, sources)) kills += 1;
    assert.ok(kills >= 2, `it was killed ${kills} times`);
    assert.not(await life(database, world, '', sources));

    const asked = EVENTS / 2;
    const [sums] = await database.rows(
      `select (select (state->'snapshot'->'context'->>'sent')::int from actor where id = $1) as sent,
              (select jsonb_array_length(state->'snapshot'->'context'->'done') from actor where id = $1) as answered,
              (select (state->'snapshot'->'context'->>'told')::int from actor where id = 'container/c') as told,
              (select count(*) from effect where status = 'done') as done,
              (select count(*) from dead_letter) as dead,
              (select count(*) from journal where actor_id = $1) as journal,
              (select rev from actor where id = $1) as rev`,
      [S],
    );
    const revs = 1 + EVENTS + asked;
    assert.equal(sums, {
      sent: asked,
      answered: asked,
      told: asked,
      done: asked,
      dead: 0,
      journal: revs,
      rev: revs,
    });
    // What the world saw: each effect at least once, under the key that the database knows it by.
    const seen = new Set(readFileSync(world, 'utf8').trim().split('\n'));
    const keys = await database.rows(`select key || ' ' || (params->>'message') as line from effect`);
    assert.equal([...seen].sort(), keys.map(({ line }) => line).sort());
  });
}

test.run();
