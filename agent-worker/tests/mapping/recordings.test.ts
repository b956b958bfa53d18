// What single recordings demand: one test per trap that the real SDK has.
import assert from 'node:assert/strict';
import { test } from 'uvu';
import { count, record } from '../../src/mapping/json.ts';
import { hasBackgroundWork } from '../../src/mapping/tasks.ts';
import { all, kinds, type Line, play, RECORDINGS } from '../support/recordings.ts';

const outcomes = (name: string) => all(play(name).outputs, 'turnEnded').map((turn) => turn.outcome);
const errors = (name: string) => all(play(name).outputs, 'turnEnded').map((turn) => turn.errorCode);
const texts = (name: string) => all(play(name).outputs, 'textBlock').map((block) => block.text);

test('text cut in its first block is withdrawn and told once under another id', () => {
  const { outputs } = play('streaming-cut');
  assert.deepEqual(kinds(outputs).slice(0, 4), ['turnStarted', 'textWithdrawn', 'retrying', 'textBlock']);
  assert.deepEqual(
    all(outputs, 'textWithdrawn').map((text) => text.blockId),
    ['msg_01Rec000001/0'],
  );
  assert.deepEqual(texts('streaming-cut'), [
    'This sentence is cut in the middle by the network and must not be shown twice.',
    'Still fine.',
  ]);
  assert.equal(all(outputs, 'retrying')[0]?.maxAttempts, 3);
});

test('a tool use whose stream broke never appears, only the one that ran', () => {
  const { outputs } = play('streaming-cut-in-tool');
  assert.deepEqual(
    all(outputs, 'toolUse').map((tool) => tool.toolUseId),
    ['toolu_01CutSecond'],
  );
  assert.deepEqual(all(outputs, 'textWithdrawn'), []);
});

test('an answer that came without streaming in the end is the only text', () => {
  const { outputs } = play('streaming-cut-fallback');
  assert.equal(all(outputs, 'textWithdrawn').length, 2);
  assert.equal(texts('streaming-cut-fallback')[0], 'This sentence came whole, without streaming.');
});

test('a stream cut for good leaves no text and a failed turn with a readable error', () => {
  const { outputs } = play('streaming-cut-for-good');
  assert.deepEqual(texts('streaming-cut-for-good'), []);
  const [turn] = all(outputs, 'turnEnded');
  assert.equal(turn?.outcome, 'TURN_OUTCOME_FAILED');
  assert.equal(turn?.errorCode, 'connection_failed');
  assert.match(turn?.error ?? '', /^API Error: Connection dropped/);
});

test('API errors are failed turns with a code, never text of the agent, and the next turn works', () => {
  const { outputs } = play('api-529-for-good');
  assert.deepEqual(outcomes('api-529-for-good'), ['TURN_OUTCOME_FAILED', 'TURN_OUTCOME_COMPLETED']);
  assert.deepEqual(
    all(outputs, 'retrying').map((retry) => [retry.attempt, retry.httpStatus]),
    [
      [1, 529],
      [2, 529],
    ],
  );
  assert.deepEqual(texts('api-529-for-good'), ['Working again.']);
  assert.deepEqual(outcomes('api-529-then-ok'), ['TURN_OUTCOME_COMPLETED']);
  assert.equal(errors('api-401')[0], 'authentication_failed');
  assert.equal(errors('api-429-for-good')[0], 'rate_limit');
  assert.equal(errors('api-400-credit')[0], 'billing_error');
  assert.equal(errors('api-404-model')[0], 'model_not_found');
  assert.equal(errors('api-400-too-long')[0], 'invalid_request');
  assert.equal(errors('api-unreachable')[0], 'connection_failed');
});

test('an answer over the output limit keeps all of its pieces', () => {
  assert.ok(texts('api-max-tokens').length >= 2);
  assert.ok(outcomes('api-max-tokens').every((outcome) => outcome === 'TURN_OUTCOME_COMPLETED'));
  assert.ok(outcomes('api-refusal').every((outcome) => outcome === 'TURN_OUTCOME_COMPLETED'));
});

