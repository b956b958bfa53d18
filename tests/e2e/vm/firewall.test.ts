// @limit 600
// Nothing passes that nobody opened, and one click opens one host: real Claude Code in real containers behind real nftables,
// with real curl, TLS and name servers. Only the chat, the model and the internet are made for the test.
import type { Browser } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { csm } from '../../cli/csm.ts';
import { launchChromium, shoot } from '../../support/chromium.ts';
import { type Person, person, type Thread, textOf } from '../../support/person.ts';
import { STOCK } from '../../support/vm/images.ts';
import { eventually, LONG_MS } from '../../support/vm/patience.ts';
import { nftablesOn, startWalledEnvironment, type WalledEnvironment } from '../../support/vm/walled.ts';
import { WORLD, WORLD_6 } from '../../support/vm/world.ts';

interface Context {
  environment: WalledEnvironment;
  browser: Browser;
  you: Person;
  web: Thread;
  plain: Thread;
}
const test = suite<Context>('the firewall');

test.before(async (context) => {
  context.environment = await startWalledEnvironment(nftablesOn);
  context.you = person(context.environment);
  context.browser = await launchChromium();
});
test.after(async ({ environment, browser }) => {
  await browser?.close();
  await environment?.stop();
});

/** What the agent's curl says: the page, or how it failed. */
const CURL = 'curl --silent --show-error --max-time 10';

/** The agent runs it with its Bash tool. @returns the answer that has the mark, which the command prints last */
async function bash({ you }: Context, thread: Thread, command: string, mark: string): Promise<string> {
  await you.say(`run: ${command} 2>&1; echo ${mark}`, thread);
  const answer = await you.hear(thread.rootId, ({ message }) => new RegExp(`^${mark}$`, 'm').test(message));
  return answer.message;
}

/** When the first connection was let through since then. */
function reachedAt({ environment }: Pick<Context, 'environment'>, address: string, since: number): number | undefined {
  return environment.world.noticed.find((each) => each.address === address && each.at >= since)?.at;
}

test('sessions start behind walls, and the agent talks to its model through them', async (context) => {
  const { you, environment } = context;
  context.web = await you.start('@claude start acme/web', LONG_MS);
  // As if the address that the next container gets had been another one's, with a host open for it.
  const next = (await addressOf(environment, 'acme/web')).replace(/\d+$/, (last) => String(Number(last) + 1));
  await environment.vm.sh('nft add element inet csm open4 "{ $1 . $2 . 443 }"', next, WORLD.pypi);
  context.plain = await you.start('@claude start acme/plain', LONG_MS);
  assert.is(await addressOf(environment, 'acme/plain'), next);
  const ways = await environment.vm.sh('nft list set inet csm open4');
  assert.not.match(ways, new RegExp(WORLD.pypi), 'an agent was started with what was open for somebody else');
  for (const thread of [context.web, context.plain]) await bash(context, thread, 'echo', `up-${thread.rootId}`);
  assert.is((await environment.vm.containers()).length, 2);
  assert.ok(reachedAt(context, WORLD.model, 0));
  // What follows proves something: without walls, all of it can be reached from the VM.
  for (const [host, port] of [
    [WORLD.pypi, 443],
    [WORLD.pypi, 8443],
    [WORLD.crates, 443],
    [WORLD.canary, 443],
  ]) {
    assert.match(await environment.vm.sh('curl --insecure --silent "$1"', `https://${host}:${port}/hello`), /^hello/);
  }
});

test('the agent is blocked, asks, is given what it asked for by a click in the chat page, and goes on by itself', async (context) => {
  const { you, environment, web, browser } = context;
  const begun = Date.now();
  await you.say(
    `run: ${CURL} https://pypi.org/hello, then network pypi.org because the build needs a package, then run: ${CURL} https://pypi.org/hello && echo went-on-by-itself`,
    web,
  );
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(LONG_MS);
  await page.goto(environment.pageUrl);
  const { name } = (await (await you.call('GET', `/channels/${web.channelId}`)).json()) as { name: string };
  await page.evaluate(`location.hash = ${JSON.stringify(`${name}/${web.rootId}`)}`);
  const approve = page.locator('#replies button', { hasText: 'Approve for this session' });
  await approve.waitFor();
  await shoot(page, 'network-asked');
  assert.not.ok(reachedAt(context, WORLD.pypi, begun), 'a connection came through before anybody agreed');
  const card = await you.hear(web.rootId, (post) => you.buttonsOf(post).length > 0);
  assert.match(textOf(card), /pypi\.org/);
  assert.match(textOf(card), /the build needs a package/);
  const clicked = Date.now();
  await approve.click();
  const answer = await you.hear(web.rootId, ({ message }) => /^went-on-by-itself$/m.test(message));
  const told = Date.now();
  assert.match(answer.message, /Could not resolve host: pypi\.org/, 'the first attempt was blocked');
  assert.match(answer.message, /^hello from pypi\.org$/m, 'the second one was not');
  await approve.waitFor({ state: 'detached' });
  await shoot(page, 'network-opened');
  await page.close();
  const opened = reachedAt(context, WORLD.pypi, clicked);
  assert.ok(opened);
  console.log(
    `\nfigure: from click to reachable: ${(opened ?? 0) - clicked} ms; to the answer of the agent that went on: ${told - clicked} ms`,
  );
});

