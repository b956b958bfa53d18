// @limit 240
// Claude Code changes its dialect from version to version, and its output may be damaged: no such line ends a session.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { suite } from 'uvu';
import { type ModelApi, startModelApi } from '../../../simulator/src/model/index.ts';
import { attach, connect, options } from '../support/client.ts';
import { makePlace, type Place, startWorkerProcess, type WorkerProcess } from '../support/workerProcess.ts';

const test = suite<{ api: ModelApi; place: Place; worker: WorkerProcess }>('dialect');

const CLAUDE = createRequire(import.meta.resolve('@anthropic-ai/claude-agent-sdk')).resolve(
  `@anthropic-ai/claude-agent-sdk-linux-${process.arch}/claude`,
);

/** Lines that today's program does not know, each a JSON object of its own. */
const UNKNOWN = [
  { type: 'brand_new_event', payload: { deep: [1, 2, 3] } },
  { type: 'system', subtype: 'not_invented_yet', session_id: 'x' },
  { type: 'stream_event', event: { type: 'content_block_sparkle', index: 0 } },
  { type: 'stream_event' },
  { type: 'assistant' },
  { type: 'assistant', message: { content: [{ type: 'hologram', data: 1 }] } },
  { type: 'user', message: { content: null } },
  { type: 'tool_progress' },
  {},
].map((line) => JSON.stringify(line));

/** The real Claude Code; after each line that it prints for a turn, the others are put in. */
function wrapper(place: Place, name: string, lines: readonly string[]): string {
  const file = join(place.root, name);
  const program = `#!${process.execPath}
const { spawn } = require('node:child_process');
const { createInterface } = require('node:readline');
const child = spawn(${JSON.stringify(CLAUDE)}, process.argv.slice(2), { stdio: ['inherit', 'pipe', 'inherit'] });
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => child.kill(signal));
createInterface({ input: child.stdout }).on('line', (line) => {
  process.stdout.write(line + '\\n');
  if (/"type":"(assistant|stream_event)"/.test(line)) process.stdout.write(${JSON.stringify(`${lines.join('\n')}\n`)});
});
child.on('close', (code, signal) => process.exit(signal ? 1 : code));
`;
  writeFileSync(file, program, { mode: 0o755 });
  return file;
}

test.before.each(async (context) => {
  context.place = makePlace();
  context.api = await startModelApi();
});
test.after.each(async (context) => {
  await context.worker.stop();
  await context.api.close();
  context.place.remove();
});

async function converse(context: { api: ModelApi; place: Place; worker: WorkerProcess }, lines: readonly string[]) {
  const claude = wrapper(context.place, 'claude', lines);
  context.worker = await startWorkerProcess({
    place: context.place,
    modelUrl: context.api.url,
    args: ['--claude-path', claude],
  });
  const client = connect(context.worker.port);
  const stream = attach(client, { sessionId: 'odd', create: options(context.place.workspace) });
  stream.prompt('p1', 'create odd.txt with the word odd, then run: cat odd.txt');
  const first = await stream.ended('p1');
  stream.prompt('p2', 'say still here');
  const second = await stream.ended('p2');
  const said = stream.said();
  const unrecognised = stream.all('unrecognised');
  stream.close();
  client.close();
  return { first, second, said, unrecognised };
}

test('RT-41: events nobody knows end neither the turn nor the session', async (context) => {
  const { first, second, said, unrecognised } = await converse(context, UNKNOWN);
  assert.equal(first.outcome, 'TURN_OUTCOME_COMPLETED');
  assert.equal(second.outcome, 'TURN_OUTCOME_COMPLETED');
  assert.match(said, /still here/);
  assert.match(JSON.stringify(unrecognised), /brand_new_event/, 'they did come, and are kept for people to see');
});

test('RT-41: damaged lines end neither the turn nor the session', async (context) => {
  const { first, second, said } = await converse(context, [
    '{"type":"assistant","message":{"cont',
    'plain text',
    '\u0000{',
  ]);
  assert.equal(first.outcome, 'TURN_OUTCOME_COMPLETED');
  assert.equal(second.outcome, 'TURN_OUTCOME_COMPLETED');
  assert.match(said, /still here/);
});

test.run();
