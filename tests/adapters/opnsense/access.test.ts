/** Who may, over which connection, and what people are told when not. */
import { createServer, type Server } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { failureOf } from '../../../src/actors/index.ts';
import type { OpnsenseFirewall } from '../../../src/adapters/opnsense/index.ts';
import { ALIAS, type Bench, codeOf, openBench, selfSigned } from './support.ts';

let bench: Bench;
test.before.each(async () => {
  bench = await openBench();
});
test.after.each(() => bench.close());

async function humanOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'nothing was thrown',
    (error: unknown) => failureOf(error).human,
  );
}

test('each missing privilege is named', async () => {
  bench.simulator.addUser({ key: 'looks', secret: 's', privileges: ['aliasRead', 'tables'] });
  bench.simulator.addUser({ key: 'edits', secret: 's', privileges: ['alias'] });
  bench.simulator.addUser({ key: 'locked', secret: 's', readonlyConfig: true });
  const as = (key: string): OpnsenseFirewall => bench.connect({ key, secret: 's' });
  const wish = { ours: [], wanted: ['pypi.org'] };
  assert.match(await humanOf(as('nobody').entries()), /does not accept the API key.*SM_OPNSENSE_KEY/);
  assert.match(await humanOf(as('looks').hold(wish)), /privilege "Firewall: Alias: Edit"/);
  assert.match(await humanOf(as('edits').live()), /privilege "Diagnostics: PF Table IP addresses"/);
  assert.match(await humanOf(as('locked').prove()), /may change the configuration/);
  assert.equal(bench.simulator.alias(ALIAS)?.content, ['api.anthropic.com']);
});

test('the privileges to change are proved without changing anything', async () => {
  await bench.firewall.prove();
  assert.equal(bench.simulator.alias(ALIAS)?.content, ['api.anthropic.com']);
  assert.ok(bench.simulator.requests.some(({ path }) => path.includes('setItem')));
});

test('a firewall with a certificate of its own is trusted by its file, and not without', async () => {
  const certificate = selfSigned();
  const secure = await openBench({ tls: certificate });
  try {
    assert.match(
      await humanOf(secure.firewall.entries()),
      /not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\).*SM_OPNSENSE_CA_FILE/,
    );
    assert.equal(secure.simulator.requests, []);
    assert.equal(await secure.connect({ caFile: certificate.file }).entries(), ['api.anthropic.com']);
    assert.equal(await secure.connect({ verifyTls: false }).entries(), ['api.anthropic.com']);
    const elsewhere = secure.simulator.url.replace('127.0.0.1', 'localhost');
    assert.is(await codeOf(secure.connect({ caFile: certificate.file, url: elsewhere }).entries()), 'OPNSENSE_TLS');
  } finally {
    await secure.close();
    certificate.remove();
  }
});

test('a CA file that is none is said so at once', () => {
  assert.throws(
    () => bench.connect({ caFile: '/nowhere/ca.pem' }),
    (error: unknown) => /cannot be read/.test(failureOf(error).human),
  );
  assert.throws(
    () => bench.connect({ caFile: '/etc/passwd' }),
    (error: unknown) => /no certificate/.test(failureOf(error).human),
  );
});

test('a firewall that cannot be reached, or is silent, is an error that may be retried', async () => {
  const silent: Server = createServer((socket) => void socket.resume());
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    assert.is(
      await codeOf(bench.connect({ url: `http://127.0.0.1:${port}`, timeoutMs: 50 }).entries()),
      'OPNSENSE_TIMEOUT',
    );
  } finally {
    await new Promise((resolve) => silent.close(resolve));
  }
  assert.is(await codeOf(bench.connect({ url: `http://127.0.0.1:${port}` }).entries()), 'OPNSENSE_UNREACHABLE');
});

test('another address than the API is said so', async () => {
  bench.simulator.knobs.answer = { left: 1, path: /./, status: 302, body: '' };
  assert.match(await humanOf(bench.firewall.entries()), /SM_OPNSENSE_URL/);
});

test('no error shows the key or the secret', async () => {
  for (const [status, body] of [
    [401, ''],
    [403, ''],
    [500, '{"errorMessage":"boom"}'],
    [200, 'page'],
    [400, ''],
  ] as const) {
    bench.simulator.knobs.answer = { left: 1, path: /./, status, body };
    try {
      await bench.connect({ key: 'hunter-key', secret: 'hunter-secret' }).entries();
      assert.unreachable();
    } catch (error) {
      assert.not.match(JSON.stringify([failureOf(error), String(error instanceof Error ? error.stack : '')]), /hunter/);
    }
  }
});

test.run();
