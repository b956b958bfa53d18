// @limit 400
/** Containers reach what was opened for them, and nothing else: on real nftables, routing and resolvers. Needs root. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { unwalled } from '../../../src/adapters/nftables/index.ts';
import { until } from '../../support/sshd.ts';
import { AGENT, type Bench, OTHER, openBench, RESOLVER, WORLD, WORLD_DNS } from './bench.ts';

const test = suite<{ bench: Bench }>('walls');
const BLOCKED = 'EHOSTUNREACH';
const NAMES = { 'pypi.org': [WORLD.pypi, WORLD.pypi6], 'crates.io': [WORLD.crates] };

test.before(async (context) => {
  context.bench = await openBench();
});
test.after(({ bench }) => bench.close());
test.before.each(async ({ bench }) => {
  bench.clock.now = Date.now();
  await bench.walls.hold([]);
  await bench.names(NAMES);
});

const openFor = (sources: readonly string[], ...hosts: string[]) => ({ sources, hosts });

test('without walls everything is open: the bench proves something', async ({ bench }) => {
  await bench.walls.tearDown();
  assert.is(await bench.tcp('agent', WORLD.pypi), 'open');
  assert.is(await bench.tcp('agent', WORLD.metadata, 80), 'open');
  assert.is(await bench.tcp('agent', WORLD.pypi6), 'open');
  assert.is(await bench.tcp('agent', OTHER[0] ?? '', 443), 'ECONNREFUSED');
  for (const host of [WORLD.pypi, WORLD.pypi6]) assert.is(await bench.udp('agent', host, 443), 'answered');
  assert.match(await bench.lookUp('agent', 'pypi.org', 'A', WORLD_DNS), /45\.33/);
});

test('RT-54: nothing passes but what was opened: other hosts and ports, UDP, IPv6, metadata, private networks, the VM', async ({
  bench,
}) => {
  await bench.walls.hold([openFor(AGENT, 'crates.io')]);
  assert.is(await bench.tcp('agent', WORLD.crates), 'open');
  for (const [host, port] of [
    [WORLD.pypi, 443],
    [WORLD.crates, 80],
    [WORLD.crates, 22],
    [WORLD.crates, 8443],
    [WORLD.pypi6, 443],
    [WORLD.metadata, 80],
    [WORLD.intranet, 443],
    [OTHER[0] ?? '', 443],
    ['10.88.6.1', 22],
    [RESOLVER, 22],
    [RESOLVER, 443],
    ['45.33.32.1', 22],
  ] as const) {
    // Not ECONNREFUSED, which says only that nobody listens there.
    assert.ok([BLOCKED, 'EACCES'].includes(await bench.tcp('agent', host, port)), `${host} ${port}`);
  }
  for (const host of [WORLD.crates, WORLD.pypi, WORLD.pypi6]) {
    assert.is.not(await bench.udp('agent', host, 443), 'answered', `UDP ${host}`);
  }
  assert.is.not(await bench.lookUp('agent', 'pypi.org', 'A', WORLD_DNS), WORLD.pypi, "another resolver than the VM's");
});

test('one container opens nothing for another', async ({ bench }) => {
  await bench.walls.hold([openFor(AGENT, 'pypi.org'), openFor(OTHER, 'crates.io')]);
  assert.equal(await Promise.all([bench.tcp('agent', WORLD.pypi), bench.tcp('agent', WORLD.crates)]), [
    'open',
    BLOCKED,
  ]);
  assert.equal(await Promise.all([bench.tcp('other', WORLD.pypi), bench.tcp('other', WORLD.crates)]), [
    BLOCKED,
    'open',
  ]);
  await bench.walls.hold([{ sources: 'all', hosts: ['crates.io'] }, openFor([], 'pypi.org')]);
  assert.equal(
    await Promise.all([
      bench.tcp('agent', WORLD.crates),
      bench.tcp('other', WORLD.crates),
      bench.tcp('agent', WORLD.pypi),
    ]),
    ['open', 'open', BLOCKED],
  );
});

test('a name works in the container as soon as it is open, over IPv6, too', async ({ bench }) => {
  assert.not.match(await bench.lookUp('agent', 'pypi.org'), /45\.33/);
  await bench.walls.hold([openFor(AGENT, 'pypi.org')]);
  await until('the resolver knows it', async () => (await bench.lookUp('agent', 'pypi.org')) === WORLD.pypi);
  assert.is(await bench.tcp('agent', 'pypi.org'), 'open');
  assert.is(await bench.tcp('agent', WORLD.pypi6), 'open');
  assert.is(await bench.lookUp('agent', 'sub.pypi.org'), 'EREFUSED');
});

test('an open connection ends when its way is closed, and others go on', async ({ bench }) => {
  await bench.walls.hold([openFor(AGENT, 'pypi.org', 'crates.io')]);
  const closing = await bench.keepOpen('agent', WORLD.pypi);
  const staying = await bench.keepOpen('agent', WORLD.crates);
  await bench.walls.hold([openFor(AGENT, 'crates.io')]);
  assert.is(await closing.ended, 'ECONNRESET');
  await bench.walls.hold([openFor(AGENT, 'crates.io')]);
  assert.is(staying.isOpen(), true);
  staying.close();
});

test('a way with an end closes by itself, with its connections, though nobody closes it', async ({ bench }) => {
  await bench.walls.hold([{ ...openFor(AGENT, 'pypi.org'), expiresAt: bench.clock.now + 3_000 }]);
  const connection = await bench.keepOpen('agent', WORLD.pypi);
  assert.is(await connection.ended, 'ECONNRESET');
  assert.is(await bench.tcp('agent', WORLD.pypi), BLOCKED);
});

test('of two reasons for a way, the longer one counts, and an ended one opens nothing', async ({ bench }) => {
  const { now } = bench.clock;
  const held = await bench.walls.hold([
    { ...openFor(AGENT, 'crates.io'), expiresAt: now + 10_000 },
    { ...openFor(AGENT, 'crates.io'), expiresAt: now + 20_000 },
    { ...openFor(OTHER, 'crates.io'), expiresAt: now + 10_000 },
    openFor(OTHER, 'crates.io'),
    { ...openFor(AGENT, 'pypi.org'), expiresAt: now },
  ]);
  assert.equal(
    held.ways.map(({ source, address, seconds }) => [source, address, seconds]),
    [
      [AGENT[0], WORLD.crates, 20],
      [OTHER[0], WORLD.crates, undefined],
    ],
  );
});

test('RT-55: queries carry nothing out: what the resolver does not know, it asks nobody', async ({ bench }) => {
  await bench.walls.hold([openFor(AGENT, 'pypi.org')]);
  await until('the resolver knows it', async () => (await bench.lookUp('agent', 'pypi.org')) === WORLD.pypi);
  for (const name of ['c2VjcmV0.attacker.net', 'c2VjcmV0.pypi.org', 'c2VjcmV0.crates.io']) {
    assert.ok(['EREFUSED', 'ENOTFOUND'].includes(await bench.lookUp('agent', name)), name);
    assert.ok(['EREFUSED', 'ENOTFOUND', 'ENODATA'].includes(await bench.lookUp('agent', name, 'TXT')), name);
  }
  await bench.lookUp('agent', 'c2VjcmV0.attacker.net', 'A', WORLD_DNS);
  // The name server writes names down in lower case.
  assert.not.match(await bench.queries(), /c2VjcmV0/i);
  assert.match(await bench.queries(), /pypi\.org/);
});

test('RT-56: addresses that change are followed, and the old ones outlive them for an hour', async ({ bench }) => {
  const opening = [openFor(AGENT, 'pypi.org')];
  await bench.names({ 'pypi.org': [WORLD.pypi] });
  await bench.walls.hold(opening);
  const connection = await bench.keepOpen('agent', WORLD.pypi);
  await bench.names({ 'pypi.org': [WORLD.pypiLater] });
  assert.is(
    await bench.lookUp('agent', 'pypi.org'),
    WORLD.pypi,
    'a container is never told an address that is not open',
  );
  bench.clock.now += 3_500_000;
  await bench.walls.hold(opening);
  await until('the new address is told', async () => (await bench.lookUp('agent', 'pypi.org')) === WORLD.pypiLater);
  assert.is(await bench.tcp('agent', WORLD.pypiLater), 'open');
  assert.is(connection.isOpen(), true);
  bench.clock.now += 100_001;
  await bench.walls.hold(opening);
  assert.is(await connection.ended, 'ECONNRESET');
  assert.is(await bench.tcp('agent', WORLD.pypiLater), 'open');
});

test('RT-56: a look-up that fails, or answers twice the same, changes nothing for it or others', async ({ bench }) => {
  const opening = [openFor(AGENT, 'pypi.org', 'crates.io', 'pypi.org'), openFor(AGENT, 'pypi.org')];
  await bench.walls.hold(opening);
  await bench.names({ 'crates.io': [WORLD.crates, WORLD.crates], 'new.org': [WORLD.crates] });
  await until('pypi.org fails', async () => !/\d/.test(await bench.lookUp('vm', 'pypi.org', 'A', WORLD_DNS)));
  const held = await bench.walls.hold([...opening, openFor(AGENT, 'gone.com', 'new.org')]);
  assert.equal(held.unresolved, ['gone.com']);
  await until('the names are read', async () => (await bench.lookUp('agent', 'new.org')) === WORLD.crates);
  assert.equal(await Promise.all([bench.tcp('agent', WORLD.pypi), bench.tcp('agent', WORLD.crates)]), ['open', 'open']);
  assert.is(await bench.lookUp('agent', 'pypi.org'), WORLD.pypi);
});

test('RT-57: a forged SNI opens nothing, and a public name cannot lead into a private network', async ({ bench }) => {
  await bench.names({ ...NAMES, 'evil.com': [WORLD.metadata, WORLD.intranet, '127.0.0.1', '45.33.32.1'].slice(0, 3) });
  const held = await bench.walls.hold([openFor(AGENT, 'pypi.org', 'evil.com')]);
  assert.is(await bench.tcp('agent', WORLD.crates, 443, 'pypi.org'), BLOCKED);
  assert.equal(held.unresolved, ['evil.com']);
  for (const host of [WORLD.metadata, WORLD.intranet]) assert.is(await bench.tcp('agent', host), BLOCKED);
  assert.not.match(await bench.lookUp('agent', 'evil.com'), /\d/);
});

test('RT-59: the first, third and thirtieth domain are reachable as soon as they are said to be', async ({ bench }) => {
  const hosts = Array.from({ length: 30 }, (_, index) => `h${index}.org`);
  for (const index of Array.from({ length: 30 }, (_, i) => i)) {
    await bench.ip('world', 'addr', 'replace', `45.33.32.${100 + index}/24`, 'dev', 'eth0');
  }
  await bench.names(Object.fromEntries(hosts.map((host, index) => [host, [`45.33.32.${100 + index}`]])));
  for (const count of [1, 3, 30]) {
    const began = performance.now();
    await bench.walls.hold(hosts.slice(0, count).map((host) => openFor(AGENT, host)));
    const applied = performance.now() - began;
    for (const nth of [1, 3, 30].filter((each) => each <= count)) {
      assert.is(await bench.tcp('agent', `45.33.32.${99 + nth}`), 'open', `domain ${nth} of ${count}`);
    }
    console.log(`domain ${count}: in force after ${applied.toFixed(0)} ms`);
  }
});

test('walls that somebody took away or changed are seen, and built again', async ({ bench }) => {
  const opening = [openFor(AGENT, 'pypi.org')];
  await bench.walls.hold(opening);
  const right = await bench.walls.look();
  assert.equal(right?.ways, [`${AGENT[0]} ${WORLD.pypi} 443`, `${AGENT[1]} ${WORLD.pypi6} 443`].sort());
  await bench.nft('flush', 'chain', 'inet', 'csm_test', 'out');
  await bench.nft('add', 'element', 'inet', 'csm_test', 'open4', '{ 10.88.6.2 . 45.33.32.20 . 443 }');
  assert.is.not((await bench.walls.look())?.rules, right?.rules);
  assert.is((await bench.walls.look())?.ways.length, 3);
  await bench.nft('flush', 'ruleset');
  assert.is(await bench.walls.look(), undefined);
  await bench.walls.hold(opening);
  assert.equal(await bench.walls.look(), right);
});

test('a packet never meets walls that are being rebuilt', async ({ bench }) => {
  const opening = [openFor(AGENT, 'pypi.org')];
  await bench.walls.hold(opening);
  const connection = await bench.keepOpen('agent', WORLD.pypi);
  await Promise.all(Array.from({ length: 10 }, () => bench.walls.hold(opening)));
  assert.is(connection.isOpen(), true);
  connection.close();
});

test('walls at some bridges hold nobody at others; with a star they stand at all whose names begin so', async ({
  bench,
}) => {
  await bench.wallsAt(['br0']).hold([openFor(AGENT, 'crates.io')]);
  assert.is(await bench.tcp('agent', WORLD.pypi), BLOCKED);
  assert.is(await bench.tcp('other', WORLD.pypi), 'open');
  await bench.wallsAt(['br*']).hold([openFor(AGENT, 'crates.io')]);
  for (const space of ['agent', 'other'] as const) {
    for (const host of [WORLD.pypi, WORLD.pypi6, WORLD.metadata, RESOLVER]) {
      assert.is.not(await bench.tcp(space, host, host === RESOLVER ? 22 : 443), 'open', `${space} ${host}`);
    }
  }
  assert.is(await bench.tcp('agent', WORLD.crates), 'open');
  assert.instance(
    await bench
      .wallsAt([])
      .hold([])
      .catch((error: unknown) => error),
    RangeError,
  );
});

test('of interfaces it is known whether walls stand there', () => {
  const unwalledAt = (...bridges: string[]) => unwalled(['br0', 'br1'], bridges);
  assert.equal(unwalledAt('br0', 'br1'), []);
  assert.equal(unwalledAt('br*'), []);
  assert.equal(unwalledAt('br0'), ['br1']);
  assert.equal(unwalledAt('br', 'b0*', 'r0'), ['br0', 'br1']);
  assert.equal(unwalled(['(host)', '(macvlan br0)'], ['br0', 'h*', 'm*']), ['(host)', '(macvlan br0)']);
});

test('no text from outside becomes part of the rules', async ({ bench }) => {
  for (const source of ['10.88.5.2 }; flush ruleset; #', '10.88.5.2%x', '', 'all']) {
    const held = bench.walls.hold([openFor([source], 'pypi.org')]);
    assert.instance(await held.catch((error: unknown) => error), RangeError, source);
  }
  assert.ok(await bench.walls.look());
});

test.run();
