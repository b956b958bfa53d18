// @limit 600
// What the agent's user can learn of its worker and do to it, in a real container: nothing.
import { createRequire } from 'node:module';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TOKEN, TOKEN_SHA256 } from '../../../agent-worker/tests/support/workerProcess.ts';
import { alone } from '../../support/alone.ts';
import { type Machine, startMachine } from './machine.ts';
import { API_KEY, runContainer, thinBundle } from './workerContainer.ts';

alone();

const secrecy = suite<{ machine: Machine; bundle: readonly string[] }>('what the agent cannot do to its worker');

secrecy.before(async (context) => {
  context.machine = await startMachine();
  context.bundle = await thinBundle(context.machine);
});
secrecy.after(async ({ machine }) => machine?.remove());

/** All that is readable: of every process, and every file outside of what the kernel makes up. */
const READ_ALL = `
for file in /proc/[0-9]*/environ /proc/[0-9]*/cmdline /proc/[0-9]*/task/*/environ; do
  tr '\\0' '\\n' <"$file" 2>/dev/null
done
for folder in /csm/home /tmp /run /var /etc /root /home /dev/shm; do
  find "$folder" -xdev -type f 2>/dev/null | while read -r file; do cat "$file" 2>/dev/null; done
done
true
`;

secrecy('the agent’s user, reading all it can, cannot call its worker', async ({ machine, bundle }) => {
  const container = await runContainer(machine, [
    ...bundle,
    '--env',
    'FROM_THE_IMAGE=yes',
    '--volume',
    `${hostile()}:/hostile.mjs:ro`,
  ]);
  await container.start();
  const [worker = ''] = (await container.processes('dist/main.js')).map((line) => line.split(' ')[0]);

  const asRoot = await container.sh(READ_ALL);
  assert.ok(asRoot.includes(TOKEN_SHA256), 'root can read the hash, so the search finds it where it is');
  const asAgent = await container.sh(READ_ALL, 'vscode');
  assert.ok(asAgent.includes('FROM_THE_IMAGE=yes'), 'what is public is read');
  for (const secret of [TOKEN_SHA256, TOKEN, API_KEY]) assert.not.ok(asAgent.includes(secret), secret);
  for (const text of await container.processes(''))
    assert.not.ok(text.includes(TOKEN_SHA256) || text.includes(API_KEY), text);
  const inspected = await machine.podman('container', 'inspect', container.id);
  assert.not.ok(inspected.includes(TOKEN_SHA256) || inspected.includes(API_KEY));

  const grpc = createRequire(import.meta.url).resolve('@grpc/grpc-js');
  const guesses = [
    `Bearer ${TOKEN_SHA256}`,
    'Bearer ',
    'Bearer',
    `Basic ${TOKEN}`,
    TOKEN,
    `Bearer ${TOKEN} `,
    `Bearer ${API_KEY}`,
  ];
  const words = [process.execPath, '/hostile.mjs', grpc, '50051', worker, ...guesses.map((guess) => `'${guess}'`)];
  const tried = JSON.parse(await container.sh(words.join(' '), 'vscode'));
  assert.is(tried.uid, 1000);
  assert.is(tried.answers.length, 56);
  assert.equal([...new Set(tried.answers)], ['UNAUTHENTICATED']);
  assert.equal(tried.attempts, {
    environ: 'EACCES',
    memory: 'EACCES',
    descriptors: 'EACCES',
    stdin: 'EACCES',
    folder: 'EACCES',
    state: 'EACCES',
    besideIt: 'EACCES',
    attachments: 'EACCES',
    bundle: 'EACCES',
    kill: 'EPERM',
  });
  assert.equal(
    (await container.processes('dist/main.js')).map((line) => line.split(' ')[0]),
    [worker],
  );
});

secrecy.run();

function hostile(): string {
  return new URL('./hostileAgent.mjs', import.meta.url).pathname;
}
