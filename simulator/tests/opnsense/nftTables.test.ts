/** The stand-in's live tables as real nftables: what it says is open is open, and nothing else. Needs root. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openNftTables, startOpnsense } from '../../src/opnsense/index.ts';

const run = promisify(execFile);
const ALIAS = 'llm_approved_domains';
const [CLIENT, WORLD] = [`csm-c${process.pid}`, `csm-w${process.pid}`];
const servers: ChildProcess[] = [];

test.before(async () => {
  for (const command of [
    `netns add ${CLIENT}`,
    `netns add ${WORLD}`,
    `link add c0 netns ${CLIENT} type veth peer name w0 netns ${WORLD}`,
    ...[CLIENT, WORLD].map((name) => `-n ${name} link set lo up`),
    `-n ${CLIENT} addr add 10.78.1.1/24 dev c0`,
    `-n ${WORLD} addr add 10.78.1.2/24 dev w0`,
    `-n ${WORLD} addr add 10.78.1.3/24 dev w0`,
    `-n ${CLIENT} link set c0 up`,
    `-n ${WORLD} link set w0 up`,
  ]) {
    await run('ip', command.split(' '));
  }
  await listen('10.78.1.2', 443);
  await listen('10.78.1.2', 80);
  await listen('10.78.1.3', 443);
});

test.after(async () => {
  for (const server of servers) server.kill('SIGKILL');
  for (const name of [CLIENT, WORLD]) await run('ip', ['netns', 'del', name]).catch(() => undefined);
});

/** An echo server in the world's namespace. */
async function listen(host: string, port: number): Promise<void> {
  const program = `require('net').createServer((s) => { s.on('error', () => {}); s.pipe(s); }).listen(${port}, '${host}', () => console.log('up'))`;
  const child = spawn('ip', ['netns', 'exec', WORLD, process.execPath, '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  servers.push(child);
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('exit', (code) => reject(new Error(`server ended with ${code}`)));
  });
}

async function reaches(host: string, port: number): Promise<boolean> {
  const program = `require('net').connect(${port}, '${host}').on('connect', () => process.exit(0)).on('error', () => process.exit(1))`;
  return run('ip', ['netns', 'exec', CLIENT, process.execPath, '-e', program]).then(
    () => true,
    () => false,
  );
}

test('what is in the live table is reachable on its port, and nothing else is', async () => {
  const sink = await openNftTables({ enter: ['ip', 'netns', 'exec', CLIENT], hook: 'output', alias: ALIAS, port: 443 });
  const firewall = await startOpnsense({ sink, resolve: async () => ['10.78.1.2', '2001:db8::2'] });
  try {
    assert.is(await reaches('10.78.1.2', 443), false);
    await firewall.addAlias({ name: ALIAS, content: ['pypi.org'] });
    assert.is(await reaches('10.78.1.2', 443), true);
    assert.is(await reaches('10.78.1.2', 80), false);
    assert.is(await reaches('10.78.1.3', 443), false);
    await firewall.addAlias({ name: 'other', content: ['10.78.1.3'] });
    assert.is(await reaches('10.78.1.3', 443), false);
    firewall.removeAlias(ALIAS);
    await firewall.addAlias({ name: ALIAS, content: [] });
    assert.is(await reaches('10.78.1.2', 443), false);
  } finally {
    await firewall.close();
  }
  assert.is(await reaches('10.78.1.3', 443), true);
});

test.run();