test('an interrupted turn keeps its partial text, and its diagnostics stay inside', () => {
  const { outputs } = play('interrupt-text');
  const [turn] = all(outputs, 'turnEnded');
  assert.equal(turn?.outcome, 'TURN_OUTCOME_INTERRUPTED');
  assert.equal(turn?.error, '');
  assert.match(texts('interrupt-text')[0] ?? '', /^word0 .* w$/);
});

for (const name of [
  'interrupt-before-text',
  'interrupt-tool',
  'interrupt-permission',
  'permission-deny-interrupt',
  'plan-mode-rejected',
  'mcp-interrupted',
  'interrupt-last',
]) {
  test(`${name} ends as interrupted`, () => {
    assert.ok(outcomes(name).includes('TURN_OUTCOME_INTERRUPTED'));
    assert.ok(!outcomes(name).includes('TURN_OUTCOME_FAILED'));
  });
}

test('an interrupt with no turn running makes no turn', () => {
  assert.ok(outcomes('interrupt-idle').every((outcome) => outcome === 'TURN_OUTCOME_COMPLETED'));
});

test('a message queued behind an interrupted turn gets a turn of its own', () => {
  const { outputs } = play('interrupt-with-queued');
  assert.deepEqual(
    all(outputs, 'turnEnded').map((turn) => [turn.outcome, turn.inputIds]),
    [
      ['TURN_OUTCOME_INTERRUPTED', ['input-1']],
      ['TURN_OUTCOME_COMPLETED', ['input-2']],
    ],
  );
  assert.deepEqual(all(outputs, 'promptLost'), []);
});

test('a push during a tool is folded into the turn, one during the last text is a turn of its own', () => {
  const folded = play('steering').outputs;
  assert.deepEqual(
    all(folded, 'steered').map((steered) => steered.inputId),
    ['input-2'],
  );
  assert.deepEqual(
    all(folded, 'turnEnded').map((turn) => turn.inputIds),
    [['input-1', 'input-2']],
  );
  for (const name of ['steering-in-text', 'two-pushed-together']) {
    const apart = play(name).outputs;
    assert.deepEqual(all(apart, 'steered'), []);
    assert.deepEqual(
      all(apart, 'turnStarted').map((turn) => turn.inputIds),
      [['input-1'], ['input-2']],
    );
  }
  assert.deepEqual(
    all(play('steering-replayed').outputs, 'turnEnded').map((turn) => turn.inputIds),
    [['input-1', 'input-2']],
  );
});

test('every prompt is paired with its turn, commands and errors too, and the self-started turn has none', () => {
  const { outputs } = play('prompt-uuids');
  const turns = all(outputs, 'turnStarted');
  assert.deepEqual(
    all(outputs, 'turnEnded').map((turn) => turn.inputIds),
    [['input-1'], ['input-2'], ['input-3'], ['input-4'], ['input-5'], [], ['input-6'], ['input-7']],
  );
  assert.equal(turns[3]?.origin, 'TURN_ORIGIN_COMMAND');
  assert.equal(turns[5]?.origin, 'TURN_ORIGIN_BACKGROUND');
  assert.equal(all(outputs, 'commandOutput').length, 1, 'the output repeated by /compact is dropped');
});

test('a compaction is a turn that is open while it works', () => {
  const { outputs } = play('compact-success');
  const at = kinds(outputs).indexOf('compactionStarted');
  assert.deepEqual(kinds(outputs).slice(at - 1, at + 4), [
    'turnStarted',
    'compactionStarted',
    'compacted',
    'contextUsage',
    'turnEnded',
  ]);
  const [compacted] = all(outputs, 'compacted');
  assert.deepEqual(compacted, { ok: true, automatic: false, tokensBefore: 11671, tokensAfter: 2619, error: '' });
  assert.equal(all(outputs, 'contextUsage')[3]?.tokens, 2619);
});

