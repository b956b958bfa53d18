/** What the real firewall does and clients get wrong. */
import { randomUUID } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type OpnsenseSimulator, startOpnsense } from '../../src/opnsense/index.ts';

const ALIAS = 'llm_approved_domains';
const HOSTS: Readonly<Record<string, string[]>> = {
  'api.anthropic.com': ['192.0.2.1'],
  'pypi.org': ['192.0.2.10', '2001:db8::10'],
  'crates.io': ['192.0.2.20'],
};

interface Context {
  firewall: OpnsenseSimulator;
  now: number;
}

const test = suite<Context>('OPNsense stand-in');

test.before.each(async (context) => {
  context.now = 1_000_000;
  const firewall = await startOpnsense({
    now: () => context.now,
    resolve: async (name) => HOSTS[name] ?? Promise.reject(new Error('NXDOMAIN')),
  });
  context.firewall = firewall;
  firewall.addUser({ key: 'k', secret: 's:with:colons' });
  await firewall.addAlias({ name: ALIAS, content: ['api.anthropic.com'], description: 'for agents' });
  await firewall.addAlias({ name: 'offices', type: 'network', content: ['198.51.100.0/24'] });
});

test.after.each(({ firewall }) => firewall.close());

interface Sent {
  status: number;
  json: unknown;
}

