// @limit 600
// The same promise with OPNsense in the way: its stand-in sits where the firewall sits, between the VM and the internet, and
// its live table is a real nftables set there. It is in its worst mood: slow, and `ok` without having done anything.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type OpnsenseSimulator, openNftTables, startOpnsense } from '../../../simulator/src/opnsense/index.ts';
import { selfSigned } from '../../adapters/opnsense/support.ts';
import { csm } from '../../cli/csm.ts';
import { type Person, person, type Thread, textOf } from '../../support/person.ts';
import { eventually, LONG_MS } from '../../support/vm/patience.ts';
import { type Place, startWalledEnvironment, type WalledEnvironment } from '../../support/vm/walled.ts';
import { NAMES, WORLD } from '../../support/vm/world.ts';

const ALIAS = 'llm_approved_domains';
const CURL = 'curl --silent --show-error --max-time 10';

interface Context {
  environment: WalledEnvironment;
  firewall: OpnsenseSimulator;
  certificate: ReturnType<typeof selfSigned>;
  you: Person;
  web: Thread;
}
const test = suite<Context>('OPNsense');

test.before(async (context) => {
  context.certificate = selfSigned();
  context.environment = await startWalledEnvironment((place) => opnsenseAtTheRouter(context, place));
  context.you = person(context.environment);
});
test.after(async ({ environment, firewall, certificate }) => {
  // Before the network goes that its tables are in.
  await firewall?.close();
  await environment?.stop();
  certificate?.remove();
});

async function opnsenseAtTheRouter(context: Context, { world }: Place) {
  const { cert, key, file } = context.certificate;
  const sink = await openNftTables({
    enter: world.atRouter,
    hook: 'forward',
    alias: ALIAS,
    port: 443,
    resolver: WORLD.dns,
  });
  const resolve = async (name: string) => {
    const address = NAMES[name];
    return address === undefined ? Promise.reject(new Error(`NXDOMAIN ${name}`)) : [address];
  };
  context.firewall = await startOpnsense({ tls: { cert, key }, sink, resolve });
  context.firewall.addUser({ key: 'api-key', secret: 'api-secret' });
  await context.firewall.addAlias({ name: 'offices', type: 'network', content: ['198.51.100.0/24'] });
  await context.firewall.addAlias({ name: ALIAS, content: ['api.anthropic.com'] });
  return {
    // Containers ask whom the firewall lets them ask.
    resolver: WORLD.dns,
    env: {
      SM_FIREWALL: 'opnsense',
      SM_OPNSENSE_URL: context.firewall.url,
      SM_OPNSENSE_KEY: 'api-key',
      SM_OPNSENSE_SECRET: 'api-secret',
      SM_OPNSENSE_CA_FILE: file,
    },
  };
}

/** The agent runs it with its Bash tool. @returns the answer that has the mark, which the command prints last */
async function bash({ you, web }: Context, command: string, mark: string): Promise<string> {
  await you.say(`run: ${command} 2>&1; echo ${mark}`, web);
  return (await you.hear(web.rootId, ({ message }) => new RegExp(`^${mark}$`, 'm').test(message))).message;
}

test('a session starts behind the firewall; what is in no alias is blocked', async (context) => {
  context.web = await context.you.start('@claude start acme/web', LONG_MS);
  const heard = await bash(context, `${CURL} https://pypi.org/hello; ${CURL} https://crates.io/hello`, 'both-tried');
  assert.is(heard.match(/curl: \(7\)/g)?.length, 2, heard);
});

test('a click opens the host although the firewall is slow, and at first says ok without doing it', async (context) => {
  const { you, web, firewall } = context;
  const { knobs } = firewall;
  knobs.reconfigureMs = 1_500;
  knobs.refreshLocked = true;
  // Another run of the updater is over only after the first answer.
  knobs.between = (path) => {
    if (/reconfigure/i.test(path)) knobs.refreshLocked = false;
  };
  await you.say(
    `network pypi.org because the build needs it, then run: ${CURL} https://pypi.org/hello && echo opened-by-opnsense`,
    web,
  );
  const card = await you.hear(web.rootId, (post) => you.buttonsOf(post).length > 0);
  assert.match(textOf(card), /every container/);
  const clicked = Date.now();
  await you.press(card, 'Approve for this session');
  const answer = await you.hear(web.rootId, ({ message }) => /^opened-by-opnsense$/m.test(message), LONG_MS);
  assert.match(answer.message, /^hello from pypi\.org$/m);
  const asked = firewall.requests.filter(({ path }) => /reconfigure/i.test(path)).length;
  assert.ok(asked > 1, 'the first ok was believed');
  const opened = context.environment.world.noticed.find(({ address, at }) => address === WORLD.pypi && at >= clicked);
  console.log(`\nfigure: from click to reachable, OPNsense busy at first: ${(opened?.at ?? 0) - clicked} ms`);
  assert.equal(firewall.alias(ALIAS)?.content, ['api.anthropic.com', 'pypi.org']);
});

test('another host stays blocked, and the name is open on no other port', async (context) => {
  const heard = await bash(
    context,
    `${CURL} https://pypi.org:8443/hello; ${CURL} https://crates.io/hello`,
    'still-blocked',
  );
  assert.is(heard.match(/curl: \(7\)/g)?.length, 2, heard);
});

test('revoking takes out what we had entered, and leaves what somebody else has entered meanwhile', async (context) => {
  const { you, web, firewall } = context;
  firewall.knobs.between = undefined;
  firewall.edit(ALIAS, { content: ['api.anthropic.com', 'pypi.org', 'office.example.com'] });
  await you.say('@claude network revoke pypi.org', web);
  await eventually('it is out of the live table', async () => !firewall.live(ALIAS).includes(WORLD.pypi), 60_000);
  assert.equal(firewall.alias(ALIAS)?.content, ['api.anthropic.com', 'office.example.com']);
  assert.match(await bash(context, `${CURL} https://pypi.org/hello`, 'closed-again'), /curl: \(7\)/);
});

test('csm doctor firewall proves the alias, opens a host for real and closes it again', async ({
  environment,
  firewall,
}) => {
  firewall.knobs.reconfigureMs = 0;
  firewall.edit(ALIAS, { content: ['api.anthropic.com'] });
  const { code, said } = await csm(['doctor', 'firewall', '--open', 'crates.io'], environment.gatewayEnv);
  assert.is(code, 0, said);
  for (const check of ['VM', 'alias', 'privileges', 'live table', 'base hosts', 'table follows', 'open crates.io']) {
    assert.match(said, new RegExp(`^ok +${check}: `, 'm'));
  }
  assert.equal(firewall.alias(ALIAS)?.content, ['api.anthropic.com']);
  assert.equal(firewall.live(ALIAS), [WORLD.model]);
});

test.run();
