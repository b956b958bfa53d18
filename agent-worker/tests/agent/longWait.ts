// RT-24 by the real clock: the real Claude Code asks for a command, a subagent for another and the agent for network access;
// nobody answers for minutes; then each is approved, and goes on. Too long for every run:
//     node --import tsx agent-worker/tests/agent/longWait.ts [minutes, 7 if left out]
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startModelApi } from '../../../simulator/src/model/index.ts';
import { ToolDecision } from '../../src/generated/claude_agent/v1/agent.ts';
import { decide } from '../support/agentContext.ts';
import { attach, connect, options, type TestStream } from '../support/client.ts';
import { until } from '../support/until.ts';
import { makePlace, startWorkerProcess } from '../support/workerProcess.ts';

const waitMs = Number(process.argv[2] ?? 7) * 60_000;
/** Longer than an agent takes to start where others are at work, milliseconds. */
const PATIENCE_MS = 120_000;

const place = makePlace();
const file = (name: string): string => join(place.workspace, `${name}.txt`);
const api = await startModelApi();
const worker = await startWorkerProcess({ place, modelUrl: api.url });
const client = connect(worker.port);
const toolPolicy = { otherwise: ToolDecision.ALLOW, allow: [], ask: ['Bash'], deny: [] };

const CASES: Readonly<Record<string, string>> = {
  command: 'run: touch command.txt && echo command-went-on',
  subagent: 'agent general-purpose: run: touch subagent.txt',
  network: 'network pypi.org because it is needed, then say network-went-on',
};

async function wait(name: string, stream: TestStream, prompt: string): Promise<string> {
  stream.prompt('p1', prompt);
  await until(`${name}: it asks`, () => stream.all('approvalRequest').length === 1, PATIENCE_MS);
  const asked = Date.now();
  const request = await stream.wait('approvalRequest');
  while (Date.now() - asked < waitMs) {
    await sleep(1_000);
    const gone = stream.all('approvalWithdrawn').length + stream.all('turnEnded').length;
    if (gone > 0) throw new Error(`${name}: given up after ${Date.now() - asked} ms`);
  }
  if (existsSync(file(name))) throw new Error(`${name}: done without an approval`);
  const decided = Date.now();
  decide(stream, request, 'DECISION_OUTCOME_APPROVED', { proven: true });
  await until(`${name}: the turn ends`, () => stream.all('turnEnded').length === 1, PATIENCE_MS);
  const [{ outcome } = { outcome: 'none' }] = stream.all('turnEnded');
  const results = JSON.stringify(stream.all('toolResult'));
  const wentOn = name === 'network' ? /Approved, and a connection/.test(results) : existsSync(file(name));
  if (!wentOn || outcome !== 'TURN_OUTCOME_COMPLETED') throw new Error(`${name}: ${outcome}, ${results}`);
  return `${name}: waited ${((decided - asked) / 1000).toFixed(1)} s, went on and ended ${Date.now() - decided} ms after the approval`;
}

try {
  const runs = Object.entries(CASES).map(([name, prompt]) => {
    const stream = attach(client, { sessionId: name, create: options(place.workspace, { toolPolicy }) });
    return wait(name, stream, prompt).finally(() => stream.close());
  });
  for (const said of await Promise.all(runs)) console.log(said);
} finally {
  client.close();
  await worker.stop();
  await api.close();
  place.remove();
}
process.exit(0);
