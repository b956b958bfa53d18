// @limit 900
// What a session remembers, when what keeps its memory breaks.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Person, person, type Thread } from '../../support/person.ts';
import { startVmEnvironment, type VmEnvironment } from '../../support/vm/environment.ts';
import { answers, eventually, hearAfter, LONG_MS, said } from '../../support/vm/patience.ts';

interface World {
  environment: VmEnvironment;
  you: Person;
  thread: Thread;
}
const test = suite<World>('memory');
const FORGOT = /memory of this conversation could not be restored/;

test.before(async (context) => {
  context.environment = await startVmEnvironment();
  context.you = person(context.environment);
  context.thread = await context.you.start('@claude start acme/web', LONG_MS);
});
test.after(async ({ environment }) => environment?.stop());

/** Claude Code's conversations in which a person wrote that. */
function conversations({ environment }: World, words: string): (string | undefined)[] {
  const requests = environment.model?.requests ?? [];
  return requests.filter(({ asked }) => asked.some((text) => text.includes(words))).map(({ sessionId }) => sessionId);
}

test('RT-33: a resume that takes too long is tried again, and the memory is kept', async (world) => {
  const { you, thread, environment } = world;
  const { vm } = environment;
  await answers(you, thread, 'before-the-pause');
  const [container = ''] = await vm.containers();
  await you.say('@claude stop', thread);
  await you.hear(thread.rootId, (post) => /Session stopped/.test(post.message), LONG_MS);
  await vm.podman('pause', container);
  const before = await you.answersIn(thread.rootId);
  await you.say('@claude resume', thread);
  // Whatever is tried meanwhile does not get an answer.
  await hearAfter(you, thread, before, /./);
  await vm.podman('unpause', container);
  await hearAfter(you, thread, before, /Ready on/);
  await answers(you, thread, 'after-the-pause');
  assert.equal(conversations(world, 'after-the-pause').slice(-1), conversations(world, 'before-the-pause').slice(0, 1));
  assert.not.match(await said(you, thread), FORGOT);
});

test('RT-32: the transcript is deleted: the next message works, and the loss is told', async (world) => {
  const { you, thread, environment } = world;
  const { vm } = environment;
  await answers(you, thread, 'the-heron-is-grey');
  await you.say('@claude stop', thread);
  await eventually('it has stopped', async () => (await said(you, thread)).split('Session stopped').length > 2);
  const [container = ''] = await vm.containers();
  await vm.podman(
    'exec',
    container,
    'sh',
    '-c',
    'find / -xdev -path "*/.claude/projects/*" -name "*.jsonl" -delete; find /csm/home -name "*.jsonl" -path "*projects*" -delete',
  );
  const before = await you.answersIn(thread.rootId);
  await you.say('@claude resume', thread);
  await hearAfter(you, thread, before, /Ready on/);
  await answers(you, thread, 'after-the-loss');
  await hearAfter(you, thread, before, FORGOT);
  await hearAfter(you, thread, before, /was given back to it/);
  await answers(you, thread, 'and-it-goes-on');
});

test.run();