test('RT-43: a failed compaction is told once with its reason and its turn ends, although its result is a success', () => {
  const failed = all(play('compact-failure').outputs, 'compacted').filter((one) => !one.ok);
  assert.deepEqual(
    failed.map((one) => one.error),
    ['Error: No messages to compact', 'Not enough messages to compact.'],
  );
  assert.ok(failed.every((one) => !one.automatic));
  const byApi = all(play('compact-failure-api').outputs, 'compacted');
  assert.equal(byApi.length, 1);
  assert.equal(byApi[0]?.ok, false);
  for (const name of ['compact-failure', 'compact-failure-api']) {
    const { outputs } = play(name);
    for (const [at, output] of outputs.entries()) {
      if (output.$case !== 'compacted' || output.value.ok) continue;
      const next = outputs.slice(at).find(({ $case }) => $case === 'turnStarted' || $case === 'turnEnded');
      // By what comes after it, another turn that begins, it would be lost.
      assert.equal(next?.$case === 'turnEnded' && next.value.outcome, 'TURN_OUTCOME_COMPLETED', name);
    }
  }
});

test('RT-43: a compaction by itself happens inside the turn and does not end it', () => {
  const { outputs } = play('auto-compact');
  assert.equal(all(outputs, 'turnStarted').length, 5);
  assert.equal(all(outputs, 'compactionStarted')[0]?.automatic, true);
  assert.equal(all(outputs, 'compacted')[0]?.automatic, true);
  const order = kinds(outputs);
  const at = order.indexOf('compacted');
  assert.equal(order.slice(0, at).lastIndexOf('turnStarted') > order.slice(0, at).lastIndexOf('turnEnded'), true);
  assert.ok(order.slice(at).indexOf('textBlock') < order.slice(at).indexOf('turnEnded'), 'the answer comes after it');
});

test('/clear says the new session id and the cost goes on', () => {
  const { outputs, state } = play('clear');
  const [cleared] = all(outputs, 'cleared');
  assert.match(cleared?.agentSessionId ?? '', /^5b920e21-/);
  assert.equal(state.agentSessionId, cleared?.agentSessionId);
  const totals = all(outputs, 'turnEnded').map((turn) => turn.totalCostUsd);
  assert.ok(Math.abs((totals[2] ?? 0) - (0.058262 + 0.003148)) < 1e-9);
});

test('a resumed session counts the cost of its turn alone, and the total goes on', () => {
  const [turn] = all(play('resume-2').outputs, 'turnEnded');
  assert.ok(Math.abs((turn?.costUsd ?? 0) - 0.058332) < 1e-9);
  assert.ok(Math.abs((turn?.totalCostUsd ?? 0) - 0.116594) < 1e-9);
});

test('a background command is told, and the turn it starts by itself is known as such', () => {
  const { outputs, state } = play('bash-background');
  assert.deepEqual(
    all(outputs, 'turnStarted').map((turn) => turn.origin),
    ['TURN_ORIGIN_PROMPT', 'TURN_ORIGIN_BACKGROUND', 'TURN_ORIGIN_PROMPT'],
  );
  assert.deepEqual(
    all(outputs, 'subagent').map((task) => [task.status, task.background]),
    [
      ['SUBAGENT_STATUS_STARTED', true],
      ['SUBAGENT_STATUS_COMPLETED', true],
    ],
  );
  assert.equal(hasBackgroundWork(state), false);
});

test('a long command in the foreground is a tool use and nothing else', () => {
  assert.deepEqual(all(play('bash-long').outputs, 'subagent'), []);
});

test('a stopped background task starts no turn', () => {
  const { outputs } = play('stop-task');
  assert.equal(all(outputs, 'turnStarted').length, 1);
  assert.equal(all(outputs, 'subagent').at(-1)?.status, 'SUBAGENT_STATUS_STOPPED');
});

test("a subagent's tools and texts carry the tool use that started it", () => {
  const { outputs } = play('subagent-foreground-forwarded');
  const [agent] = all(outputs, 'toolUse');
  assert.equal(agent?.name, 'Agent');
  const inner = all(outputs, 'toolUse').slice(1);
  assert.ok(inner.length > 0 && inner.every((tool) => tool.parentToolUseId === agent?.toolUseId));
  assert.ok(all(outputs, 'textBlock').some((block) => block.parentToolUseId === agent?.toolUseId));
  assert.deepEqual(
    all(outputs, 'subagent')
      .map((task) => task.status)
      .filter((status) => !status.endsWith('PROGRESS')),
    ['SUBAGENT_STATUS_STARTED', 'SUBAGENT_STATUS_COMPLETED'],
  );
});

