/** The alias is brought to a wished state, whatever the firewall does meanwhile, and nobody else's entry is touched. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ALIAS, type Bench, codeOf, openBench, resolve } from './support.ts';

const test = suite<{ bench: Bench }>('OPNsense alias');

test.before.each(async (context) => {
  context.bench = await openBench();
});
test.after.each(({ bench }) => bench.close());

const wish = (...wanted: string[]) => ({ ours: ['pypi.org', 'crates.io', 'files.pythonhosted.org'], wanted });
const contentOf = ({ simulator }: Bench) => simulator.alias(ALIAS)?.content;
/** How often names are resolved again when nothing was changed. */
const MINUTES = 5 * 60_000;
const count = ({ simulator }: Bench, part: string) =>
  simulator.requests.filter(({ path }) => path.includes(part)).length;

test('what is wanted is added behind what others have entered, and is live', async ({ bench }) => {
  const held = await bench.firewall.hold(wish('pypi.org', 'crates.io'));
  assert.equal(contentOf(bench), ['api.anthropic.com', 'pypi.org', 'crates.io']);
  assert.equal(bench.simulator.live(ALIAS).sort(), ['192.0.2.1', '192.0.2.10', '192.0.2.20', '2001:db8::10']);
  assert.equal([held.added, held.removed, held.late], [['pypi.org', 'crates.io'], [], []]);
});

test('the same wish again writes nothing', async ({ bench }) => {
  await bench.firewall.hold(wish('pypi.org'));
  const writes = count(bench, 'setItem') + count(bench, 'reconfigure');
  await bench.firewall.hold(wish('pypi.org'));
  assert.is(count(bench, 'setItem') + count(bench, 'reconfigure'), writes);
});

test('what is ours and no longer wanted goes; what is not ours stays, wanted or not', async ({ bench }) => {
  await bench.firewall.hold(wish('pypi.org', 'crates.io'));
  const held = await bench.firewall.hold(wish('crates.io'));
  assert.equal(contentOf(bench), ['api.anthropic.com', 'crates.io']);
  assert.equal([held.removed, held.late], [['pypi.org'], []]);
  assert.equal(bench.simulator.live(ALIAS).sort(), ['192.0.2.1', '192.0.2.20']);
});

test('a removed name with the addresses of one that stays is not waited for', async ({ bench }) => {
  await bench.firewall.hold(wish('files.pythonhosted.org', 'crates.io'));
  bench.simulator.edit(ALIAS, { content: ['api.anthropic.com', 'pypi.org', 'files.pythonhosted.org'] });
  const held = await bench.firewall.hold({ ours: ['files.pythonhosted.org'], wanted: [] });
  assert.equal([contentOf(bench), held.late], [['api.anthropic.com', 'pypi.org'], []]);
});

