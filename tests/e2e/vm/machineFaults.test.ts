// @limit 1500
// What breaks on the VM while a session is open: each time the thread says what happened, the conversation goes on, and no
// container is there twice.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Person, person, type Thread } from '../../support/person.ts';
import { startVmEnvironment, type VmEnvironment } from '../../support/vm/environment.ts';
import { STOCK } from '../../support/vm/images.ts';
import { answers, eventually, hearAfter, LONG_MS, said } from '../../support/vm/patience.ts';

interface World {
  environment: VmEnvironment;
  you: Person;
  thread: Thread;
  /** Somebody else's, from before the first session to the end. */
  stranger: string;
}
const test = suite<World>('faults of the VM');

test.before(async (context) => {
  context.environment = await startVmEnvironment({ slowDelayMs: 100 });
  context.you = person(context.environment);
  context.stranger = await context.environment.vm.foreignContainer(STOCK, '--label=csm.managed=true');
  context.thread = await context.you.start('@claude start acme/web', LONG_MS);
});
test.after(async ({ environment }) => environment?.stop());

/** Full ids of containers but the stranger's. */
async function ours({ environment, stranger }: World): Promise<string[]> {
  return (await environment.vm.containers()).filter((id) => id !== stranger);
}

test('the worker is killed in the middle of a turn: the turn is told as lost, not repeated, and the next one works', async (world) => {
  const { you, thread, environment } = world;
  const [container] = await ours(world);
  await you.say('slow 600, then say never-repeated', thread);
  await you.hear(thread.rootId, (post) => /\bw5\b/.test(post.message), LONG_MS);
  const asked = environment.model?.requests.length ?? 0;
  await environment.vm.kill(/\/agent-worker\/.* --identity /);
  await you.hear(thread.rootId, (post) => /process ended in the middle of this turn/.test(post.message), LONG_MS);
  await answers(you, thread, 'after-the-worker');
  const repeated = environment.model?.requests.slice(asked).filter(({ lastUserText }) => lastUserText.includes('slow'));
  assert.equal(repeated, []);
  assert.equal(await ours(world), [container]);
});

test('the container is stopped: it is started again, and the conversation goes on', async (world) => {
  const { you, thread, environment } = world;
  const [container = ''] = await ours(world);
  const before = await you.answersIn(thread.rootId);
  await environment.vm.podman('stop', '--time=0', container);
  await hearAfter(you, thread, before, /container was stopped|being recovered/);
  await answers(you, thread, 'after-the-stop');
  assert.equal(await ours(world), [container]);
});

test('the container is removed: another one is made, with the same memory', async (world) => {
  const { you, thread, environment } = world;
  const [container = ''] = await ours(world);
  await you.say('create kept.txt with the word ochre', thread);
  await you.hear(thread.rootId, (post) => /kept\.txt/.test(post.message) && /✅/.test(post.message));
  const before = await you.answersIn(thread.rootId);
  await environment.vm.podman('rm', '--force', '--time=0', container);
  await hearAfter(you, thread, before, /container is gone|being recovered/);
  await you.say('run: cat kept.txt && echo after-the-removal', thread);
  await you.hear(thread.rootId, (post) => /ochre\s+after-the-removal/.test(post.message), LONG_MS);
  const [another, ...more] = await ours(world);
  assert.is.not(another, container);
  assert.equal(more, []);
  assert.not.match(await said(you, thread), /memory of this conversation could not be restored/);
});

test('sshd is restarted: an answer that was streaming arrives whole, once', async (world) => {
  const { you, thread, environment } = world;
  const [container] = await ours(world);
  await you.say('slow 60, then say whole-after-sshd', thread);
  await you.hear(thread.rootId, (post) => /\bw5\b/.test(post.message) && !/\bw60\b/.test(post.message), LONG_MS);
  await environment.vm.restartSshd();
  await you.hear(thread.rootId, (post) => /whole-after-sshd/.test(post.message), LONG_MS);
  const text = await said(you, thread);
  for (const word of ['w59', 'w60']) assert.is(text.match(new RegExp(`\\b${word}\\b`, 'g'))?.length, 1, word);
  assert.equal(await ours(world), [container]);
});

test('the VM is rebooted in the middle of a turn: the thread says so, and the session goes on in the same container', async (world) => {
  const { you, thread, environment } = world;
  const [container] = await ours(world);
  const before = await you.answersIn(thread.rootId);
  await you.say('slow 600', thread);
  await hearAfter(you, thread, before, /\bw5\b/);
  await environment.vm.reboot();
  await hearAfter(you, thread, before, /VM was restarted|being recovered/);
  await answers(you, thread, 'after-the-reboot');
  assert.match(await said(you, thread), /lost its log|process ended in the middle of this turn/);
  assert.equal(await ours(world), [container]);
});

test('RT-40: a stranger has the port after a reboot: nothing is said to it, and another port is taken', async (world) => {
  const { you, thread, environment } = world;
  const { vm } = environment;
  const [container = ''] = await ours(world);
  const [details] = JSON.parse(await vm.podman('container', 'inspect', container));
  const port = Number(details.HostConfig.PortBindings['25051/tcp'][0].HostPort);
  await vm.powerOff();
  await vm.powerOn();
  const letGo = await vm.takePort(port);
  try {
    await answers(you, thread, 'after-the-stranger');
    const [another = '', ...more] = await ours(world);
    assert.equal(more, []);
    const [now] = JSON.parse(await vm.podman('container', 'inspect', another));
    assert.is.not(Number(now.HostConfig.PortBindings['25051/tcp'][0].HostPort), port);
  } finally {
    await letGo();
  }
});

test('RT-38: a restarted gateway leaves live and foreign containers alone', async (world) => {
  const { you, thread, environment, stranger } = world;
  const { vm } = environment;
  const live = await ours(world);
  const since = (id: string) => vm.podman('inspect', '--format', '{{.State.StartedAt}} {{.State.Pid}}', id);
  const startedAt = await Promise.all(live.map(since));
  await environment.gateway().stop();
  await environment.restartGateway();
  await answers(you, thread, 'after-the-gateway');
  assert.equal(await ours(world), live);
  assert.equal(await Promise.all(live.map(since)), startedAt);
  // Reboots stopped it; nobody but its owner starts or removes it.
  assert.ok((await vm.containers()).includes(stranger));
});

test('RT-35: a session that has ended stays so, whatever is restarted', async (world) => {
  const { you, thread, environment } = world;
  const { vm } = environment;
  await you.say('@claude stop --container', thread);
  await you.hear(thread.rootId, (post) => /Session stopped/.test(post.message), LONG_MS);
  await eventually('its container is gone', async () => (await ours(world)).length === 0);
  const before = await you.answersIn(thread.rootId);
  await environment.gateway().stop();
  await vm.reboot();
  await environment.restartGateway();
  // Another session shows that the gateway is at work again.
  const other = await you.start('@claude start acme/plain', LONG_MS);
  await answers(you, other, 'the-other-one');
  assert.equal(
    (await you.answersIn(thread.rootId)).map(({ message }) => message),
    before.map(({ message }) => message),
  );
  assert.is((await ours(world)).length, 1);
});

test.run();
