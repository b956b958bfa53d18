#!/usr/bin/env node
// The command line.
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { failureOf, type OperatorAction } from './actors/index.ts';
import type { Database } from './adapters/postgres/index.ts';
import { auditLines, checkAudit } from './auditLog.ts';
import { bringBundle } from './bringBundle.ts';
import { commandsMarkdown } from './chat/commandsPage.ts';
import { type Config, configMarkdown, databaseUrl, loadConfig, problemText } from './config.ts';
import { callbackFindings } from './doctor/callback.ts';
import { firewallFindings } from './doctor/firewall.ts';
import { type Finding, report } from './doctor/report.ts';
import { CHART_FORMATS, type ChartFormat, chartText, writeCharts } from './inspector/charts/export.ts';
import { isKind, KINDS } from './inspector/charts/kinds.ts';
import { createLog } from './log.ts';
import { actorLines, allowOlder, giveOrder, letterLines, readAddress, withDatabase } from './operate.ts';
import { askHealth } from './selfCheck.ts';
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

program
  .command('commands')
  .description('list every command of the chat')
  .action(() => console.log(commandsMarkdown()));

program
  .command('charts')
  .description('write the statecharts for other programs: JSON for XState editors, Mermaid and SVG for documents')
  .argument('[kind...]', `which: ${KINDS.join(', ')} (all if left out)`)
  .addOption(new Option('--format <format>', 'of the text').choices(CHART_FORMATS).default('svg'))
  .option('--out <folder>', 'write one file for each kind into this folder, instead of to stdout')
  .action(async (kinds: string[], options: { format: ChartFormat; out?: string }) => {
    const unknown = kinds.filter((kind) => !isKind(kind));
    if (unknown.length > 0) program.error(`There is no chart ${unknown.join(', ')}. There are: ${KINDS.join(', ')}`);
    const wanted = kinds.length === 0 ? KINDS : kinds.filter(isKind);
    if (options.out !== undefined) {
      for (const path of await writeCharts(wanted, options.format, options.out)) console.log(path);
    } else for (const kind of wanted) process.stdout.write(await chartText(kind, options.format));
  });

const STATUSES = ['active', 'parked', 'error', 'done'] as const;

program
  .command('actors')
  .description('list actors with their state, what waits for them and how often they failed; the last changed first')
  .argument('[search]', 'part of an address', '')
  .addOption(new Option('--status <status>', 'only these').choices(STATUSES))
  .action((search: string, { status }: { status?: (typeof STATUSES)[number] }) =>
    operating((db) => actorLines(db, status, search)),
  );

program
  .command('letters')
  .description('list events that came to nothing and that nobody has dealt with; the newest first')
  .argument('[address]', 'of one actor')
  .action((address?: string) =>
    operating((db) => letterLines(db, address === undefined ? undefined : readAddress(address))),
  );

const ORDERS: Readonly<Record<OperatorAction, string>> = {
  retry: 'offer a dead letter again; without --letter a parked actor goes on with the event that parked it',
  skip: 'forget a dead letter; without --letter a parked actor goes on without the event that parked it',
  restart: 'make an actor anew from what it was made of',
  stop: 'end an actor for good; whoever holds a place for it is told',
};

for (const [action, description] of Object.entries(ORDERS) as [OperatorAction, string][]) {
  const command = program.command(action).description(description).argument('<address>', 'such as session/abc');
  if (action === 'retry' || action === 'skip')
    command.option('--letter <id>', 'number of a dead letter: see csm letters');
  command.action((address: string, { letter }: { letter?: string }) =>
    operating(async (db) => {
      if (letter !== undefined && !/^\d{1,15}$/.test(letter))
        throw new Error('--letter takes the number of a dead letter.');
      const { result, reason } = await giveOrder(
        db,
        action,
        readAddress(address),
        letter === undefined ? undefined : Number(letter),
      );
      if (result === 'refused') throw new Error(reason);
      return [result === 'done' ? 'Done.' : reason];
    }),
  );
}

