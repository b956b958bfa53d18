// @limit 300
// Sessions nobody uses: the agent is closed and woken again; a dead memory is told; orphans end.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import type { ListSessionsResponse, SessionState, SessionSummary } from '../../src/generated/claude_agent/v1/agent.ts';
import { type AgentContext, withAgent } from '../support/agentContext.ts';
import { attach, bearer, options } from '../support/client.ts';
import { until } from '../support/until.ts';

const test = suite<AgentContext>('sleep');
withAgent(test, ['--agent-idle', '300ms', '--orphan-grace', '1500ms', '--history-grace', '300ms']);

function summaryOf(context: AgentContext, sessionId: string): Promise<SessionSummary | undefined> {
  return new Promise((resolve, reject) => {
    context.client.listSessions({}, bearer(), (error: Error | null, response: ListSessionsResponse) => {
      if (error) reject(error);
      else resolve(response.sessions.find((session) => session.sessionId === sessionId));
    });
  });
}

async function stateOf(context: AgentContext, sessionId: string): Promise<SessionState | undefined> {
  return (await summaryOf(context, sessionId))?.state;
}

test('an idle agent is closed, and the next prompt wakes it in the same conversation', async (context) => {
  const stream = attach(context.client, { sessionId: 'idle', create: options(context.place.workspace) });
  stream.prompt('p1', 'say one');
  const first = await stream.ended('p1');
  await until('the agent sleeps', async () => (await stateOf(context, 'idle')) === 'SESSION_STATE_ASLEEP');
  stream.prompt('p2', 'say two');
  const second = await stream.ended('p2');
  assert.equal(second.agentSessionId, first.agentSessionId);
  assert.ok(second.totalCostUsd > first.totalCostUsd);
  assert.ok(second.costUsd < second.totalCostUsd);
  stream.close();
});

test('a memory that is deleted while the agent sleeps is told when it wakes; nobody gives it back, and it goes on', async (context) => {
  const stream = attach(context.client, { sessionId: 'deleted', create: options(context.place.workspace) });
  stream.prompt('p1', 'say one');
  await stream.ended('p1');
  await until('the agent sleeps', async () => (await stateOf(context, 'deleted')) === 'SESSION_STATE_ASLEEP');
  rmSync(join(context.place.home, '.claude', 'projects'), { recursive: true });
  stream.prompt('p2', 'say two');
  assert.equal((await stream.ended('p2')).outcome, 'TURN_OUTCOME_COMPLETED');
  assert.equal(stream.all('attached').at(-1)?.historyLost, true);
  stream.close();
});

test('a session without a stream is closed after a while, and still known', async (context) => {
  const stream = attach(context.client, { sessionId: 'orphan', create: options(context.place.workspace) });
  stream.prompt('p1', 'say one');
  const { agentSessionId } = await stream.ended('p1');
  const heard = stream.lastSeq();
  const { logId } = await stream.wait('attached');
  stream.close();
  await until('the session is closed', async () => ((await summaryOf(context, 'orphan'))?.lastSeq ?? 0) > heard);
  const again = attach(context.client, { sessionId: 'orphan', logId, afterSeq: heard, term: 2 });
  assert.deepEqual(await again.wait('sessionClosed'), { reason: 'CLOSE_REASON_ORPHANED', agentSessionId, error: '' });
  again.prompt('p2', 'say two');
  assert.equal((await again.ended('p2')).agentSessionId, agentSessionId);
  again.close();
});

test('a closed session ends its agent, tells its resume id and what was still waiting', async (context) => {
  const stream = attach(context.client, { sessionId: 'closed', create: options(context.place.workspace) });
  stream.prompt('p1', 'hold for-ever');
  await stream.wait('turnStarted');
  stream.prompt('p2', 'say never');
  stream.send({ $case: 'close', value: { inputId: 'c1' } });
  const closed = await stream.wait('sessionClosed');
  assert.equal(closed.reason, 'CLOSE_REASON_REQUESTED');
  assert.notEqual(closed.agentSessionId, '');
  assert.equal((await stream.ended('p1')).outcome, 'TURN_OUTCOME_INTERRUPTED');
  assert.deepEqual(stream.all('promptLost'), [{ inputId: 'p2' }]);
  assert.equal(await stateOf(context, 'closed'), 'SESSION_STATE_ASLEEP');
  stream.close();
});

test.run();