test('another host, another port and another container stay blocked', async (context) => {
  const { web, plain, environment } = context;
  const tries = [
    ['another port', 'https://pypi.org:8443/hello', ''],
    ['another host by name', 'https://crates.io/hello', ''],
    ['another host by address', 'https://crates.io/hello', `--resolve crates.io:443:${WORLD.crates}`],
    ['another host with the name that is open', 'https://pypi.org/hello', `--resolve pypi.org:443:${WORLD.crates}`],
    ['an address that is in no list', `https://${WORLD.canary}/hello`, '--insecure'],
    ['the name server of the world', `telnet://${WORLD.dns}:443`, ''],
  ] as const;
  const commands = tries.map(([, url, options]) => `${CURL} ${options} ${url}`).join('; ');
  const since = Date.now();
  const heard = await bash(context, web, commands, 'tried-all');
  assert.not.match(heard, /hello from/);
  assert.is(heard.match(/curl: \(\d+\)/g)?.length, tries.length, heard);
  // The other container knows the address, too, and is told the name by the same resolver.
  const [other, neighbour] = [
    await bash(
      context,
      plain,
      `${CURL} https://pypi.org/hello; ${CURL} --resolve pypi.org:443:${WORLD.pypi} https://pypi.org/hello`,
      'tried-here',
    ),
    await bash(context, plain, `${CURL} telnet://${await addressOf(environment, 'acme/web')}:25051`, 'tried-next-door'),
  ];
  assert.not.match(other, /hello from/);
  assert.is(other.match(/curl: \(\d+\)/g)?.length, 2, other);
  assert.match(neighbour, /curl: \(7\)/, 'containers do not reach each other');
  const through = environment.world.noticed.filter(
    ({ at, address, what }) => at >= since && what === 'connected' && address !== WORLD.model,
  );
  assert.equal(through, []);
  assert.match(await bash(context, web, `${CURL} https://pypi.org/hello`, 'still-open'), /hello from pypi\.org/);
});

test('after it is revoked, the open connection is cut and the host is closed again', async (context) => {
  const { you, web, environment } = context;
  await you.say(
    `run in the background: ${CURL} --max-time 600 --no-buffer https://pypi.org/stream >stream.txt 2>&1`,
    web,
  );
  const checkout = environment.checkout('acme/web');
  const streamed = () => environment.vm.sh('cat "$1/stream.txt" 2>/dev/null || true', checkout);
  await eventually('something was streamed', async () => /still here/.test(await streamed()), 60_000);
  const open = environment.world.noticed.filter(({ address }) => address === WORLD.pypi).at(-1);
  const revoked = Date.now();
  await you.say('@claude network revoke pypi.org', web);
  await eventually('the connection was cut', async () => /curl: \(\d+\)/.test(await streamed()), 60_000);
  console.log(`\nfigure: from revoking to the cut of an open connection: at most ${Date.now() - revoked} ms`);
  assert.match(await streamed(), /curl: \(56\)|reset/i);
  assert.is(open?.what, 'connected');
  const since = Date.now();
  const heard = await bash(
    context,
    web,
    `${CURL} https://pypi.org/hello; ${CURL} --resolve pypi.org:443:${WORLD.pypi} https://pypi.org/hello`,
    'closed-again',
  );
  assert.is(heard.match(/curl: \(\d+\)/g)?.length, 2, heard);
  assert.not.ok(reachedAt(context, WORLD.pypi, since));
});

