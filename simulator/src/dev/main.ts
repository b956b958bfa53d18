#!/usr/bin/env node
// `npm run dev`: everything on this machine, or one conversation with `--once`.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Environment, removeEnvironment, startEnvironment } from './environment.ts';
import { converse, type OnceReport } from './once.ts';
import { type DevOptions, readOptions } from './options.ts';

const options = readOptions(process.argv.slice(2));
process.exitCode = await (options.once === undefined ? runPage(options) : runOnce(options, options.once));

async function runPage({ dataDir, port, model }: DevOptions): Promise<number> {
  console.error('Starting database, chat, model and gateway …');
  const environment = await startEnvironment({ dataDir, port, model });
  console.log(`Open ${environment.pageUrl} and write: @claude start demo   (Ctrl-C ends everything)`);
  console.log(`The statecharts at work: ${environment.inspectorUrl}`);
  const why = await Promise.race([interrupted(), environment.gateway().ended]);
  console.error(why === '' ? '\nStopping …' : why);
  await environment.stop();
  return why === '' ? 0 : 1;
}

/** A conversation of its own, in a folder of its own that goes when it ends. */
async function runOnce({ json, model, timeout }: DevOptions, message: string): Promise<number> {
  const dataDir = await mkdtemp(join(tmpdir(), 'csm-once-'));
  const started = Date.now();
  let environment: Environment | undefined;
  const abort = interrupted().then(async () => {
    await environment?.stop();
    await removeEnvironment(dataDir);
    process.exit(130);
  });
  try {
    environment = await startEnvironment({ dataDir, port: 0, model });
    const ready = Date.now() - started;
    const result = await Promise.race([converse(environment, message, timeout * 1000), abort]);
    const report: OnceReport = { ...result, stages: { 'start -> gateway healthy': ready, ...result.stages } };
    console.log(json ? JSON.stringify(report, null, 2) : plain(report));
    return report.answered ? 0 : 1;
  } finally {
    await environment?.stop();
    await removeEnvironment(dataDir);
  }
}

function plain({ posts, states, stages, gatewayRssBytes, answered }: OnceReport): string {
  const thread = posts.map(({ author, message }) => `${author}:\n${message.replace(/^/gm, '  ')}`).join('\n\n');
  const times = Object.entries(stages).map(([stage, ms]) => `  ${stage}: ${ms === null ? '-' : `${ms} ms`}`);
  return [
    thread,
    '',
    `States: ${states.join(' > ')}`,
    'Times:',
    ...times,
    `Gateway memory: ${Math.round(gatewayRssBytes / 1_048_576)} MiB`,
    answered ? 'The agent answered.' : 'The agent did NOT answer.',
  ].join('\n');
}

function interrupted(): Promise<''> {
  return new Promise((resolve) => {
    // Ctrl-C reaches us more than once: from the terminal and from npm. What is stopping must not be cut off by it.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve(''));
  });
}