async function call(
  { firewall }: Context,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Sent> {
  const answer = await fetch(`${firewall.url}/api/firewall/${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Basic ${Buffer.from('k:s:with:colons').toString('base64')}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: answer.status, json: JSON.parse(await answer.text()) };
}

async function uuidOf(context: Context, name = ALIAS): Promise<string> {
  const { json } = await call(context, `alias/getAliasUUID/${name}`);
  return (json as { uuid: string }).uuid;
}

async function setContent(context: Context, content: string): Promise<unknown> {
  return (await call(context, `alias/setItem/${await uuidOf(context)}`, { alias: { content } })).json;
}

test('a name is not an address, said with status 200', async (context) => {
  for (const address of ['pypi.org', 'PyPI', 'münchen.de', '10.0.0.1\n']) {
    assert.equal(await call(context, `alias_util/add/${ALIAS}`, { address }), {
      status: 200,
      json: { status: 'not_an_address' },
    });
  }
  assert.equal((await call(context, `alias_util/add/${ALIAS}`, { address: '192.0.2.99' })).json, { status: 'done' });
  assert.ok(context.firewall.live(ALIAS).includes('192.0.2.99'));
});

test('a name of hexadecimal letters slips through and opens nothing', async (context) => {
  assert.equal((await call(context, `alias_util/add/${ALIAS}`, { address: 'fb.cc' })).json, { status: 'done' });
  assert.equal(context.firewall.live(ALIAS), ['192.0.2.1']);
});

test('an address equal to the first entry is appended again', async (context) => {
  context.firewall.edit(ALIAS, { content: ['192.0.2.1', '192.0.2.2'] });
  await call(context, `alias_util/add/${ALIAS}`, { address: '192.0.2.1' });
  await call(context, `alias_util/add/${ALIAS}`, { address: '192.0.2.2' });
  assert.equal(context.firewall.alias(ALIAS)?.content, ['192.0.2.1', '192.0.2.2', '192.0.2.1']);
});

test('an unknown alias is an empty array here and a failure there, never 404', async (context) => {
  assert.equal(await call(context, 'alias/getAliasUUID/nothing'), { status: 200, json: [] });
  assert.equal(await call(context, 'alias_util/add/nothing', { address: '192.0.2.1' }), {
    status: 200,
    json: { status: 'failed', status_msg: 'nonexistent alias nothing' },
  });
  assert.equal(await call(context, `alias/getItem/${randomUUID()}`), { status: 200, json: [] });
});

test('an item lists all other aliases beside its own entries', async (context) => {
  const { json } = await call(context, `alias/getItem/${await uuidOf(context)}`);
  const { content, type } = (
    json as { alias: { content: Record<string, { selected: number }>; type: Record<string, { selected: number }> } }
  ).alias;
  assert.equal(Object.keys(content).sort(), [ALIAS, 'api.anthropic.com', 'offices'].sort());
  assert.is(content['api.anthropic.com']?.selected, 1);
  assert.is(content.offices?.selected, 0);
  assert.is(type.host?.selected, 1);
});

test('an empty alias has one entry without a name', async (context) => {
  await setContent(context, '');
  const { json } = await call(context, `alias/get_item/${await uuidOf(context)}`);
  assert.is((json as { alias: { content: Record<string, { selected: number }> } }).alias.content['']?.selected, 1);
});

test('bad entries are refused with status 200, one as a text and several as a list', async (context) => {
  const one = (await setContent(context, 'a.com\n*.b.com')) as { result: string; validations: Record<string, unknown> };
  assert.is(one.result, 'failed');
  assert.type(one.validations['alias.content'], 'string');
  const two = (await setContent(context, 'a_b.com\n*.b.com')) as { validations: Record<string, unknown> };
  assert.ok(Array.isArray(two.validations['alias.content']));
  assert.equal(context.firewall.alias(ALIAS)?.content, ['api.anthropic.com']);
});

test('a single word is taken, and the name of an alias brings in what that holds', async (context) => {
  await context.firewall.addAlias({ name: 'other', content: ['crates.io'] });
  assert.equal(await setContent(context, 'nas\nother'), { result: 'saved' });
  await call(context, 'alias/reconfigure', {});
  assert.equal(context.firewall.live(ALIAS), ['192.0.2.20']);
});

test('an unknown uuid makes a new alias out of what is sent', async (context) => {
  const uuid = randomUUID();
  const made = await call(context, `alias/setItem/${uuid}`, {
    alias: { name: 'stray', type: 'host', content: 'a.com' },
  });
  assert.equal(made.json, { result: 'saved' });
  assert.is(context.firewall.alias('stray')?.uuid, uuid);
  assert.equal((await call(context, 'alias/setItem/nonsense', { alias: { content: 'a.com' } })).json, {
    result: 'failed',
  });
});

test('what is saved is not in force, what is in force is not live', async (context) => {
  await setContent(context, 'api.anthropic.com\npypi.org');
  await context.firewall.cron();
  assert.equal(context.firewall.live(ALIAS), ['192.0.2.1']);
  context.firewall.knobs.refreshLocked = true;
  assert.equal((await call(context, 'alias/reconfigure', {})).json, { status: 'ok' });
  assert.equal(context.firewall.live(ALIAS), ['192.0.2.1']);
  context.firewall.knobs.refreshLocked = false;
  await context.firewall.cron();
  assert.equal(context.firewall.live(ALIAS), ['192.0.2.1', '192.0.2.10', '2001:db8::10']);
});

test('names are resolved again after five minutes, and what fails adds nothing', async (context) => {
  context.firewall.resolveWith(async () => ['192.0.2.77']);
  context.now += 299_000;
  await context.firewall.cron();
  assert.equal(context.firewall.live(ALIAS), ['192.0.2.1']);
  context.now += 1_000;
  await context.firewall.cron();
  assert.equal(context.firewall.live(ALIAS), ['192.0.2.77']);
  context.firewall.resolveWith(async (name) =>
    name === 'pypi.org' ? ['192.0.2.10'] : Promise.reject(new Error('SERVFAIL')),
  );
  await setContent(context, 'api.anthropic.com\npypi.org');
  assert.equal((await call(context, 'alias/reconfigure', {})).json, { status: 'ok' });
  assert.equal(context.firewall.live(ALIAS), ['192.0.2.10']);
});

test('two writers who read before either wrote lose one change', async (context) => {
  const [first, second] = [
    await setContent(context, 'api.anthropic.com\na.com'),
    await setContent(context, 'api.anthropic.com\nb.com'),
  ];
  assert.equal([first, second], [{ result: 'saved' }, { result: 'saved' }]);
  assert.equal(context.firewall.alias(ALIAS)?.content, ['api.anthropic.com', 'b.com']);
});

test('a slow reconfigure is carried out although nobody waits for it', async (context) => {
  await setContent(context, 'pypi.org');
  context.firewall.knobs.reconfigureMs = 200;
  const gone = fetch(`${context.firewall.url}/api/firewall/alias/reconfigure`, {
    method: 'POST',
    body: '{}',
    headers: {
      'content-type': 'application/json',
      authorization: `Basic ${Buffer.from('k:s:with:colons').toString('base64')}`,
    },
    signal: AbortSignal.timeout(50),
  });
  assert.instance(await gone.catch((error: unknown) => error), Error);
  for (const until = Date.now() + 20_000; Date.now() < until && context.firewall.live(ALIAS).length < 2; ) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(context.firewall.live(ALIAS), ['192.0.2.10', '2001:db8::10']);
});

test('load errors are 500 with a title', async (context) => {
  context.firewall.knobs.failReconfigures = 1;
  const { status, json } = await call(context, 'alias/reconfigure', {});
  assert.is(status, 500);
  assert.equal(Object.keys(json as object), ['errorMessage', 'errorTitle']);
});

test('who has no key, no privilege or no right to write is refused in three ways', async (context) => {
  const as = (key: string) => ({ authorization: `Basic ${Buffer.from(`${key}:s`).toString('base64')}` });
  context.firewall.addUser({ key: 'looks', secret: 's', privileges: ['aliasRead'] });
  context.firewall.addUser({ key: 'locked', secret: 's', readonlyConfig: true });
  const uuid = await uuidOf(context);
  const change = { alias: { content: 'a.com' } };
  assert.equal(await call(context, `alias/getItem/${uuid}`, undefined, as('nobody')), {
    status: 401,
    json: { status: 401, message: 'Authentication Failed' },
  });
  assert.is((await call(context, `alias/getItem/${uuid}`, undefined, as('looks'))).status, 200);
  for (const [path, body] of [
    [`alias/setItem/${uuid}`, change],
    [`alias_util/list/${ALIAS}`],
    ['nothing/here'],
  ] as const) {
    assert.equal(await call(context, path, body, as('looks')), {
      status: 403,
      json: { status: 403, message: 'Forbidden' },
    });
  }
  assert.is((await call(context, `alias/setItem/${uuid}`, change, as('locked'))).status, 500);
  assert.is((await call(context, 'nothing/here')).status, 404);
});

test('a body that is not said to be JSON is not read, and JSON must be there and whole', async (context) => {
  const uuid = await uuidOf(context);
  const json = { 'content-type': 'application/json' };
  assert.equal((await call(context, `alias/setItem/${uuid}`, 'x=1', { 'content-type': 'text/plain' })).json, {
    result: 'failed',
  });
  assert.is((await call(context, `alias/setItem/${uuid}`, '{"alias":')).status, 400);
  assert.is((await call(context, `alias/getItem/${uuid}`, undefined, json)).status, 400);
  assert.is((await call(context, 'alias/reconfigure', '')).status, 400);
  assert.equal((await call(context, 'alias/reconfigure')).json, { result: 'failed' });
});

test('a table is listed in pages', async (context) => {
  context.firewall.edit(ALIAS, { content: ['pypi.org', 'crates.io'] });
  await call(context, 'alias/reconfigure', {});
  const { json } = await call(context, `alias_util/list/${ALIAS}?rowCount=2&current=2`);
  assert.equal(json, { total: 3, rowCount: 1, current: 2, rows: [{ ip: '192.0.2.20' }] });
});

test.run();
