// @limit 300
// What an operator learns about the way of clicks: against a gateway that runs and a chat server that is as strict as the real one.
import { createServer } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort } from '../../simulator/src/dev/gateway.ts';
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { person } from '../support/person.ts';
import { csm } from './csm.ts';

const test = suite<{ environment: TestEnvironment }>('csm doctor callback');
test.before(async (context) => {
  context.environment = await startTestEnvironment({
    gatewayEnv: { SM_CALLBACK_PATH_SECRET: 'a-secret-part-of-the-path' },
  });
});
test.after(async ({ environment }) => environment?.stop());

interface Options {
  readonly more?: Readonly<Record<string, string>>;
  readonly json?: boolean;
}

function doctor({ gatewayEnv, lobbyId }: TestEnvironment, { more = {}, json = false }: Options = {}) {
  return csm(['doctor', 'callback', '--channel', lobbyId, ...(json ? ['--json'] : [])], { ...gatewayEnv, ...more });
}

/** What the bot has in the lobby now. */
async function postsOfBot(environment: TestEnvironment): Promise<unknown[]> {
  const answer = await person(environment).call('GET', `/channels/${environment.lobbyId}/posts`);
  const { posts } = (await answer.json()) as { posts: Record<string, { user_id: string; type: string }> };
  return Object.values(posts).filter((post) => post.user_id === environment.bot.id && post.type === '');
}

test('RT-30: the click goes all the way and back, and nothing stays in the channel', async ({ environment }) => {
  const { code, said } = await doctor(environment);
  assert.is(code, 0, said);
  for (const check of ['Mattermost', 'card', 'gateway', 'click', 'answer'])
    assert.match(said, new RegExp(`^ok +${check}: `, 'm'));
  assert.match(said, /The callback works\./);
  assert.not.match(said, /a-secret-part-of-the-path/);
  assert.equal(await postsOfBot(environment), []);
});

test('--json says the same for programs', async ({ environment }) => {
  const { code, said } = await doctor(environment, { json: true });
  const { doctor: which, ok, findings } = JSON.parse(said);
  assert.equal([code, which, ok], [0, 'callback', true]);
  assert.equal(
    findings.map(({ check, level }: { check: string; level: string }) => `${level} ${check}`),
    ['ok Mattermost', 'ok card', 'ok gateway', 'ok click', 'ok answer'],
  );
});

test('RT-30: an address that Mattermost may not call: what to allow, because the gateway answers from here', async ({
  environment,
}) => {
  // The chat server lets buttons call loopback by these names only.
  const url = new URL(environment.gatewayEnv.SM_CALLBACK_URL ?? '');
  url.hostname = '127.0.0.2';
  const answering = await relay(url, environment.gateway().url);
  try {
    const { code, said } = await doctor(environment, { more: { SM_CALLBACK_URL: answering.url } });
    assert.is(code, 1);
    assert.match(said, /^failed +click: .*Add 127\.0\.0\.2 to AllowedUntrustedInternalConnections/m);
  } finally {
    answering.close();
  }
});

test('nobody there: is it running, does the address lead to it', async ({ environment }) => {
  const nobody = `http://127.0.0.1:${await freePort()}/callback`;
  const { code, said } = await doctor(environment, { more: { SM_CALLBACK_URL: nobody } });
  assert.is(code, 1);
  assert.match(said, /^warning +gateway: .*cannot be reached from here \(ECONNREFUSED\)/m);
  assert.match(said, /^failed +click: .*Is the gateway running/m);
});

test('another path, or another secret than the gateway has: which settings differ', async ({ environment }) => {
  const path = await doctor(environment, { more: { SM_CALLBACK_PATH_SECRET: 'another-part-of-the-path' } });
  assert.is(path.code, 1);
  assert.match(path.said, /answers 404 when asked from here/);
  assert.match(path.said, /SM_CALLBACK_PATH_SECRET/);
  const secret = await doctor(environment, { more: { SM_CALLBACK_SECRET: 'f'.repeat(64) } });
  assert.is(secret.code, 1);
  assert.match(secret.said, /^failed +answer: .*same SM_CALLBACK_SECRET/m);
  assert.equal(await postsOfBot(environment), []);
});

test('a page of a proxy is no answer of the gateway', async ({ environment }) => {
  const proxy = createServer((_, response) => response.writeHead(200).end('<html>Please log in</html>'));
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  try {
    const { code, said } = await doctor(environment, {
      more: { SM_CALLBACK_URL: `http://127.0.0.1:${port}/callback` },
    });
    assert.is(code, 1);
    assert.match(said, /^failed +click: /m);
  } finally {
    proxy.close();
  }
});

test('no channel, a channel that is not there, a token that is none: each has its words', async ({ environment }) => {
  const none = await csm(['doctor', 'callback'], environment.gatewayEnv);
  assert.is(none.code, 1);
  assert.match(none.said, /--channel ID or SM_OPERATOR_CHANNEL_ID/);
  const nowhere = await csm(['doctor', 'callback', '--channel', 'x'.repeat(26)], environment.gatewayEnv);
  assert.is(nowhere.code, 1);
  assert.match(nowhere.said, /^failed +card: The bot cannot post in x{26}: .*\. Invite it there/m);
  const token = await doctor(environment, { more: { SM_MATTERMOST_TOKEN: 'none' } });
  assert.is(token.code, 1);
  assert.match(token.said, /SM_MATTERMOST_TOKEN/);
});

/** The gateway at another address of this machine. */
async function relay({ hostname, pathname }: URL, gateway: string): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const answer = await fetch(`${gateway}${request.url}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: Buffer.concat(chunks),
      });
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, hostname, resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { url: `http://${hostname}:${port}${pathname}`, close: () => server.close() };
}

test.run();