test('a background subagent works on between turns', () => {
  const { outputs } = play('subagent-background');
  const firstEnd = outputs.findIndex((output) => output.$case === 'turnEnded');
  const second = outputs.findIndex((output, index) => index > firstEnd && output.$case === 'turnStarted');
  const between = outputs.slice(firstEnd + 1, second);
  assert.ok(between.some((output) => output.$case === 'toolUse' && output.value.turnId === ''));
  assert.equal(all(outputs, 'turnStarted')[1]?.origin, 'TURN_ORIGIN_BACKGROUND');
});

test('an interrupted subagent is stopped and its tool closed before the turn ends', () => {
  const { outputs } = play('subagent-interrupted');
  assert.equal(all(outputs, 'subagent').at(-1)?.status, 'SUBAGENT_STATUS_STOPPED');
  const closed = all(outputs, 'toolResult').find((tool) => tool.toolUseId === 'toolu_010078RecBash');
  assert.equal(closed?.isError, true);
});

test('the todo list is kept from the Task tools, and replaced whole by TodoWrite', () => {
  const lists = all(play('todo-tasks').outputs, 'todoList').map((list) =>
    list.items.map((item) => [item.id, item.status]),
  );
  assert.deepEqual(lists, [
    [['1', 'TODO_STATUS_PENDING']],
    [
      ['1', 'TODO_STATUS_PENDING'],
      ['2', 'TODO_STATUS_PENDING'],
    ],
    [
      ['1', 'TODO_STATUS_IN_PROGRESS'],
      ['2', 'TODO_STATUS_PENDING'],
    ],
    [
      ['1', 'TODO_STATUS_COMPLETED'],
      ['2', 'TODO_STATUS_PENDING'],
    ],
    [
      ['1', 'TODO_STATUS_COMPLETED'],
      ['2', 'TODO_STATUS_IN_PROGRESS'],
    ],
    [['1', 'TODO_STATUS_COMPLETED']],
  ]);
  const written = all(play('todo-write').outputs, 'todoList');
  assert.deepEqual(
    written.map((list) => list.items.map((item) => item.status)),
    [
      ['TODO_STATUS_IN_PROGRESS', 'TODO_STATUS_PENDING'],
      ['TODO_STATUS_COMPLETED', 'TODO_STATUS_COMPLETED'],
    ],
  );
  assert.deepEqual(all(play('todo-unavailable').outputs, 'todoList'), []);
});

test('rate limits are told as they change', () => {
  const limits = all(play('rate-limit-event').outputs, 'rateLimit');
  assert.deepEqual(
    limits.map((limit) => [limit.status, limit.utilization]),
    [
      ['allowed', 0.2],
      ['allowed_warning', 0.92],
      ['rejected', 1],
      ['allowed', 0.2],
    ],
  );
  assert.equal(limits[0]?.limit, 'five_hour');
  assert.equal(limits[0]?.resetsAtMs, 1_795_394_737_000);
  assert.equal(errors('rate-limit-event')[3], 'usage_limit_reached');
});

for (const name of [
  'resume-unknown',
  'resume-unknown-no-push',
  'resume-unknown-initialize',
  'resume-not-uuid',
  'resume-deleted-2',
  'resume-damaged-2',
]) {
  test(`${name}: a dead resume id makes no turn, and its session id is not taken`, () => {
    const { outputs, deadResume, state } = play(name);
    assert.equal(deadResume, true);
    assert.deepEqual(outputs, []);
    assert.equal(state.agentSessionId, '');
  });
}

for (const name of ['sigkill', 'sigterm', 'abort-controller', 'sigkill-in-tool', 'resume-after-kill-in-tool-1']) {
  test(`${name}: a turn whose process died is lost, and its tools are closed`, () => {
    const { outputs } = play(name);
    assert.equal(all(outputs, 'turnEnded').at(-1)?.outcome, 'TURN_OUTCOME_LOST');
    assert.equal(all(outputs, 'toolResult').length, all(outputs, 'toolUse').length);
  });
}

test('a turn whose process was closed is interrupted, and not called lost', () => {
  const { outputs } = play('close');
  const ended = all(outputs, 'turnEnded').at(-1);
  assert.deepEqual([ended?.outcome, ended?.error], ['TURN_OUTCOME_INTERRUPTED', '']);
  assert.equal(all(outputs, 'toolResult').length, all(outputs, 'toolUse').length);
});

