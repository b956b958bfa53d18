// What holds for every recorded conversation, whatever happened in it.
import assert from 'node:assert/strict';
import { test } from 'uvu';
import { list, record, text } from '../../src/mapping/json.ts';
import type { Output } from '../../src/mapping/state.ts';
import { all, type Line, type Played, play, RECORDINGS } from '../support/recordings.ts';

const USER_OR_SYNTHETIC = [
  '[Request interrupted',
  '<local-command',
  'This session is being continued',
  'Output token limit hit',
  'cut off mid-stream',
  'API Error',
  'hit your 5-hour',
  'Set model to',
  '## Context Usage',
];

test('there are recordings to test with', () => {
  assert.ok(RECORDINGS.length > 100, `only ${RECORDINGS.length} recordings`);
});

for (const name of RECORDINGS) {
  const played = play(name);

  test(`${name}: every turn that starts ends once, before the next one starts`, () => {
    let open: string | undefined;
    const seen = new Set<string>();
    for (const output of played.outputs) {
      if (output.$case === 'turnStarted') {
        assert.equal(open, undefined);
        assert.notEqual(output.value.turnId, '');
        assert.ok(!seen.has(output.value.turnId), 'a turn id is used twice');
        open = output.value.turnId;
        seen.add(open);
      }
      if (output.$case === 'turnEnded') {
        assert.equal(output.value.turnId, open);
        open = undefined;
      }
    }
    assert.equal(open, undefined);
    const results = played.lines.filter((line) => line.type === 'result').length - (played.deadResume ? 1 : 0);
    // Neither a lost turn nor one whose process was closed has a result.
    const outcome = played.closed ? 'TURN_OUTCOME_INTERRUPTED' : 'TURN_OUTCOME_LOST';
    const without = all(played.outputs, 'turnEnded').filter((turn) => turn.outcome === outcome).length;
    assert.equal(seen.size, results + without);
  });

  test(`${name}: the text of the agent is given once, and no other text is`, () => {
    const blocks = all(played.outputs, 'textBlock');
    assert.equal(new Set(blocks.map((block) => block.blockId)).size, blocks.length);
    for (const block of blocks) {
      for (const other of USER_OR_SYNTHETIC) assert.ok(!block.text.includes(other), `${other} in ${block.text}`);
    }
    const kept = played.lines.some((line) => ['sigkill', 'sigterm', 'abort', 'close'].includes(text(line._note)));
    const said = blocks.map((block) => block.text);
    if (kept) assert.deepEqual(said.slice(0, agentTexts(played).length), agentTexts(played));
    else assert.deepEqual(said, agentTexts(played));
  });

  test(`${name}: partial text is replaced by its block or withdrawn`, () => {
    const partial = new Map<string, string>();
    for (const delta of all(played.outputs, 'textDelta')) {
      partial.set(delta.blockId, (partial.get(delta.blockId) ?? '') + delta.text);
    }
    const whole = new Map(all(played.outputs, 'textBlock').map((block) => [block.blockId, block.text]));
    const withdrawn = all(played.outputs, 'textWithdrawn').map((block) => block.blockId);
    assert.equal(new Set(withdrawn).size, withdrawn.length);
    for (const [blockId, pieces] of partial) {
      if (withdrawn.includes(blockId)) assert.ok(!whole.has(blockId), 'a withdrawn block came whole as well');
      else assert.equal(whole.get(blockId), pieces);
    }
    for (const blockId of withdrawn) assert.ok(partial.has(blockId));
  });

  test(`${name}: every tool use gets one result`, () => {
    const used = all(played.outputs, 'toolUse').map((tool) => tool.toolUseId);
    const results = all(played.outputs, 'toolResult').map((tool) => tool.toolUseId);
    assert.deepEqual([...results].sort(), [...used].sort());
    assert.equal(new Set(used).size, used.length);
  });

  test(`${name}: every subagent that starts ends once`, () => {
    const tasks = all(played.outputs, 'subagent');
    const started = tasks.filter((task) => task.status === 'SUBAGENT_STATUS_STARTED').map((task) => task.taskId);
    const ended = tasks
      .filter((task) => !['SUBAGENT_STATUS_STARTED', 'SUBAGENT_STATUS_PROGRESS'].includes(task.status))
      .map((task) => task.taskId);
    assert.deepEqual([...ended].sort(), [...started].sort());
  });

  test(`${name}: nothing is unknown, and what the turns cost adds up`, () => {
    assert.deepEqual(all(played.outputs, 'unrecognised'), []);
    let sum = 0;
    for (const turn of all(played.outputs, 'turnEnded')) {
      assert.ok(turn.costUsd >= 0);
      sum += turn.costUsd;
      assert.ok(turn.totalCostUsd >= sum - 1e-9, 'the total is less than its parts');
    }
  });
}

/** What a newer Claude Code may say beside what is known: kinds, parts and values that nobody here has heard of. */
const UNHEARD_OF: readonly Line[] = [
  { type: 'hologram', uuid: 'u1', session_id: 's', payload: { deep: [1] } },
  { type: 'system', subtype: 'weather_changed', uuid: 'u2', session_id: 's' },
  { type: 'stream_event', event: { type: 'content_block_hum', index: 9 }, parent_tool_use_id: null, uuid: 'u3' },
  { type: 'user', uuid: 'u6', message: { content: [{ type: 'gesture' }] } },
  { type: 'system', subtype: 'status', status: 'dreaming', uuid: 'u7' },
  { type: 'rate_limit_event', uuid: 'u8' },
  {},
];

/** The same for parts of messages that are known. */
function withNewParts(line: Line): Line {
  return { ...line, newer_field: { nested: true }, another: ['x'] };
}

for (const name of RECORDINGS) {
  test(`RT-45: ${name}: what a newer Claude Code adds changes nothing of what is known`, () => {
    const known = play(name).outputs;
    let at = 0;
    const newer = play(name, (line) => {
      if (line._note !== undefined) return [withNewParts(line)];
      at += 1;
      const extra = UNHEARD_OF[at % UNHEARD_OF.length] ?? {};
      return [withNewParts(line), { ...extra, uuid: `${text(extra.uuid)}-${at}` }];
    }).outputs;
    const isOfKnown = ({ $case }: Output) => $case !== 'unrecognised' && $case !== 'rateLimit';
    assert.deepEqual(newer.filter(isOfKnown), known.filter(isOfKnown));
    if (at < UNHEARD_OF.length) return;
    const told = all(newer, 'unrecognised').map(({ rawJson }) => rawJson);
    for (const unheardOf of ['hologram', 'weather_changed']) {
      assert.ok(
        told.some((raw) => raw.includes(unheardOf)),
        `${unheardOf} is told as such`,
      );
    }
  });
}

/** The texts of the agent, taken from the recording without the mapper. */
function agentTexts(played: Played): string[] {
  const seen = new Set<string>();
  return played.lines
    .filter((line) => line.type === 'assistant' && line._note === undefined)
    .filter((line) => {
      const fresh = !seen.has(text(line.uuid));
      seen.add(text(line.uuid));
      return fresh && line.is_api_error_message !== true && line.local_command_source === undefined;
    })
    .flatMap((line) => list(record(line.message).content).map(record))
    .filter((block) => block.type === 'text')
    .map((block) => text(block.text));
}

test.run();
