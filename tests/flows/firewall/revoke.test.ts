// @limit 200
/** `network revoke` while the firewall, the chat or this process fails: real PostgreSQL, the OPNsense stand-in. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EFFECT_POLICIES, orderKeyOf } from '../../../src/actors/effectPolicy.ts';
import type { ActorView, Store } from '../../../src/actors/index.ts';
import { createStore } from '../../../src/adapters/postgres/index.ts';
import { opnsenseEnforcer } from '../../../src/flows/firewall/enforcers.ts';
import { createGrants, type Grants } from '../../../src/flows/firewall/grants.ts';
import { type FirewallPorts, firewallHandlers } from '../../../src/flows/firewall/handlers.ts';
import { NO_POLICY } from '../../../src/policy/domains/index.ts';
import { ALIAS, type Bench, codeOf, openBench } from '../../adapters/opnsense/support.ts';
import { startPostgres, type TestDatabase, type TestPostgres } from '../../support/postgres.ts';

interface Context {
  postgres: TestPostgres;
  bench: Bench;
  store: Store;
  rows: TestDatabase['rows'];
  /** What people read, once per effect. */
  said: Map<string, string>;
  /** Events for approvals, once per key. */
  sent: Map<string, string>;
  chatIsAway: boolean;
}

const test = suite<Context>('network revoke');

test.before(async (context) => {
  context.postgres = await startPostgres();
});
test.after(({ postgres }) => postgres.stop());
test.before.each(async (context) => {
  const { db, rows } = await context.postgres.freshDatabase();
  context.bench = await openBench();
  context.store = createStore(db);
  context.rows = rows;
  context.said = new Map();
  context.sent = new Map();
  context.chatIsAway = false;
  const wish = { session: 'session/s1', container: 'container/acme/web@main', repo: 'acme/web', by: 'alice' } as const;
  const more = { scope: 'session', expiresAt: undefined, approval: 'approval/s1/two' } as const;
  await grantsOf(context).open({ ...wish, ...more, key: 'open/1', hosts: ['pypi.org', 'crates.io'] });
});
test.after.each(({ bench }) => bench.close());

/** As after a restart: nothing is remembered but what is stored. */
function grantsOf({ bench, store }: Context): Grants {
  return createGrants({ enforcer: opnsenseEnforcer(bench.connect()), store, now: () => 1_000_000 });
}

function revoking(context: Context, host: string, key = 'session/s1/7/0', grants = grantsOf(context)): Promise<void> {
  const { store, said, sent } = context;
  const session: ActorView = {
    ...{ address: 'session/s1', kind: 'session', status: 'active', version: 2, rev: 9, value: 'active', tags: [] },
    ...{ parent: undefined, wakeAt: undefined, context: { request: { repo: { repo: 'acme/web' } } } },
  };
  const runtime: FirewallPorts['runtime'] = {
    read: async () => session,
    deliver: async (items) => {
      for (const { to, event, dedupKey } of items) sent.set(dedupKey, `${to} ${event.type}`);
      return items.map(() => 'accepted');
    },
  };
  const handlers = firewallHandlers({
    ...{ grants, store, runtime, trigger: '@claude', now: () => 1_000_000 },
    policy: NO_POLICY,
    reaches: async () => false,
    reply: async (of, _owner, _to, answer) => {
      if (context.chatIsAway) throw new Error('the chat is away');
      if (!said.has(of)) said.set(of, typeof answer === 'string' ? answer : answer.message);
    },
  });
  const place = { channelId: 'c', rootId: 'r' };
  const params = { session: 'session/s1', place, replyTo: 'p', host, userId: 'bob-id', userName: 'bob' } as const;
  const request = { key, actor: 'session/s1', kind: 'chat.revoke', params, attempt: 1, deadline: 2_000_000 } as const;
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  return handlers['chat.revoke'](request, { signal: new AbortController().signal, log });
}

const contentOf = ({ bench }: Context) => bench.simulator.alias(ALIAS)?.content;
const closings = async ({ rows }: Context) =>
  (
    await rows<{ who: string; subject: string; hosts: string[] }>(
      `select who, subject, detail->'hosts' as hosts from audit_log where action = 'grant.closed'`,
    )
  ).map(({ who, subject, hosts }) => [who, subject, hosts]);

const OF_BOB = [['bob', 'approval/s1/two', ['pypi.org']]];

test('one of two hosts whose closing fails at the firewall is closed by the next attempt, answered truly and recorded once', async (context) => {
  context.bench.simulator.knobs.answer = { left: 1, path: /setItem/, status: 500, body: '{}' };
  assert.is(await codeOf(revoking(context, 'pypi.org')), 'OPNSENSE_SERVER');
  assert.match(
    context.said.get('session/s1/7/0') ?? '',
    /`pypi\.org` is being closed/,
    'nobody waits for the firewall',
  );
  assert.equal(await closings(context), OF_BOB);
  await revoking(context, 'pypi.org');
  assert.equal(contentOf(context), ['api.anthropic.com', 'crates.io']);
  assert.equal([...context.said.values()].length, 1);
  assert.equal(await closings(context), OF_BOB);
  assert.equal([...context.sent], [], 'the other host stays open');
});

test('killed right after it was stored, the next attempt closes, answers and records it all the same', async (context) => {
  const grants = grantsOf(context);
  const killed: Grants = {
    ...grants,
    end: async (key, matching) => {
      await grants.end(key, matching);
      throw new Error('killed');
    },
  };
  assert.match(await codeOf(revoking(context, 'pypi.org', undefined, killed)), /killed/);
  await revoking(context, 'pypi.org');
  assert.equal(contentOf(context), ['api.anthropic.com', 'crates.io']);
  assert.match([...context.said.values()].join(), /^`pypi\.org` is being closed/);
  assert.equal(await closings(context), OF_BOB);
});

test('while the chat is away it is closed, and answered truly once it is back', async (context) => {
  context.chatIsAway = true;
  assert.match(await codeOf(revoking(context, 'pypi.org')), /away/);
  assert.equal(contentOf(context), ['api.anthropic.com', 'crates.io']);
  context.chatIsAway = false;
  await revoking(context, 'pypi.org');
  assert.match([...context.said.values()].join(), /^`pypi\.org` is being closed/);
});

test('with its last host an approval is told once that it is closed, however often that is tried; then there is nothing to close', async (context) => {
  await revoking(context, 'pypi.org');
  for (const _ of [1, 2]) await revoking(context, 'crates.io', 'session/s1/8/0');
  assert.equal([...context.sent.values()], ['approval/s1/two REVOKE']);
  assert.match(context.said.get('session/s1/8/0') ?? '', /is being closed/);
  await revoking(context, 'crates.io', 'session/s1/9/0');
  assert.match(context.said.get('session/s1/9/0') ?? '', /nothing to close/);
});

test('it has as much time as the firewall needs, and no other answer waits for it', () => {
  const { 'chat.revoke': revoke, 'firewall.revoke': take } = EFFECT_POLICIES;
  assert.equal([revoke.lane, revoke.timeoutMs, revoke.deadlineMs], [take.lane, take.timeoutMs, take.deadlineMs]);
  const answer = { session: 'session/s1', place: { channelId: 'c', rootId: 'r' }, replyTo: 'p' } as const;
  const params = { ...answer, host: 'x', userId: 'u', userName: 'n' } as const;
  assert.is.not(
    orderKeyOf('session/s1', { kind: 'chat.revoke', params }),
    orderKeyOf('session/s1', { kind: 'chat.network', params: answer }),
  );
});

test.run();
