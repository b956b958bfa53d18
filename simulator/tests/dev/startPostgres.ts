/** Starts the database of a folder, prints what came of it as JSON, and leaves it running. */
import { DevError } from '../../src/dev/errors.ts';
import { startEmbeddedPostgres } from '../../src/dev/postgres.ts';

const [dataDir = ''] = process.argv.slice(2);
try {
  const { url, pid, adopted } = await startEmbeddedPostgres({ dataDir, log: () => {} });
  console.log(JSON.stringify({ url, pid, adopted, uid: process.getuid?.() }));
} catch (error) {
  console.log(JSON.stringify({ code: error instanceof DevError ? error.code : String(error) }));
}
