// @limit 200
/** Grants and the firewall they are held by: real PostgreSQL, the OPNsense stand-in, time at will. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Store } from '../../../src/actors/index.ts';
import { createStore } from '../../../src/adapters/postgres/index.ts';
import { CANARIES, proveWalls } from '../../../src/flows/firewall/canary.ts';
import { opnsenseEnforcer } from '../../../src/flows/firewall/enforcers.ts';
import { createGrants, type Grants, type GrantWish } from '../../../src/flows/firewall/grants.ts';
import { keepFirewall } from '../../../src/flows/firewall/keeper.ts';
import { ALIAS, type Bench, codeOf, openBench } from '../../adapters/opnsense/support.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { until } from '../../support/sshd.ts';

interface Context {
  postgres: TestPostgres;
  bench: Bench;
  store: Store;
  grants: Grants;
  clock: { now: number };
}

const test = suite<Context>('grants');
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

test.before(async (context) => {
  context.postgres = await startPostgres();
});
test.after(({ postgres }) => postgres.stop());
test.before.each(async (context) => {
  const { db } = await context.postgres.freshDatabase();
  context.bench = await openBench();
  context.clock = { now: 1_000_000 };
  context.store = createStore(db);
  context.grants = newGrants(context);
});
test.after.each(({ bench }) => bench.close());

/** As after a restart: nothing is remembered but what is stored. */
function newGrants({ bench, store, clock }: Context): Grants {
  return createGrants({ enforcer: opnsenseEnforcer(bench.connect()), store, now: () => clock.now });
}

function wish(approval: string, hosts: readonly string[], more: Partial<GrantWish> = {}): GrantWish {
  return {
    key: `approval/s1/${approval}/1/0`,
    approval: `approval/s1/${approval}`,
    session: 'session/s1',
    container: 'container/acme/web@main',
    repo: 'acme/web',
    hosts,
    scope: 'session',
    expiresAt: undefined,
    by: 'alice',
    ...more,
  };
}

const contentOf = ({ bench }: Context) => bench.simulator.alias(ALIAS)?.content;

test('a host is open as long as one grant needs it', async (context) => {
  const { grants } = context;
  await grants.open(wish('a', ['pypi.org', 'crates.io']));
  await grants.open(wish('b', ['pypi.org']));
  assert.equal(contentOf(context), ['api.anthropic.com', 'crates.io', 'pypi.org']);
  await grants.close(({ approval }) => approval === 'approval/s1/a');
  assert.equal(contentOf(context), ['api.anthropic.com', 'pypi.org']);
  await grants.close(({ approval }) => approval === 'approval/s1/b');
  assert.equal(contentOf(context), ['api.anthropic.com']);
});

test('what is slow to open holds up nothing that is to be closed', async (context) => {
  const { bench, store, clock } = context;
  const firewall = bench.connect({}, { lookMs: 1, againMs: 60_000, patienceMs: 600_000 });
  const grants = createGrants({ enforcer: opnsenseEnforcer(firewall), store, now: () => clock.now });
  await grants.open(wish('a', ['pypi.org']));
  bench.simulator.knobs.refreshLocked = true;
  const opening = grants.open(wish('b', ['crates.io']));
  await until('it is written', () => contentOf(context)?.includes('crates.io') === true);
  const closing = grants.close(({ approval }) => approval === 'approval/s1/a');
  assert.equal((await opening).late, ['crates.io']);
  await until('the other one is taken out', () => contentOf(context)?.includes('pypi.org') === false);
  bench.simulator.knobs.refreshLocked = false;
  await grants.close(() => false);
  await closing;
});

test('a grant that has ended by its time is taken out at the next look', async (context) => {
  await context.grants.open(wish('a', ['pypi.org'], { scope: 'repo', expiresAt: context.clock.now + 1_000 }));
  context.clock.now += 1_000;
  await newGrants(context).sync();
  assert.equal(contentOf(context), ['api.anthropic.com']);
});

test('what somebody entered by hand stays when a grant of the same host ends', async (context) => {
  context.bench.simulator.edit(ALIAS, { content: ['api.anthropic.com', 'pypi.org'] });
  await context.grants.open(wish('a', ['pypi.org']));
  await context.grants.close(() => true);
  assert.equal(contentOf(context), ['api.anthropic.com', 'pypi.org']);
});

test('what somebody entered by hand, and took out while it was granted, is entered by us and goes with the grant', async (context) => {
  const { bench } = context;
  bench.simulator.edit(ALIAS, { content: ['api.anthropic.com', 'pypi.org'] });
  await context.grants.open(wish('a', ['pypi.org']));
  bench.simulator.edit(ALIAS, { content: ['api.anthropic.com'] });
  await newGrants(context).sync();
  assert.equal(contentOf(context), ['api.anthropic.com', 'pypi.org'], 'it is still granted');
  await newGrants(context).close(() => true);
  assert.equal(contentOf(context), ['api.anthropic.com'], 'nobody needs it any more');
});