test('a refresh that was skipped without a word is asked for again', async ({ bench }) => {
  bench.simulator.knobs.refreshLocked = true;
  const holding = bench.firewall.hold(wish('pypi.org'));
  let isOver = false;
  void holding.then(() => {
    isOver = true;
  });
  while (!isOver && count(bench, 'reconfigure') < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.not.ok(bench.simulator.live(ALIAS).includes('192.0.2.10'));
  bench.simulator.knobs.refreshLocked = false;
  assert.equal((await holding).late, []);
  assert.ok(bench.simulator.live(ALIAS).includes('192.0.2.10'));
});

test('what never becomes live is named', async ({ bench }) => {
  bench.simulator.knobs.refreshLocked = true;
  assert.equal((await bench.firewall.hold(wish('pypi.org'))).late, ['pypi.org']);
});

test('RT-61: a refresh only minutes later counts when it is there, not before', async () => {
  let clock = 0;
  const bench = await openBench({ now: () => clock });
  try {
    bench.simulator.resolveWith(async () => Promise.reject(new Error('SERVFAIL')));
    assert.equal((await bench.firewall.hold(wish('crates.io'))).late, ['crates.io']);
    // The firewall can resolve it from now on, and does so as late as it always does.
    bench.simulator.resolveWith(resolve);
    const before = count(bench, 'reconfigure');
    bench.simulator.knobs.between = () => {
      if (count(bench, 'reconfigure') === before + 3) clock = MINUTES;
    };
    assert.equal((await bench.firewall.hold(wish('crates.io'))).late, []);
    assert.ok(bench.simulator.live(ALIAS).includes('192.0.2.20'));
    assert.ok(count(bench, 'reconfigure') > before + 3);
  } finally {
    await bench.close();
  }
});

test('a change that was overwritten by another writer is made again, on top of theirs', async ({ bench }) => {
  let times = 2;
  bench.simulator.knobs.between = (path) => {
    if (!path.includes('setItem') || times === 0) return;
    times -= 1;
    bench.simulator.edit(ALIAS, { content: ['api.anthropic.com', 'from.the.gui'] });
  };
  await bench.firewall.hold(wish('pypi.org'));
  assert.equal(contentOf(bench), ['api.anthropic.com', 'from.the.gui', 'pypi.org']);
});

test('a writer who never stops is left to it, with an error that may be retried', async ({ bench }) => {
  bench.simulator.knobs.between = (path) => {
    if (path.includes('setItem')) bench.simulator.edit(ALIAS, { content: ['api.anthropic.com'] });
  };
  assert.is(await codeOf(bench.firewall.hold(wish('pypi.org'))), 'OPNSENSE_OVERWRITTEN');
});

test('thirty wishes at once do not lose each other', async ({ bench }) => {
  const hosts = Array.from({ length: 30 }, (_, index) => `h${index}.pypi.org`);
  await Promise.all(hosts.map((host) => bench.firewall.hold({ ours: [], wanted: [host] })));
  assert.equal(contentOf(bench)?.length, 31);
});

test('a write whose answer is lost is looked at, not guessed', async ({ bench }) => {
  bench.simulator.knobs.loseAnswers = { left: 1, path: /setItem/ };
  await bench.firewall.hold(wish('pypi.org'));
  assert.is(count(bench, 'setItem'), 1);
  assert.ok(bench.simulator.live(ALIAS).includes('192.0.2.10'));
});

test('a reconfigure that takes longer than anybody waits is settled by the live table', async ({ bench }) => {
  bench.simulator.knobs.reconfigureMs = 400;
  const held = await bench.connect({ timeoutMs: 100 }).hold(wish('pypi.org'));
  assert.equal(held.late, []);
});

test('a reconfigure that fails is an error, and the next try finds the rest to do', async ({ bench }) => {
  bench.simulator.knobs.failReconfigures = 1;
  assert.is(await codeOf(bench.firewall.hold(wish('pypi.org'))), 'OPNSENSE_SERVER');
  assert.equal(contentOf(bench), ['api.anthropic.com', 'pypi.org']);
  assert.equal((await bench.firewall.hold(wish('pypi.org'))).late, []);
  assert.ok(bench.simulator.live(ALIAS).includes('192.0.2.10'));
});

test('nothing is written after a read that failed, was cut, or lacked something', async ({ bench }) => {
  const item = { name: ALIAS, enabled: '1', type: { host: { selected: 1 } }, content: {} };
  for (const [body, code] of [
    ['', 'OPNSENSE_GARBLED'],
    ['<html>504</html>', 'OPNSENSE_GARBLED'],
    ['[]', 'OPNSENSE_NO_ALIAS'],
    ['{"alias":{}}', 'OPNSENSE_GARBLED'],
    ['{"alias":{"name":"x"', 'OPNSENSE_GARBLED'],
    [JSON.stringify({ alias: item }), 'OPNSENSE_GARBLED'],
    [JSON.stringify({ alias: { ...item, content: { offices: { selected: 0 } } } }), 'OPNSENSE_GARBLED'],
    [JSON.stringify({ alias: { ...item, content: [] } }), 'OPNSENSE_GARBLED'],
    [JSON.stringify({ alias: { ...item, name: 'offices', content: { '': { selected: 1 } } } }), 'OPNSENSE_WRONG_ALIAS'],
  ] as const) {
    bench.simulator.knobs.answer = { left: 1, path: /getItem/, status: 200, body };
    assert.is(await codeOf(bench.firewall.hold(wish('pypi.org'))), code, body);
  }
  assert.is(count(bench, 'setItem'), 0);
  assert.equal(contentOf(bench), ['api.anthropic.com']);
});

test('an alias that is empty and says so is written to', async ({ bench }) => {
  bench.simulator.edit(ALIAS, { content: [] });
  await bench.firewall.hold(wish('pypi.org'));
  assert.equal(contentOf(bench), ['pypi.org']);
});

test('an alias that vanishes under the writer is never made again out of nothing', async ({ bench }) => {
  bench.simulator.knobs.between = (path) => {
    if (path.includes('getItem')) bench.simulator.removeAlias(ALIAS);
  };
  assert.is(await codeOf(bench.firewall.hold(wish('pypi.org'))), 'OPNSENSE_NO_ALIAS');
  assert.is(bench.simulator.alias(ALIAS), undefined);
  assert.is(bench.simulator.alias(''), undefined);
});

test('a disabled alias, or one of another type, is not touched', async ({ bench }) => {
  bench.simulator.edit(ALIAS, { enabled: false });
  assert.is(await codeOf(bench.firewall.hold(wish('pypi.org'))), 'OPNSENSE_WRONG_ALIAS');
  bench.simulator.edit(ALIAS, { enabled: true, type: 'network' });
  assert.is(await codeOf(bench.firewall.hold(wish('pypi.org'))), 'OPNSENSE_WRONG_ALIAS');
  assert.is(count(bench, 'setItem'), 0);
});

test('no text can become a second entry, a wildcard or the name of another alias', async ({ bench }) => {
  for (const host of ['a.com\nb.com', '*.a.com', 'offices', 'A.com', 'a.com.', '', 'a b.com', 'a.com\u0000']) {
    const thrown = await Promise.resolve()
      .then(() => bench.firewall.hold(wish(host)))
      .then(
        () => 'held',
        (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
      );
    assert.is(thrown, 'OPNSENSE_BAD_HOST', JSON.stringify(host));
  }
  assert.is(count(bench, 'setItem'), 0);
});

test('the alias is made on request, once, and only then', async ({ bench }) => {
  bench.simulator.removeAlias(ALIAS);
  assert.is(await codeOf(bench.firewall.hold(wish('pypi.org'))), 'OPNSENSE_NO_ALIAS');
  assert.is(await bench.firewall.create(), true);
  assert.is(await bench.firewall.create(), false);
  await bench.firewall.hold(wish('pypi.org'));
  assert.equal(contentOf(bench), ['pypi.org']);
});

test.run();
