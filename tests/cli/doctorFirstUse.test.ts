// @limit 240
// The doctor at a VM whose host key nobody has pinned, with SM_VM_TRUST_ON_FIRST_USE: a real sshd, a real database.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type OpnsenseSimulator, startOpnsense } from '../../simulator/src/opnsense/index.ts';
import { startPostgres, type TestDatabase, type TestPostgres } from '../support/postgres.ts';
import { startSshd, type TestSshd } from '../support/sshd.ts';
import { csm } from './csm.ts';

interface Context {
  postgres: TestPostgres;
  database: TestDatabase;
  sshd: TestSshd;
  firewall: OpnsenseSimulator;
}
const test = suite<Context>('csm doctor firewall, on first use');

test.before(async (context) => {
  context.postgres = await startPostgres();
  context.firewall = await startOpnsense({});
  context.firewall.addUser({ key: 'key', secret: 'secret' });
  await context.firewall.addAlias({ name: 'llm_approved_domains', content: ['192.0.2.7'] });
});
test.after(async ({ postgres, firewall }) => {
  await firewall?.close();
  await postgres?.stop();
});
test.before.each(async (context) => {
  context.database = await context.postgres.freshDatabase();
  context.sshd = await startSshd();
});
test.after.each(({ sshd }) => sshd?.remove());

function doctor({ database, sshd, firewall }: Context, more: Readonly<Record<string, string>> = {}) {
  const env = {
    SM_MATTERMOST_URL: 'http://127.0.0.1:1',
    SM_MATTERMOST_TOKEN: 'token',
    SM_MATTERMOST_TEAM_ID: 'a'.repeat(26),
    SM_CALLBACK_SECRET: '0123456789abcdef0123456789abcdef',
    SM_DATABASE_URL: database.url,
    SM_WORKSPACE: 'vm',
    SM_VM_HOST: '127.0.0.1',
    SM_VM_PORT: String(sshd.port),
    SM_VM_USER: sshd.user,
    SM_VM_SSH_KEY: sshd.key,
    SM_VM_TRUST_ON_FIRST_USE: 'true',
    SM_GH_TOKEN: 'token',
    SM_DEFAULT_ORG: 'acme',
    SM_FIREWALL: 'opnsense',
    SM_OPNSENSE_URL: firewall.url,
    SM_OPNSENSE_KEY: 'key',
    SM_OPNSENSE_SECRET: 'secret',
  };
  return csm(['doctor', 'firewall'], { ...env, ...more });
}

const kept = ({ database }: Context) =>
  database.rows<{ target: string; key: string }>('select target, key from vm_host_key');

test('the first key is taken, kept, and is the one that the gateway will look for', async (context) => {
  const { sshd } = context;
  assert.equal(await kept(context), []);
  const { code, said } = await doctor(context);
  assert.is(code, 0, said);
  assert.match(said, /^ok +VM: commands can be run there/m);
  const rows = await kept(context);
  assert.equal(
    rows.map(({ target }) => target),
    [`127.0.0.1:${sshd.port}`],
  );
  assert.ok([sshd.hostKey('ed25519'), sshd.hostKey('rsa')].includes(rows[0]?.key ?? ''));
  assert.match((await doctor(context)).said, /^ok +VM: /m);
  assert.equal(await kept(context), rows);
});

test('another key later is not: both are named, nothing is run there, and the first one stays', async (context) => {
  await doctor(context);
  const rows = await kept(context);
  await context.sshd.stop();
  context.sshd.renewHostKeys();
  await context.sshd.start();
  const { said } = await doctor(context);
  assert.match(said, /^warning +VM: The VM's host key has changed from SHA256:\S+ to SHA256:\S+/m);
  assert.match(said, /Names are resolved on this machine instead/);
  assert.equal(await kept(context), rows);
});

test('where walls are held on the VM, a changed key is a failure, and nothing else is tried', async (context) => {
  await doctor(context);
  await context.sshd.stop();
  context.sshd.renewHostKeys();
  await context.sshd.start();
  const { code, said } = await doctor(context, {
    SM_FIREWALL: 'nftables',
    SM_NFT_BRIDGES: 'podman1',
    SM_NFT_RESOLVERS: '10.89.0.1',
  });
  assert.is(code, 1);
  assert.match(said, /^failed +VM: The VM's host key has changed/m);
  assert.not.match(said, / nft: /);
});

test('before a gateway has ever run there is nowhere to keep a key: it says so, and trusts nothing', async (context) => {
  const url = await context.postgres.emptyDatabase();
  const { said } = await doctor(context, { SM_DATABASE_URL: url });
  assert.match(said, /^warning +VM: .*database/m);
  assert.not.match(said, /^ok +VM/m);
});

test('without trust on first use the key is shown and not taken', async (context) => {
  const { said } = await doctor(context, { SM_VM_TRUST_ON_FIRST_USE: 'false' });
  assert.match(said, /No host key of the VM is known\. It shows SHA256:\S+ .*SM_VM_HOST_KEY=SHA256:/);
  assert.equal(await kept(context), []);
});

test.run();
