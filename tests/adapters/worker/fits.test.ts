import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PROTOCOL_VERSION as SPOKEN } from '../../../agent-worker/src/worker/config.ts';
import { PROTOCOL_VERSION, workerFits } from '../../../src/adapters/worker/fits.ts';

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

test.run();