test('over IPv6: what nobody opened is blocked, a name opens with all its addresses, for one container, and closes again', async (context) => {
  const { you, web, plain, environment } = context;
  const { vm } = environment;
  const [own, other] = [await addressOf(environment, 'acme/web', 6), await addressOf(environment, 'acme/plain', 6)];
  for (const address of [own, other]) assert.match(address, /^fd[0-9a-f:]+$/, 'the containers have such addresses');
  // Without walls these are reached, with the container's own way out.
  for (const address of Object.values(WORLD_6)) {
    assert.match(await vm.sh('curl --insecure --silent "$1"', `https://[${address}]/hello`), /^hello/);
  }
  const tries = [
    `--insecure https://[${WORLD_6.gems}]/hello`,
    `--insecure https://[${WORLD_6.canary}]/hello`,
    `telnet://[${WORLD_6.crates}]:8443`,
    `telnet://[${other}]:25051`,
    `telnet://[${gatewayOf(own)}]:22`,
    'https://rubygems.org/hello',
  ];
  const since = Date.now();
  const heard = await bash(context, web, tries.map((words) => `${CURL} -6 ${words}`).join('; '), 'tried-6');
  assert.is(heard.match(/curl: \(\d+\)/g)?.length, tries.length, heard);
  const through = () => environment.world.noticed.filter(({ at, address }) => at >= since && /:/.test(address));
  assert.equal(through(), []);

  await you.say('network rubygems.org because of a gem, then say asked-for-gems', web);
  const card = await you.hear(web.rootId, (post) => you.buttonsOf(post).includes('Approve for this session'));
  assert.match(textOf(card), /rubygems\.org/);
  await you.press(card, 'Approve for this session');
  await you.hear(web.rootId, ({ message }) => /asked-for-gems/.test(message));
  const [both, next] = [
    await bash(context, web, `${CURL} -6 https://rubygems.org/hello; ${CURL} -4 https://rubygems.org/hello`, 'both'),
    await bash(context, plain, `${CURL} -6 --insecure https://[${WORLD_6.gems}]/hello`, 'not-here'),
  ];
  assert.is(both.match(/^hello from rubygems\.org$/gm)?.length, 2, both);
  assert.match(next, /curl: \(7\)/);
  assert.ok(reachedAt(context, WORLD_6.gems, since));
  assert.ok(reachedAt(context, WORLD.gems, since));
  const elsewhere = `${CURL} -6 --insecure --resolve rubygems.org:443:[${WORLD_6.crates}] https://rubygems.org/hello`;
  assert.match(
    await bash(context, web, `${elsewhere}; ${CURL} -6 telnet://[${WORLD_6.gems}]:8443`, 'only-that'),
    /curl: \(7\)[\s\S]*curl: \(7\)/,
  );

  // From the card itself this time.
  const { id } = card;
  const open = await you.hear(web.rootId, (post) => post.id === id && you.buttonsOf(post).includes('Close again'));
  await you.press(open, 'Close again');
  await you.hear(web.rootId, (post) => post.id === id && /Closed again\. Closed by you/.test(textOf(post)));
  const closed = await bash(context, web, `${CURL} -6 --insecure https://[${WORLD_6.gems}]/hello`, 'closed-6');
  assert.match(closed, /curl: \(7\)/);
});

test('RT-53: where the walls do not stand, no agent is started, and the thread says what is reachable', async ({
  you,
  environment,
}) => {
  const { vm } = environment;
  const asked = environment.model?.requests.length;
  // On a network that SM_NFT_BRIDGES does not name.
  const thread = await you.askForSession('@claude start acme/curious');
  const { message } = await you.hear(thread.rootId, (post) => /without an approval/.test(post.message), LONG_MS);
  assert.match(
    message,
    /The container can reach 1\.1\.1\.1 without an approval: the firewall is not in force\. No agent is started there/,
  );
  assert.match(message, /`@claude retry`/);
  assert.is(reachedAt({ environment }, WORLD.canary, 0) === undefined, false);
  assert.is(await vm.podman('ps', '--all', '--quiet', '--filter', 'label=csm.repo=acme/curious'), '');
  assert.is(environment.model?.requests.length, asked);
});

test('csm doctor firewall proves it on the VM, leaves the walls alone, and finds what is wrong', async ({
  environment,
}) => {
  const { vm, gatewayEnv } = environment;
  const doctor = (more: Readonly<Record<string, string>> = {}) =>
    csm(['doctor', 'firewall'], { ...gatewayEnv, ...more });
  const before = await vm.sh('nft list tables');
  const well = await doctor();
  assert.is(well.code, 0, well.said);
  for (const check of ['VM', 'nft', 'names folder', 'resolver [\\d.]+', 'bridged packets', 'base hosts', 'walls']) {
    assert.match(well.said, new RegExp(`^ok +${check}: `, 'm'));
  }
  assert.is(await vm.sh('nft list tables'), before);
  // The resolver that podman itself puts on a network asks others.
  const isolated = '{{range .Subnets}}{{.Gateway}}{{end}}';
  const talkative = (await vm.podman('network', 'inspect', '--format', isolated, 'isolated')).trim();
  await vm.podman('run', '--detach', '--network=isolated', STOCK, 'sleep', 'infinity');
  const ill = await doctor({
    SM_NFT_COMMAND: 'no-such-nft',
    SM_NFT_RESOLVERS: talkative,
    SM_BASE_HOSTS: 'gone.example.com',
  });
  assert.is(ill.code, 1);
  assert.match(ill.said, /^failed +nft: nft is not installed on the VM\. Install nftables, or set SM_NFT_COMMAND/m);
  assert.match(ill.said, /^failed +resolver [\d.]+: looks for names that nobody opened.* --disable-dns/m);
  assert.match(ill.said, /^failed +base hosts: The VM finds no public address for gone\.example\.com/m);
});

/** On the containers' network. */
async function addressOf({ vm }: WalledEnvironment, repo: string, family: 4 | 6 = 4): Promise<string> {
  const id = await vm.podman('ps', '--quiet', '--filter', `label=csm.repo=${repo}`);
  const field = family === 4 ? '.IPAddress' : '.GlobalIPv6Address';
  return (
    await vm.podman('inspect', '--format', `{{range .NetworkSettings.Networks}}{{${field}}}{{end}}`, id.trim())
  ).trim();
}

/** The VM, on the network of a container with this IPv6 address. */
function gatewayOf(address: string): string {
  return address.replace(/::.*$|[^:]+$/, (end) => (end.startsWith('::') ? '::1' : '1'));
}

test.run();
