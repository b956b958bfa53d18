import * as assert from 'node:assert/strict';
import { suite } from 'uvu';
import { createMetrics } from '../../../src/adapters/http/index.ts';

const test = suite('metrics');

test('every name that dashboards know is there from the start', async () => {
  const metrics = createMetrics();
  metrics.read({ activeSessions: () => [{ value: 3 }], unreadableActors: () => [{ value: 2 }] });
  const text = await metrics.registry.metrics();
  const kinds = Object.fromEntries([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map((match) => [match[1], match[2]]));
  const wanted: Record<string, string> = {
    csm_sessions_started_total: 'counter',
    csm_active_sessions: 'gauge',
    csm_tokens_input_total: 'counter',
    csm_tokens_output_total: 'counter',
    csm_network_requests_total: 'counter',
    csm_network_requests_deduplicated_total: 'counter',
    csm_approvals_total: 'counter',
    csm_session_start_duration_seconds: 'histogram',
    csm_network_request_duration_seconds: 'histogram',
    csm_callback_duration_seconds: 'histogram',
    csm_stage_duration_seconds: 'histogram',
    csm_reconnects_total: 'counter',
    csm_errors_total: 'counter',
    csm_nodejs_eventloop_lag_seconds: 'gauge',
  };
  for (const [name, kind] of Object.entries(wanted)) assert.equal(kinds[name], kind, name);
  assert.match(text, /^csm_active_sessions 3$/m);
  assert.match(text, /^csm_unreadable_actors 2$/m);
  assert.match(text, /^csm_callback_duration_seconds_bucket\{le="0.005"\} 0$/m);
});

test('figures that are looked up are as of now: what is gone is gone', async () => {
  const metrics = createMetrics();
  let readings = [
    { labels: { kind: 'session', state: 'idle' }, value: 2 },
    { labels: { kind: 'session', state: 'working' }, value: 1 },
  ];
  metrics.read({ actors: async () => readings });
  const figures = async (): Promise<string[]> => (await metrics.registry.metrics()).match(/^csm_actors\{.*$/gm) ?? [];
  assert.deepEqual(await figures(), [
    'csm_actors{kind="session",state="idle"} 2',
    'csm_actors{kind="session",state="working"} 1',
  ]);
  readings = [{ labels: { kind: 'session', state: 'idle' }, value: 5 }];
  const both = await Promise.all([figures(), figures()]);
  assert.deepEqual(both, [
    ['csm_actors{kind="session",state="idle"} 5'],
    ['csm_actors{kind="session",state="idle"} 5'],
  ]);
});

test('a figure that cannot be looked up is left out and counted; the others are told', async () => {
  const metrics = createMetrics();
  let works = true;
  metrics.read({
    activeSessions: () => {
      if (!works) throw new Error('no database');
      return [{ value: 7 }];
    },
    containers: () => (works ? [] : Promise.reject(new Error('no database'))),
    linkUp: () => [{ labels: { link: 'chat' }, value: 1 }],
  });
  assert.match(await metrics.registry.metrics(), /^csm_active_sessions 7$/m);
  works = false;
  const text = await metrics.registry.metrics();
  assert.doesNotMatch(text, /^csm_active_sessions /m);
  assert.match(text, /^csm_link_up\{link="chat"\} 1$/m);
  const errors = await metrics.errors.get();
  assert.deepEqual(errors.values.map((each) => each.labels.kind).sort(), ['active_sessions', 'containers']);
});

test.run();
