// The rules of network requests, without an agent: how many may wait, and what a denial means.
import assert from 'node:assert/strict';
import { test } from 'uvu';
import type { ApprovalRequest } from '../../src/generated/claude_agent/v1/agent.ts';
import type { Output } from '../../src/mapping/state.ts';
import { createApprovals } from '../../src/session/approvals.ts';
import { createDenials, OPEN_LIMIT, requestAccess } from '../../src/tools/networkAccess.ts';

function setUp() {
  const outputs: Output[] = [];
  const turn = { id: 'turn-1' };
  const approvals = createApprovals(
    (output) => outputs.push(output),
    () => undefined,
  );
  const turnId = () => turn.id;
  const denials = createDenials(turnId);
  const context = { approvals, turnId, claimToolUse: () => ({ toolUseId: 'tool', parentToolUseId: '' }) };
  return {
    turn,
    approvals,
    ask: (host: string) => requestAccess(context, denials, [host], 'needed'),
    requests: (): ApprovalRequest[] =>
      outputs.flatMap((output) => (output.$case === 'approvalRequest' ? [output.value] : [])),
    decide(request: ApprovalRequest | undefined, outcome: 'DECISION_OUTCOME_APPROVED' | 'DECISION_OUTCOME_DENIED') {
      assert.ok(request);
      const { requestId, inputDigest } = request;
      approvals.decide({ inputId: '', requestId, inputDigest, outcome, message: '', answers: {}, proven: true });
    },
  };
}

test('no more than three requests wait at once, and an answered one makes room', async () => {
  const { ask, requests, decide } = setUp();
  const waiting = ['a', 'b', 'c'].map(ask);
  assert.equal(requests().length, OPEN_LIMIT);
  assert.equal((await ask('d')).isError, true);
  decide(requests()[0], 'DECISION_OUTCOME_APPROVED');
  assert.equal((await waiting[0])?.isError, false);
  void ask('e');
  assert.equal(requests().length, OPEN_LIMIT + 1);
});

test('a denial is remembered for its turn and no longer', async () => {
  const { ask, requests, decide, turn } = setUp();
  const first = ask('a');
  decide(requests()[0], 'DECISION_OUTCOME_DENIED');
  assert.equal((await first).isError, true);
  assert.match((await ask('a')).text, /Already denied/);
  assert.equal(requests().length, 1);
  turn.id = 'turn-2';
  void ask('a');
  assert.equal(requests().length, 2);
});

test.run();
