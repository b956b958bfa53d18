// `npm run bench -- <name>`: measures; nothing here is part of the product.
import { Command } from 'commander';
import { PROFILES } from './runtime/report.ts';
import { runRuntimeBench } from './runtime/run.ts';
import { textOf } from './runtime/text.ts';

const program = new Command('npm run bench --').description('Measures parts of the session manager. Needs PostgreSQL.');

program
  .command('runtime')
  .description(
    'the actor runtime on a real PostgreSQL: turns, latency, ways to commit, memory, start-up; as ratios against a bare UPDATE',
  )
  .option('--json', 'print one JSON document instead of tables', false)
  .option('--quick', 'a few seconds, for tests: all figures, none of them to be relied on', false)
  .addHelpText('after', '\nThe full profile takes some minutes and needs 1 GiB of disk in the temporary folder.')
  .action(async ({ json, quick }: { readonly json: boolean; readonly quick: boolean }) => {
    const report = await runRuntimeBench(quick ? PROFILES.quick : PROFILES.full, (line) => console.error(line));
    console.log(json ? JSON.stringify(report, null, 2) : textOf(report));
  });

await program.parseAsync();
