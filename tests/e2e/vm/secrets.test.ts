// @limit 600
// What agents identify themselves with, from a private file on the VM: what is wrong with it is said in the thread, and once it
// is right `retry` is enough.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Person, person } from '../../support/person.ts';
import { startVmEnvironment, type VmEnvironment } from '../../support/vm/environment.ts';
import { hearAfter, LONG_MS, said } from '../../support/vm/patience.ts';

const FILE = '/home/claude/secrets of agents';
const KEY = 'sk-of-the-file-on-the-vm';

const test = suite<{ environment: VmEnvironment; you: Person }>('secrets of agents');

test.before(async (context) => {
  context.environment = await startVmEnvironment({
    gatewayEnv: {
      ANTHROPIC_API_KEY: '',
      SM_AGENT_ENV: 'ANTHROPIC_BASE_URL,IS_SANDBOX,CLAUDE_CODE_MAX_RETRIES',
      SM_VM_SECRETS_FILE: FILE,
    },
  });
  context.you = person(context.environment);
});
test.after(async ({ environment }) => environment?.stop());

test('a missing key is a clear error in the thread, with what to do; then the agent has it, and the thread does not', async ({
  environment,
  you,
}) => {
  const { vm } = environment;
  const thread = await you.askForSession('@claude start acme/web');
  await you.hear(thread.rootId, (post) => /has no file .*SM_VM_SECRETS_FILE names it/.test(post.message), LONG_MS);
  const steps: readonly [string, RegExp][] = [
    ['printf "# none yet\\n" >"$1"; chmod 644 "$1"', /can be read by others.*chmod 600/],
    ['chmod 600 "$1"', /`ANTHROPIC_API_KEY` is missing.*in .*secrets of agents on the VM/],
    ['printf "export ANTHROPIC_API_KEY=%s\\n" "$2" >"$1"', /Ready on/],
  ];
  for (const [script, words] of steps) {
    await vm.sh(script, FILE, KEY);
    const before = await you.answersIn(thread.rootId);
    await you.say('@claude retry', thread);
    await hearAfter(you, thread, before, words);
  }
  assert.is((await vm.containers()).length, 1);
  await you.say('run: echo "key=$ANTHROPIC_API_KEY length=$(printf %s "$ANTHROPIC_API_KEY" | wc -c)"', thread);
  await you.hear(thread.rootId, (post) => post.message.includes(`key=‹secret› length=${KEY.length}`), LONG_MS);
  assert.not.ok((await said(you, thread)).includes(KEY));
});

test.run();
