// @limit 900
// A compose project makes networks of its own, with bridges that nobody has named: where the walls do not hold those, it is not
// begun. Nor does an agent start in any other container that they do not hold, which is taken away; and with walls at all of
// podman's bridges a project reaches nothing.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Person, person, type Thread } from '../../support/person.ts';
import { eventually, hearAfter, LONG_MS } from '../../support/vm/patience.ts';
import { nftablesOn, startWalledEnvironment, type WalledEnvironment } from '../../support/vm/walled.ts';
import { WORLD } from '../../support/vm/world.ts';

interface Context {
  environment: WalledEnvironment;
  you: Person;
  thread: Thread;
}
const test = suite<Context>('compose projects and the walls');

test.before(async (context) => {
  context.environment = await startWalledEnvironment(nftablesOn, { compose: true });
  context.you = person(context.environment);
});
test.after(async ({ environment }) => environment?.stop());

/** By their ids: of a project the devcontainer and the other service. */
async function containersOf({ environment: { vm } }: Context, repo = 'acme/compose'): Promise<readonly string[]> {
  const ids = await vm.podman('ps', '--all', '--quiet', '--filter', `label=csm.repo=${repo}`);
  return ids.split('\n').filter((id) => id !== '');
}

/** `open`, or how curl failed. */
function tryFrom({ environment: { vm } }: Context, container: string, url: string): Promise<string> {
  const curl = ['curl', '--insecure', '--silent', '--show-error', '--max-time', '5', '--output', '/dev/null', url];
  return vm.podman('exec', container, ...curl).then(
    () => 'open',
    (error: Error) => /curl: \(\d+\)/.exec(error.message)?.[0] ?? error.message,
  );
}

const FORBIDDEN = [`https://${WORLD.crates}/hello`, `https://${WORLD.pypi}:8443/hello`];

const noAgent = async ({ environment }: Context): Promise<void> => {
  assert.equal(
    (await environment.vm.processes()).filter((line) => /claude-agent-sdk/.test(line)),
    [],
    'no agent is there',
  );
};

test('RT-53: where its networks would have no walls, nothing of a compose project is started', async (context) => {
  const { you } = context;
  context.thread = await you.askForSession('@claude start acme/compose');
  const { rootId } = context.thread;
  const { message } = await you.hear(rootId, (post) => /not allowed here/.test(post.message), LONG_MS);
  assert.match(message, /makes networks of its own, where no walls stand.*`SM_NFT_BRIDGES=podman\*`/);
  assert.equal(await containersOf(context), []);
  await noAgent(context);
});

test('RT-53: a container at a bridge without walls is taken away, also where the addresses that are tried happen to be closed', async (context) => {
  const { you, environment } = context;
  const [program = '', ...words] = environment.world.atRouter;
  await promisify(execFile)(program, [...words, 'ip', 'route', 'replace', 'blackhole', WORLD.canary]);
  const { rootId } = await you.askForSession('@claude start acme/curious');
  const { message } = await you.hear(rootId, (post) => /where no walls stand/.test(post.message), LONG_MS);
  assert.match(message, /of the VM, where no walls stand\. No agent is started there\. .*SM_NFT_BRIDGES/);
  assert.equal(await containersOf(context, 'acme/curious'), []);
  await noAgent(context);
});

test('with walls at every bridge of podman, the services of a project reach nothing, neither outside nor on the VM', async (context) => {
  const { you, thread, environment } = context;
  await environment.gateway().stop();
  await environment.restartGateway({ SM_NFT_BRIDGES: 'podman*' });
  const rules = () => environment.vm.sh('nft list table inet csm');
  await eventually('the walls stand at all of them', async () => /iifname "podman\*" jump out/.test(await rules()));
  // Behind walls from the first packet on.
  const before = await you.answersIn(thread.rootId);
  await you.say('@claude retry', thread);
  await hearAfter(you, thread, before, /Ready on/);
  const containers = await containersOf(context);
  assert.is(containers.length, 2);
  for (const container of containers) {
    for (const url of [...FORBIDDEN, `telnet://${environment.vm.address}:22`, `https://${WORLD.dns}/`]) {
      assert.match(await tryFrom(context, container, url), /^curl: \(\d+\)$/, url);
    }
  }
});

test.run();
