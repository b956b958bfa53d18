// The token reads the repository, and is found nowhere afterwards: not in a file, an argument, a log line or an error.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { gitError, scrub } from '../../../src/adapters/git/errors.ts';
import { ensureCheckout, ensureMirror, type GitOptions } from '../../../src/adapters/git/index.ts';
import { type GitServer, startGitServer } from '../../support/gitServer.ts';
import { processesWith } from '../../support/sshd.ts';
import { clear, type Ground, layGround, live, refusalOf, repoRef } from './support.ts';

const TOKEN = 'ghp_0123456789abcdefghijklmnopqrstuvwxyz';
const HEADER = Buffer.from(`x-access-token:${TOKEN}`).toString('base64');

const test = suite<Ground & { server: GitServer; web: GitOptions }>('the token');
test.before.each(async (context) => {
  Object.assign(context, layGround());
  context.server = await startGitServer(join(context.root, 'forge'), TOKEN);
  context.web = { ...context.options, baseUrl: context.server.url, token: () => TOKEN };
});
test.after.each(async (context) => {
  await context.server.close();
  clear(context);
});

function filesWith(folder: string, texts: readonly string[]): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => {
    const file = join(folder, path);
    if (!statSync(file).isFile()) return false;
    const content = readFileSync(file, 'latin1');
    return texts.some((text) => content.includes(text));
  });
}

test('reads a private repository, while nothing of it shows in the process table', async ({ web, server, root }) => {
  const seen: string[] = [];
  let answered = 0;
  server.answer = () => {
    // git is waiting for this answer: it runs now.
    answered += 1;
    seen.push(...processesWith(TOKEN), ...processesWith(HEADER));
    return false;
  };
  const { path } = await ensureCheckout(web, repoRef(), 'mine', { pull: false, signal: live });
  assert.ok(existsSync(join(path, 'a.txt')));
  assert.ok(answered >= 4, String(answered));
  assert.equal(seen, []);
  assert.equal(filesWith(join(root, 'vm'), [TOKEN, HEADER]), []);
  const config = readFileSync(join(path, '.git/config'), 'utf8');
  assert.match(config, new RegExp(`url = ${server.url}/acme/web.git`));
  assert.not.match(config, /helper|extraheader|x-access-token/i);
});

test('no token, a wrong one and one without access have their own words, without the token', async ({
  web,
  server,
}) => {
  const ask = { refresh: false, signal: live };
  const none = await refusalOf(ensureMirror({ ...web, token: () => '' }, repoRef(), ask));
  assert.is(none.code, 'GIT_NOT_FOUND');
  assert.match(none.human, /for a private one set SM_GH_TOKEN/);
  const wrong = await refusalOf(ensureMirror({ ...web, token: () => 'ghp_wrong' }, repoRef(), ask));
  assert.is(wrong.code, 'GIT_AUTH');
  assert.match(wrong.human, /does not accept SM_GH_TOKEN/);
  server.answer = (_, response) => {
    response.writeHead(403).end(`no access for ${TOKEN}`);
    return true;
  };
  const forbidden = await refusalOf(ensureMirror(web, repoRef(), ask));
  assert.is(forbidden.code, 'GIT_NO_ACCESS');
  for (const { message, human } of [none, wrong, forbidden]) {
    assert.not.match(`${message} ${human}`, /ghp_|x-access-token/);
  }
});

test('is asked for anew each time, and is given to its own host alone', async ({ web, server, root }) => {
  await ensureMirror(web, repoRef(), { refresh: false, signal: live });
  server.token = 'ghp_renewed';
  const renewed = { ...web, token: () => 'ghp_renewed' };
  await ensureMirror(renewed, repoRef(), { refresh: true, signal: live });
  const elsewhere = await startGitServer(join(root, 'forge'));
  const headers: unknown[] = [];
  elsewhere.answer = (request, response) => {
    headers.push(request.headers.authorization);
    response.writeHead(401, { 'www-authenticate': 'Basic realm="thief"' }).end();
    return true;
  };
  server.answer = (request, response) => {
    response.writeHead(302, { location: `${elsewhere.url}${request.url}` }).end();
    return true;
  };
  const refusal = await refusalOf(ensureMirror(renewed, repoRef(), { refresh: true, signal: live }));
  await elsewhere.close();
  assert.is.not(refusal.code, 'none');
  assert.ok(headers.length > 0);
  assert.equal(headers.filter(Boolean), []);
});

test('progress and errors are scrubbed, in every form the token takes', () => {
  const said = `fatal: unable to access 'https://x-access-token:${TOKEN}@github.com/a/b': ${HEADER} ${TOKEN}`;
  const scrubbed = scrub(said, TOKEN);
  assert.not.match(scrubbed, /ghp_|x-access-token/);
  assert.ok(!scrubbed.includes(HEADER));
  const asked = { what: 'clone', repo: 'a/b', from: 'github.com', token: TOKEN };
  assert.not.match(gitError(asked, 128, said).message, /ghp_/);
  assert.is(scrub('nothing to hide', ''), 'nothing to hide');
});

test('a child of git that is not meant to see it does not', async ({ web }) => {
  // Checking out needs no token, so that command has none in its environment.
  const environments: string[] = [];
  const shell: GitOptions['shell'] = {
    exec: (command, options) => {
      if (!command.script.includes('ls-remote')) environments.push(JSON.stringify(options.env));
      return web.shell.exec(command, options);
    },
  };
  await ensureCheckout({ ...web, shell }, repoRef(), '', { pull: false, signal: live });
  assert.ok(environments.length > 0);
  assert.not.match(environments.join(), /ghp_|x-access-token|CSM_GIT_TOKEN/);
  assert.match(execFileSync('git', ['--version'], { encoding: 'utf8' }), /^git version/);
});

test.run();
