// @limit 300
// What a turn costs while it runs, as the real Claude Code tells it.
import assert from 'node:assert/strict';
import { suite } from 'uvu';
import { type AgentContext, withAgent } from '../support/agentContext.ts';
import { attach, options } from '../support/client.ts';

const test = suite<AgentContext>('spending');
withAgent(test);

const COSTLY = 'run: echo one, then run: echo two, then run: echo three';

test('a running turn tells what it has cost so far, for itself alone, and never more than it comes to', async ({
  client,
  place,
}) => {
  const stream = attach(client, { sessionId: 'costly', create: options(place.workspace, { spendingEveryMs: 1 }) });
  stream.prompt('p1', COSTLY);
  const first = await stream.ended('p1');
  stream.prompt('p2', COSTLY);
  const second = await stream.ended('p2');
  for (const turn of [first, second]) {
    const told = stream.all('spent').filter(({ turnId }) => turnId === turn.turnId);
    assert.ok(told.length > 0, 'told while it runs');
    const costs = told.map(({ costUsd }) => costUsd);
    assert.deepEqual(
      costs,
      [...costs].sort((a, b) => a - b),
      'it only grows',
    );
    assert.ok(costs.every((cost) => cost > 0 && cost <= turn.costUsd + 1e-9));
  }
  stream.close();
});

test('nothing is asked where nobody wants to know', async ({ client, place }) => {
  const stream = attach(client, { sessionId: 'free', create: options(place.workspace) });
  stream.prompt('p1', COSTLY);
  await stream.ended('p1');
  assert.deepEqual(stream.all('spent'), []);
  stream.close();
});

test.run();
