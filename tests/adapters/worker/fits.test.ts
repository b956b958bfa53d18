import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PROTOCOL_VERSION as SPOKEN } from '../../../agent-worker/src/worker/config.ts';
import { mayReplace, PROTOCOL_VERSION, workerFits } from '../../../src/adapters/worker/fits.ts';
import { SessionState } from '../../../src/adapters/worker/generated/claude_agent/v1/agent.ts';

test('the worker of this repository fits the gateway of this repository', () => {
  assert.is(SPOKEN, PROTOCOL_VERSION);
  assert.equal(workerFits({ workerVersion: '0.0.1', protocolVersion: SPOKEN }), { ok: true });
});

test('a worker that speaks another protocol does not fit, and the way out is told', () => {
  const told = (protocolVersion: number): string => {
    const fit = workerFits({ workerVersion: '9.9.9', protocolVersion });
    return fit.ok ? '' : fit.human;
  };
  assert.match(told(PROTOCOL_VERSION - 1), /\(9\.9\.9\) is older.*SM_WORKER_MOUNT/);
  assert.match(told(PROTOCOL_VERSION + 1), /is newer.*Update the session manager/);
});

test('a worker is not exchanged while a turn runs in it', () => {
  const { ASLEEP, IDLE, RUNNING } = SessionState;
  assert.ok(mayReplace([]));
  assert.ok(mayReplace([{ state: IDLE }, { state: ASLEEP }]));
  assert.not.ok(mayReplace([{ state: IDLE }, { state: RUNNING }]));
});

test.run();
