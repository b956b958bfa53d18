import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { grammarHelp } from '../model/index.ts';

export interface DevOptions {
  /** What to say instead of opening a chat page. */
  readonly once: string | undefined;
  readonly json: boolean;
  readonly model: 'scripted' | 'real';
  readonly dataDir: string;
  readonly port: number;
  /** Seconds that a `--once` conversation may take. */
  readonly timeout: number;
}

export function readOptions(argv: readonly string[]): DevOptions {
  const command = new Command('npm run dev --')
    .description('Runs everything on this machine: database, chat page, gateway, a demo repository. Loopback only.')
    .option('--once <message>', 'one conversation without a browser: start a session, say this, print the thread')
    .option('--json', 'with --once: print posts, states and times as JSON', false)
    .addOption(
      new Option('--model <which>', 'scripted: answers without a key; real: ANTHROPIC_API_KEY and the network')
        .choices(['scripted', 'real'])
        .default('scripted'),
    )
    .option('--data-dir <folder>', 'where everything is kept over restarts', '.data')
    .option('--port <number>', 'port of the chat page', parsePort, 8065)
    .option('--timeout <seconds>', 'with --once: give up after this', Number, 180)
    .addHelpText('after', `\nWhat the scripted model understands:\n${grammarHelp}`);
  command.parse([...argv], { from: 'user' });
  const options = command.opts<Omit<DevOptions, 'once'> & { once?: string }>();
  return { ...options, once: options.once, dataDir: resolve(options.dataDir) };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`${text} is not a port`);
  return port;
}
