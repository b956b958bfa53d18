#!/usr/bin/env node
// The command line.
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { configMarkdown, loadConfig, problemText } from './config.ts';
import { createLog } from './log.ts';
import { serve } from './serve.ts';
import { StartError } from './start.ts';
import { version } from './version.ts';

const program = new Command('csm')
  .description('Claude Session Manager: chat with Claude Code in Mattermost threads.')
  .version(version)
  .addHelpText('after', '\nThe configuration comes from SM_* environment variables: csm config lists them.');

program
  .command('serve', { isDefault: true })
  .description('run the gateway')
  .action(async () => {
    process.exitCode = await runGateway();
  });

program
  .command('config')
  .description('list every setting with its default; with --check, say what is wrong with the present ones')
  .option('--check', 'check the environment and exit 1 if something is wrong', false)
  .action(({ check }: { check: boolean }) => {
    if (!check) console.log(configMarkdown());
    else process.exitCode = readConfig() ? 0 : 1;
  });

await program.parseAsync();

/** Says all that is wrong at once, on stderr. */
function readConfig() {
  const loaded = loadConfig(process.env, (path) => readFileSync(path, 'utf8'));
  for (const warning of loaded.warnings) console.error(`warning: ${problemText(warning)}`);
  if (loaded.ok) return loaded.config;
  console.error('The gateway cannot start. Please set:');
  for (const problem of loaded.problems) console.error(`  ${problemText(problem)}`);
  return undefined;
}

async function runGateway(): Promise<number> {
  const config = readConfig();
  if (!config) return 1;
  const log = createLog(config.server.logLevel);
  try {
    const service = await serve(config, log);
    await signalled();
    log.info('stopping');
    await service.stop();
    return 0;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    console.error(`The gateway cannot start. ${error.message}`);
    return 1;
  }
}

function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
  });
}