test('what was ours once, and is entered by hand later, is not ours any more', async (context) => {
  await context.grants.open(wish('a', ['pypi.org']));
  await context.grants.close(() => true);
  context.bench.simulator.edit(ALIAS, { content: ['api.anthropic.com', 'pypi.org'] });
  await newGrants(context).sync();
  assert.equal(contentOf(context), ['api.anthropic.com', 'pypi.org']);
});

test('a crash between storing and applying, or applying and knowing, is made good by the same request or the next look', async (context) => {
  context.bench.simulator.knobs.answer = { left: 1, path: /setItem/, status: 500, body: '{}' };
  assert.is(await codeOf(context.grants.open(wish('a', ['pypi.org']))), 'OPNSENSE_SERVER');
  assert.equal(contentOf(context), ['api.anthropic.com']);
  await newGrants(context).open(wish('a', ['pypi.org']));
  assert.equal(contentOf(context), ['api.anthropic.com', 'pypi.org']);
  context.bench.simulator.knobs.answer = { left: 1, path: /reconfigure/, status: 500, body: '{}' };
  assert.is(await codeOf(context.grants.open(wish('b', ['crates.io']))), 'OPNSENSE_SERVER');
  await newGrants(context).sync();
  assert.ok(context.bench.simulator.live(ALIAS).includes('192.0.2.20'));
  await newGrants(context).close(() => true);
  assert.equal(contentOf(context), ['api.anthropic.com']);
});

test('thirty grants and their ends at once leave what is still needed', async (context) => {
  const hosts = Array.from({ length: 30 }, (_, index) => `h${index}.pypi.org`);
  await Promise.all(
    hosts.map(async (host, index) => {
      await context.grants.open(wish(String(index), [host]));
      if (index % 2 === 1) await context.grants.close(({ approval }) => approval === `approval/s1/${index}`);
    }),
  );
  assert.is(contentOf(context)?.length, 16);
});

test('drift is repaired, recorded and told; what cannot be repaired is told once', async (context) => {
  const { bench, grants, store, clock } = context;
  await grants.open(wish('a', ['pypi.org']));
  const told: string[] = [];
  const over = new AbortController();
  const tell = async (words: string) => void told.push(words);
  const keeping = keepFirewall(
    { grants, store, needed: async () => [], tell, log, now: () => clock.now, everyMs: 5 },
    over.signal,
  );
  bench.simulator.edit(ALIAS, { content: ['api.anthropic.com'] });
  await until(
    'it is repaired',
    () => bench.simulator.alias(ALIAS)?.content.includes('pypi.org') === true && told.length > 0,
  );
  assert.match(told[0] ?? '', /pypi\.org had been taken out/);
  bench.simulator.removeAlias(ALIAS);
  await until('it is told', () => told.length > 1);
  const looks = bench.simulator.requests.length;
  await until('it was looked at again', () => bench.simulator.requests.length > looks + 6);
  over.abort();
  await keeping;
  assert.is(told.length, 2);
  assert.match(told[1] ?? '', /no alias/);
});

test('RT-58: what every agent needs is tried regularly; that it cannot be reached any more is told once, and recorded', async (context) => {
  const { grants, store, clock } = context;
  const told: string[] = [];
  let lacking: readonly string[] = [];
  let looks = 0;
  const over = new AbortController();
  const keeping = keepFirewall(
    {
      grants,
      store,
      needed: async () => {
        looks += 1;
        return lacking;
      },
      neededEveryMs: 1_000,
      tell: async (words) => void told.push(words),
      log,
      now: () => clock.now,
      everyMs: 5,
    },
    over.signal,
  );
  const nextLook = async () => {
    const before = looks;
    clock.now += 1_000;
    await until('the next look', () => looks > before);
  };
  try {
    await until('the first look', () => looks === 1);
    lacking = ['platform.claude.com'];
    await nextLook();
    await until('it is told', () => told.length === 1);
    await nextLook();
    await nextLook();
    lacking = [];
    await nextLook();
    lacking = ['platform.claude.com'];
    await nextLook();
    await until('it is told again after it was well', () => told.length >= 2);
  } finally {
    over.abort();
    await keeping;
  }
  assert.is(told.length, 2);
  assert.match(told[0] ?? '', /cannot work without: platform\.claude\.com.*SM_BASE_HOSTS/);
  assert.is((await store.verifyAudit()).rows, 2);
});

test('RT-53: a container that can reach a forbidden address is refused, and so is one that cannot be asked', async () => {
  await proveWalls(async () => false);
  for (const canary of CANARIES) {
    assert.is(await codeOf(proveWalls(async (host) => host === canary.host)), 'WALLS_OPEN');
  }
  const silent = proveWalls(async () => Promise.reject(new Error('no worker')));
  assert.match(await codeOf(silent), /no worker/);
});

test.run();
