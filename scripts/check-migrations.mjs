#!/usr/bin/env node
// The migrations under drizzle/ say what the schema says: generating one more must find nothing to do. And all of them are applied,
// which is what those are that the journal lists.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'csm-migrations-'));
try {
  cpSync('drizzle', join(folder, 'drizzle'), { recursive: true });
  const before = migrations();
  // drizzle-kit takes paths from the working directory only.
  const out = relative('.', join(folder, 'drizzle'));
  const said = execFileSync(
    'npx',
    ['drizzle-kit', 'generate', '--dialect', 'postgresql', '--schema', 'src/adapters/postgres/schema.ts', '--out', out],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const journal = JSON.parse(readFileSync('drizzle/meta/_journal.json', 'utf8'));
  const listed = journal.entries.map(({ tag }) => `${tag}.sql`);
  const added = migrations().filter((file) => !before.includes(file));
  if (added.length > 0) {
    console.error('The schema has changed without a migration. Run "npm run db:generate" and commit what it makes.');
    process.exitCode = 1;
  } else if (listed.join() !== before.sort().join()) {
    console.error('drizzle/meta/_journal.json does not list the migrations that are there.');
    process.exitCode = 1;
  } else if (!said.includes('No schema changes')) {
    console.error(said);
    process.exitCode = 1;
  } else {
    console.log(`${before.length} migration(s) match the schema.`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function migrations() {
  return readdirSync(join(folder, 'drizzle')).filter((file) => file.endsWith('.sql'));
}