test('a process that dies between turns loses nothing', () => {
  assert.ok(outcomes('sigkill-idle').every((outcome) => outcome === 'TURN_OUTCOME_COMPLETED'));
});

test('plan mode is said when it begins and when the approved plan ends it', () => {
  const modes = (name: string) => all(play(name).outputs, 'permissionModeChanged').map((changed) => changed.mode);
  assert.deepEqual(modes('plan-mode'), ['PERMISSION_MODE_PLAN', 'PERMISSION_MODE_DEFAULT']);
  assert.deepEqual(modes('plan-mode-rejected'), ['PERMISSION_MODE_PLAN']);
  assert.deepEqual(modes('plan-mode-by-model').slice(0, 1), ['PERMISSION_MODE_PLAN']);
});

test('a changed model is said once', () => {
  assert.deepEqual(
    all(play('set-model').outputs, 'modelChanged').map((changed) => changed.model),
    ['claude-sonnet-4-6', 'claude-opus-5-5'],
  );
});

test('parallel tools are paired by id, whatever the order of their results', () => {
  const { outputs } = play('permission-two-at-once');
  const used = all(outputs, 'toolUse').map((tool) => tool.toolUseId);
  const results = all(outputs, 'toolResult').map((tool) => tool.toolUseId);
  assert.notDeepEqual(results, used);
});

test('large and binary results are summarised', () => {
  const large = all(play('very-large-output').outputs, 'toolResult');
  assert.ok(large.every((tool) => tool.summary.length <= 4_000));
  assert.ok(large.some((tool) => tool.fullLength > 4_000));
  assert.ok(all(play('image').outputs, 'toolResult').some((tool) => tool.summary === '[image]'));
});

test('the output of a local command is told as such', () => {
  const outputs = all(play('slash-commands').outputs, 'commandOutput');
  assert.equal(outputs[0]?.command, 'model');
  assert.equal(outputs.length, 2);
});

test('the limit of model calls is a failed turn with a reason', () => {
  assert.deepEqual(errors('max-turns'), ['max_turns', '']);
});

test('thinking is told sparsely and never as text', () => {
  const { outputs } = play('thinking');
  assert.equal(all(outputs, 'thinking').length, 3);
  assert.deepEqual(texts('thinking')[0], '42');
});

test('RT-44: the context size is that of the last call of the main thread, what came from the cache included', () => {
  const [turn] = all(play('streaming-cut').outputs, 'turnEnded');
  assert.equal(turn?.contextTokens, 11_630);
  assert.equal(turn?.contextWindow, 1_000_000);
  for (const name of RECORDINGS) {
    const { lines, outputs } = play(name);
    const read = lines
      .filter((line) => line.type === 'assistant' && line.parent_tool_use_id === null)
      .map((line) => record(record(line.message).usage))
      .map((usage) =>
        ['input_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens']
          .map((part) => count(usage[part]))
          .reduce((sum, tokens) => sum + tokens, 0),
      );
    for (const { contextTokens, contextWindow } of all(outputs, 'turnEnded')) {
      assert.ok(contextWindow === 0 || contextTokens <= contextWindow, `${name}: ${contextTokens} of ${contextWindow}`);
    }
    const last = all(outputs, 'turnEnded').at(-1);
    const isPlain = !all(outputs, 'compacted').length && !all(outputs, 'cleared').length;
    // A call that failed has no usage: what the one before it said still holds.
    const size = read.findLast((tokens) => tokens > 0);
    if (last === undefined || last.contextTokens === 0 || size === undefined || !isPlain) continue;
    assert.ok(last.contextTokens >= size, `${name}: ${last.contextTokens}, but ${size} were read`);
  }
  const late: Line[] = [];
  const { outputs } = play('subagent-foreground', (line) => {
    if (line.type === 'result') return [...late, line];
    if (line.type !== 'assistant' || line.parent_tool_use_id === null) return [line];
    late.push(line);
    return [];
  });
  assert.notEqual(late.length, 0);
  const size = all(play('subagent-foreground').outputs, 'turnEnded').at(-1)?.contextTokens;
  assert.equal(all(outputs, 'turnEnded').at(-1)?.contextTokens, size, 'what a subagent says last changes nothing');
});

test.run();
