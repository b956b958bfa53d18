// @limit 240
// What an operator learns about OPNsense, from a stand-in that answers as the real one does. The alias holds addresses only, so
// that no name is looked up; the VM tests have names.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type OpnsenseSimulator, startOpnsense } from '../../simulator/src/opnsense/index.ts';
import { selfSigned } from '../adapters/opnsense/support.ts';
import { csm } from './csm.ts';

const ALIAS = 'llm_approved_domains';

interface Context {
  firewall: OpnsenseSimulator;
  certificate: ReturnType<typeof selfSigned>;
}
const test = suite<Context>('csm doctor firewall');
test.before((context) => {
  context.certificate = selfSigned();
});
test.after(({ certificate }) => certificate?.remove());
test.before.each(async (context) => {
  const { cert, key } = context.certificate;
  context.firewall = await startOpnsense({ tls: { cert, key } });
  context.firewall.addUser({ key: 'key', secret: 'secret' });
  await context.firewall.addAlias({ name: 'offices', type: 'network', content: ['198.51.100.0/24'] });
});
test.after.each(({ firewall }) => firewall.close());

function doctor({ firewall, certificate }: Context, more: Readonly<Record<string, string>> = {}, ...args: string[]) {
  const env = {
    SM_MATTERMOST_URL: 'http://127.0.0.1:1',
    SM_MATTERMOST_TOKEN: 'token',
    SM_MATTERMOST_TEAM_ID: 'a'.repeat(26),
    SM_CALLBACK_SECRET: '0123456789abcdef0123456789abcdef',
    SM_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    SM_WORKSPACE: 'local',
    SM_DATA_DIR: '/nonexistent',
    SM_FIREWALL: 'opnsense',
    SM_OPNSENSE_URL: firewall.url,
    SM_OPNSENSE_KEY: 'key',
    SM_OPNSENSE_SECRET: 'secret',
    SM_OPNSENSE_CA_FILE: certificate.file,
  };
  return csm(['doctor', 'firewall', ...args], { ...env, ...more });
}

test('privileges, alias and live table are proven, and nothing is changed', async (context) => {
  await context.firewall.addAlias({ name: ALIAS, content: ['192.0.2.7'] });
  const { code, said } = await doctor(context);
  assert.is(code, 0, said);
  assert.match(said, /^ok +alias: llm_approved_domains is there, of type Host\(s\), enabled, with 1 entries/m);
  assert.match(said, /^ok +privileges: /m);
  assert.match(said, /^ok +live table: can be read: 1 addresses/m);
  assert.match(said, /^warning +base hosts: api\.anthropic\.com is not in llm_approved_domains/m);
  assert.equal(context.firewall.alias(ALIAS)?.content, ['192.0.2.7']);
  assert.not.match(said, /secret/);
});

test('an alias that is missing is named, and made on request', async (context) => {
  const missing = await doctor(context);
  assert.is(missing.code, 1);
  assert.match(missing.said, /^failed +alias: There is no alias llm_approved_domains.*--create-alias/m);
  const made = await doctor(context, {}, '--create-alias');
  assert.is(made.code, 0, made.said);
  assert.match(made.said, /^ok +create alias: llm_approved_domains was made, empty/m);
  assert.is(context.firewall.alias(ALIAS)?.type, 'host');
  assert.match((await doctor(context, {}, '--create-alias')).said, /was there already/);
});

test('an alias of another kind is left alone', async (context) => {
  await context.firewall.addAlias({ name: ALIAS, type: 'network', content: ['192.0.2.0/24'] });
  const { code, said } = await doctor(context);
  assert.is(code, 1);
  assert.match(
    said,
    /^failed +alias: The alias llm_approved_domains in OPNsense cannot be used: it is not of type Host\(s\)/m,
  );
});

test('a wrong key, a missing privilege and a user who may not change the configuration are told apart', async (context) => {
  const { firewall } = context;
  await firewall.addAlias({ name: ALIAS, content: ['192.0.2.7'] });
  const key = await doctor(context, { SM_OPNSENSE_KEY: 'another' });
  assert.is(key.code, 1);
  assert.match(key.said, /^failed +alias: OPNsense does not accept the API key\. Check SM_OPNSENSE_KEY/m);

  firewall.addUser({ key: 'no-tables', secret: 'secret', privileges: ['alias'] });
  const tables = await doctor(context, { SM_OPNSENSE_KEY: 'no-tables' });
  assert.is(tables.code, 1);
  assert.match(tables.said, /^failed +live table: .*"Diagnostics: PF Table IP addresses"/m);

  firewall.addUser({ key: 'reader', secret: 'secret', privileges: ['aliasRead', 'tables'] });
  const reader = await doctor(context, { SM_OPNSENSE_KEY: 'reader' });
  assert.is(reader.code, 1);
  assert.match(reader.said, /^failed +privileges: .*"Firewall: Alias: Edit"/m);

  firewall.addUser({ key: 'readonly', secret: 'secret', readonlyConfig: true });
  const readonly = await doctor(context, { SM_OPNSENSE_KEY: 'readonly' });
  assert.is(readonly.code, 1);
  assert.match(readonly.said, /^failed +privileges: .*check that the API user may change the configuration/m);
});

test('a certificate that nobody vouches for, and nobody at the address', async (context) => {
  const untrusted = await doctor(context, { SM_OPNSENSE_CA_FILE: '' });
  assert.is(untrusted.code, 1);
  assert.match(untrusted.said, /^failed +alias: The certificate of OPNsense is not trusted.*SM_OPNSENSE_CA_FILE/m);
  const nobody = await doctor(context, { SM_OPNSENSE_URL: 'https://127.0.0.1:1' });
  assert.is(nobody.code, 1);
  assert.match(nobody.said, /^failed +alias: OPNsense cannot be reached/m);
});

test('--json says the same for programs; without a firewall there is nothing to prove', async (context) => {
  const { code, said } = await doctor(context, {}, '--json');
  const { doctor: which, ok, findings } = JSON.parse(said);
  assert.equal([code, which, ok, findings.length], [1, 'firewall', false, 1]);
  assert.equal([findings[0].check, findings[0].level], ['alias', 'failed']);
  const none = await doctor(context, { SM_FIREWALL: 'none' });
  assert.is(none.code, 1);
  assert.match(none.said, /^failed +firewall: SM_FIREWALL is none/m);
});

test.run();
