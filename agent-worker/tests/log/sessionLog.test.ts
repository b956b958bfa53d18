// The log on the disk: what was said survives the process, in its place.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import { openSessionLog, type SessionLog, toResponse } from '../../src/log/sessionLog.ts';
import type { Output } from '../../src/mapping/state.ts';

const test = suite<{ folder: string; file: string }>('session log');
const SMALL = { mergeBytes: 2_000, rewriteBytes: 4_000 };

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'session-log-'));
  context.file = join(context.folder, 'log.ndjson');
});
test.after.each((context) => rmSync(context.folder, { recursive: true, force: true }));

const delta = (text: string): Output => ({
  $case: 'textDelta',
  value: { turnId: 't', blockId: 'm/0', text, parentToolUseId: '' },
});
const started = (turnId: string, inputIds: string[]): Output => ({
  $case: 'turnStarted',
  value: { turnId, inputIds, origin: 'TURN_ORIGIN_PROMPT', model: '' },
});
const asked = (requestId: string): Output => ({
  $case: 'approvalRequest',
  value: {
    requestId,
    kind: 'APPROVAL_KIND_TOOL',
    turnId: 't',
    toolName: 'Bash',
    inputJson: '{}',
    inputDigest: '',
    parentToolUseId: '',
    toolUseId: '',
  },
});

function held(log: SessionLog, after = 0) {
  const entries = [];
  for (let entry = log.next(after); entry; entry = log.next(entry.seq)) entries.push(toResponse(entry));
  return entries;
}

test('a log opened again goes on under the same id and position', ({ file }) => {
  const log = openSessionLog(file, 'boot', SMALL);
  log.append(started('t', ['i']), 5);
  log.append(delta('one'), 6);
  log.acknowledge(1);
  const before = held(log);
  const again = openSessionLog(file, 'boot', SMALL);
  assert.equal(again.logId, log.logId);
  assert.equal(again.lastSeq, 2);
  assert.equal(again.ackedSeq, 1);
  assert.deepEqual(held(again), before);
  assert.equal(again.append(delta('two'), 7).seq, 3);
});

test('a line cut short by a crash is as if it had never been said', ({ file }) => {
  const log = openSessionLog(file, 'boot', SMALL);
  log.append(delta('one'), 1);
  appendFileSync(file, '{"event":"Cgxub3Qg');
  const again = openSessionLog(file, 'boot', SMALL);
  assert.equal(again.lastSeq, 1);
  assert.equal(again.logId, log.logId);
});

test('after the machine went down a new log begins, and what was open is still known', ({ file }) => {
  const log = openSessionLog(file, 'boot-1', SMALL);
  log.append(started('turn', ['i']), 1);
  log.append(asked('request'), 1);
  const again = openSessionLog(file, 'boot-2', SMALL);
  assert.notEqual(again.logId, log.logId);
  assert.equal(again.lastSeq, 0);
  assert.deepEqual(again.facts.openTurn, { turnId: 'turn', inputIds: ['i'] });
  assert.deepEqual(again.facts.openApprovals, ['request']);
});

test('what was open is known even when the outputs that said so are acknowledged and rewritten away', ({ file }) => {
  const log = openSessionLog(file, 'boot', SMALL);
  log.append(started('turn', ['i']), 1);
  log.append(asked('first'), 1);
  log.append(asked('second'), 1);
  log.noteApprovalSettled('first');
  for (let index = 0; index < 200; index += 1) log.acknowledge(log.append(delta('text'), 1).seq);
  assert.ok(statSync(file).size < 3 * SMALL.rewriteBytes, 'the file keeps growing');
  const again = openSessionLog(file, 'boot', SMALL);
  assert.equal(again.facts.openTurn?.turnId, 'turn');
  assert.deepEqual(again.facts.openApprovals, ['second']);
  assert.deepEqual(again.facts.settledInputs, ['i']);
});

test('unacknowledged text past the bound is merged, and a reopened log still replays from inside', ({ file }) => {
  const log = openSessionLog(file, 'boot', SMALL);
  const words = Array.from({ length: 300 }, (_, index) => `w${index} `);
  for (const word of words) log.append(delta(word), 1);
  assert.ok(held(log).length < 100, `${held(log).length} entries are held`);
  const again = openSessionLog(file, 'boot', SMALL);
  const texts = held(again, 10).map(({ response }) => (response?.$case === 'textDelta' ? response.value.text : ''));
  assert.equal(texts.join(''), words.slice(10).join(''));
});

test('a restarted log has another id and begins at 1', ({ file }) => {
  const log = openSessionLog(file, 'boot', SMALL);
  log.append(delta('one'), 1);
  const before = log.logId;
  log.restart();
  assert.notEqual(log.logId, before);
  assert.deepEqual(held(log), []);
  assert.equal(log.append(delta('two'), 1).seq, 1);
});

test.run();