program
  .command('allow-older')
  .description('let this program lead although a newer one has led; end the newer one first')
  .option('--leave-unreadable', 'leave alone the actors whose state it cannot read', false)
  .action(({ leaveUnreadable }: { leaveUnreadable: boolean }) => operating((db) => allowOlder(db, leaveUnreadable)));

const audit = program.command('audit').description('the record of who decided, opened and refused what');
audit
  .command('verify')
  .description('check that no entry was changed or taken out; says the last hash, to be noted elsewhere')
  .option('--known <hash>', 'a last hash that was noted: its entry must still be there')
  .action(({ known }: { known?: string }) => operating(async (db) => [await checkAudit(db, known)]));
audit
  .command('export')
  .description('print every entry as a line of JSON, the oldest first')
  .action(() => operating(auditLines));

const doctor = program.command('doctor').description('prove that what the settings name works; exit 1 if it does not');
doctor
  .command('firewall')
  .description('prove that the firewall can be changed and that changes take effect')
  .option('--create-alias', 'make the alias in OPNsense if it is not there', false)
  .option('--open <host>', 'open this host in OPNsense and close it again', '')
  .option('--json', 'print one JSON object', false)
  .action(({ createAlias, open, json }: { createAlias: boolean; open: string; json: boolean }) =>
    examine('firewall', json, (config) => firewallFindings(config, { createAlias, host: open })),
  );
doctor
  .command('callback')
  .description('prove that clicks arrive: posts a button, presses it as the bot, and deletes the post')
  .option('--channel <id>', 'to post in; default: SM_OPERATOR_CHANNEL_ID', '')
  .option('--json', 'print one JSON object', false)
  .action(({ channel, json }: { channel: string; json: boolean }) =>
    examine('callback', json, (config) => callbackFindings(config, channel)),
  );

program
  .command('bundle')
  .description('bring the worker bundle that npm run worker:bundle has made to the VM, to where SM_WORKER_MOUNT says')
  .argument('<folder>', 'of the bundle, on this machine')
  .action(async (folder: string) => {
    const config = readConfig();
    if (!config) return program.error('Nothing was brought.');
    try {
      await bringBundle(config, folder, (line) => console.log(line));
    } catch (error) {
      program.error(failureOf(error).human);
    }
  });

program
  .command('health')
  .description('ask the gateway of this machine or container how it is; exit 1 if it is not well')
  .action(async () => {
    const { healthy, sentence } = await askHealth(process.env);
    console.log(sentence);
    process.exitCode = healthy ? 0 : 1;
  });

await program.parseAsync();

/** Prints lines that need the database alone: of the configuration only its address is read. */
async function operating(work: (db: Database) => Promise<readonly string[]> | AsyncIterable<string>): Promise<void> {
  const url = databaseUrl(process.env, (path) => readFileSync(path, 'utf8'));
  if ('problem' in url) return program.error(problemText(url.problem));
  try {
    await withDatabase(url.value, async (db) => {
      for await (const line of await work(db)) console.log(line);
    });
  } catch (error) {
    program.error(error instanceof Error ? error.message : String(error));
  }
}

async function examine(
  what: string,
  json: boolean,
  findings: (config: Config) => AsyncIterable<Finding>,
): Promise<void> {
  const config = readConfig();
  const works = config && (await report(what, findings(config), { json, print: (line) => console.log(line) }));
  if (!works) process.exitCode = 1;
}

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
  // From the beginning: process 1 of a container does not hear a signal that nobody handles.
  const asked = signalled();
  try {
    const service = await Promise.race([serve(config, log), asked]);
    // Nothing has begun yet that would need an orderly end, and what a start waits for may never come.
    if (service === undefined) process.exit(0);
    await asked;
    log.info('stopping');
    await service.stop();
    return 0;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    console.error(`The gateway cannot start. ${error.message}`);
    return 1;
  }
}

function signalled(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve(undefined));
  });
}
