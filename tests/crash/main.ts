/** `npm run crash`: makes things fail under load and says what that did to what people were promised. */
import { InvalidArgumentError, Option, program } from 'commander';
import { MODES, type Mode } from './modes.ts';
import { run, type Verdict } from './run.ts';
import { SABOTAGES, type Sabotage } from './sabotage.ts';

interface Flags {
  readonly mode: Mode;
  readonly kills?: number;
  readonly seed: number;
  readonly sessions: number;
  readonly sabotage?: Sabotage;
  readonly patience: number;
  readonly keep?: string;
  readonly json: boolean;
}

function whole(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0) throw new InvalidArgumentError('A whole number is needed.');
  return number;
}

const list = (entries: Readonly<Record<string, string>>) =>
  Object.entries(entries)
    .map(([name, help]) => `  ${name.padEnd(22)} ${help}`)
    .join('\n');

program
  .name('npm run crash --')
  .description(
    'Runs the real gateway under load, makes things fail, and counts what was lost, doubled or does not agree.',
  )
  .addOption(new Option('--mode <mode>', 'what is made to fail').choices(Object.keys(MODES)).default('kill'))
  .option('--kills <number>', 'how often; each mode has its usual number', whole)
  .option('--seed <number>', 'what everything random is drawn from', whole, 1)
  .option('--sessions <number>', 'how many sessions work at the same time', whole, 10)
  .addOption(new Option('--sabotage <name>', 'break a promise on purpose').choices(Object.keys(SABOTAGES)))
  .option('--patience <seconds>', 'how long people and the verdict wait for anything', whole, 90)
  .option('--keep <folder>', 'keep the logs and tables there')
  .option('--json', 'print the verdict as JSON', false)
  .addHelpText(
    'after',
    `\nModes:\n${list(Object.fromEntries(Object.entries(MODES).map(([name, { help }]) => [name, help])))}\n\nSabotages:\n${list(SABOTAGES)}\n\nExits with 0 only if nothing was lost, nothing doubled and everything agrees.`,
  )
  .action(async ({ json, kills, patience, ...options }: Flags) => {
    const onProgress = (text: string) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
    const verdict = await run({
      ...options,
      kills: kills ?? MODES[options.mode].usual,
      patienceMs: patience * 1_000,
      settleMs: patience * 1_000,
      onProgress,
    });
    console.log(json ? JSON.stringify(verdict, null, 2) : inWords(verdict));
    process.exitCode =
      verdict.lost + verdict.duplicated + verdict.inconsistent === 0 && verdict.unsettled.length === 0 ? 0 : 1;
  });

function inWords(verdict: Verdict): string {
  const numbers = (record: Readonly<Record<string, number>>) =>
    Object.entries(record)
      .map(([name, number]) => `${number} ${name}`)
      .join(', ');
  return [
    `lost ${verdict.lost}, duplicated ${verdict.duplicated}, inconsistent ${verdict.inconsistent}${verdict.unsettled.length === 0 ? '' : ', NOT AT REST'}`,
    `totals: ${numbers(verdict.totals)}`,
    `failures: ${numbers(verdict.failures)}`,
    `longest gap: ${verdict.longestGapMs} ms; longest recovery: ${verdict.longestRecoveryMs} ms`,
    ...verdict.violations.map(
      ({ harm, promise, count, examples }) => `${harm} ${count}: ${promise}\n    ${examples.join('\n    ')}`,
    ),
    ...verdict.unsettled.map((what) => `not at rest: ${what}`),
    ...verdict.disappointments.map((what) => `waited in vain: ${what}`),
  ].join('\n');
}

await program.parseAsync();
