/** The whole benchmark of the runtime, on a PostgreSQL of its own that writes through to the disk. */
import { startPostgres } from '../../tests/support/postgres.ts';
import { serverOf, thisMachine } from '../machine.ts';
import { measureBoot } from './boot.ts';
import { measureMemory } from './memory.ts';
import type { Profile, RuntimeReport } from './report.ts';
import { measureThroughput } from './throughput.ts';

/** Unlike the servers of tests: writes through to the disk and cleans up after itself, as a server in use does. */
const DURABLE = ['fsync=on', 'full_page_writes=on', 'autovacuum=on', 'shared_buffers=128MB'];

const NOTE =
  'Only ratios mean something: variants took turns on a machine that others use as well. A spread is the median of the ' +
  'rounds with the range of their middle half.';

/** @param say hears what is going on. @throws whatever goes wrong: a part that failed gives no report. */
export async function runRuntimeBench(profile: Profile, say: (line: string) => void): Promise<RuntimeReport> {
  const machine = thisMachine();
  const at = new Date().toISOString();
  say('starting PostgreSQL');
  const postgres = await startPostgres({ settings: DURABLE });
  try {
    const server = await serverOf((await postgres.freshDatabase()).db.pool);
    const memory = await measureMemory(postgres, profile);
    const throughput = await measureThroughput(postgres, profile, say);
    const boot = await measureBoot(postgres, profile, say);
    return {
      benchmark: 'runtime',
      profile,
      at,
      how: 'TypeScript sources run by tsx (node --import tsx); types are stripped, nothing else changes',
      note: NOTE,
      machine,
      postgres: server,
      ...throughput,
      memory,
      boot,
    };
  } finally {
    await postgres.stop();
  }
}
