// What is sent is what arrives, whatever it is: through a real sshd and the login shell there, and through dash and bash.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Vm } from '../../../src/adapters/ssh/index.ts';
import { quote, quoteAll } from '../../../src/adapters/ssh/quote.ts';
import { hostileTexts } from '../../support/hostileText.ts';
import { connectTo, startSshd, type TestSshd } from '../../support/sshd.ts';

const test = suite<{ sshd: TestSshd; vm: Vm; folder: string; corpus: readonly string[] }>('quoting');
const ECHO = ['printf', '%s\\0'];

test.before(async (context) => {
  context.sshd = await startSshd();
  context.vm = connectTo(context.sshd);
  context.folder = mkdtempSync(join(tmpdir(), 'csm-quote-'));
  execFileSync('chmod', ['777', context.folder]);
  context.corpus = hostileTexts(join(context.folder, 'mark'));
});
test.after(async ({ sshd, vm, folder }) => {
  await vm.close();
  await sshd.remove();
  rmSync(folder, { recursive: true });
});

const words = fc.array(
  fc.string({ unit: 'binary', maxLength: 40 }).filter((word) => !/\0|\p{Surrogate}/u.test(word)),
  {
    minLength: 1,
    maxLength: 20,
  },
);
const shellish = fc.array(
  fc.string({ unit: fc.constantFrom(...'\'"`$(){}[]<>|&;\\ \n\t*?!#~-=%a/.é🚀'), maxLength: 12 }),
  { minLength: 1, maxLength: 20 },
);

async function arrived(vm: Vm, sent: readonly string[]): Promise<string[]> {
  const { code, stdout } = await vm.exec([...ECHO, ...sent], { timeoutMs: 60_000 });
  assert.is(code, 0);
  return stdout.split('\0').slice(0, -1);
}

test('every text of the corpus arrives as it was sent, as an argument', async ({ vm, corpus, folder }) => {
  assert.ok(corpus.length > 500, String(corpus.length));
  for (let at = 0; at < corpus.length; at += 200) {
    const sent = corpus.slice(at, at + 200);
    assert.equal(await arrived(vm, sent), sent);
  }
  assert.not(existsSync(join(folder, 'mark')));
});

test('and as a script argument, as a variable, as a folder, as input and as the content of a file', async ({
  vm,
  corpus,
  folder,
}) => {
  const script = { script: `for word do printf '%s\\0' "$word"; done`, args: corpus.slice(0, 150) };
  const { stdout } = await vm.exec(script, { timeoutMs: 60_000 });
  assert.equal(stdout.split('\0').slice(0, -1), corpus.slice(0, 150));

  const env = Object.fromEntries(corpus.map((value, index) => [`V_${index}`, value]));
  const told = await vm.exec(['env', '-0'], { env, timeoutMs: 60_000 });
  const seen = new Map(told.stdout.split('\0').map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]));
  for (const [name, value] of Object.entries(env)) assert.is(seen.get(name), value, name);

  const odd = join(folder, `it's $(touch ${folder.slice(1).replaceAll('/', '_')}) "a"\n-b`);
  await vm.run(['mkdir', '--', odd], { timeoutMs: 60_000 });
  assert.is((await vm.run({ script: 'pwd' }, { cwd: odd, timeoutMs: 60_000 })).stdout, `${odd}\n`);

  const text = corpus.join('\n');
  assert.is((await vm.run(['cat'], { stdin: text, timeoutMs: 60_000 })).stdout, text);
  await vm.writeFile(join(odd, "-f'ile"), text, 0o600);
  assert.is((await vm.readFile(join(odd, "-f'ile"), 1_000_000))?.toString(), text);
  assert.not(existsSync(join(folder, 'mark')));
});

test('any list of words arrives (generated)', async ({ vm }) => {
  const property = fc.asyncProperty(fc.oneof(words, shellish), async (sent) => {
    assert.equal(await arrived(vm, sent), sent);
  });
  await fc.assert(property, { numRuns: 60 });
});

test('dash and bash read a quoted list the same way (generated)', () => {
  const property = fc.property(fc.oneof(words, shellish), (sent) => {
    for (const shell of ['dash', 'bash']) {
      const command = quoteAll([...ECHO, ...sent]);
      const read = execFileSync(shell, ['-c', command], { encoding: 'utf8' });
      assert.equal(read.split('\0').slice(0, -1), sent);
    }
  });
  fc.assert(property, { numRuns: 100 });
});

test('what no command line can carry is refused, not changed', () => {
  for (const word of ['a\0b', '\ud800', 'x\udc00y']) assert.throws(() => quote(word), /U\+0000 or half a character/);
});

test.run();
