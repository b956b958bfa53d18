// @limit 300
// The inspector in a real browser, on a running system: it follows a conversation as it happens, shows what happened, and
// lets an operator mend what is stuck. Screenshots go to the folder that CSM_SCREENSHOTS names.
import pg from 'pg';
import type { Browser, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchChromium, scrollsSideways, shoot, watchProblems } from '../support/chromium.ts';
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { type Person, person, type Thread } from '../support/person.ts';

interface Context {
  environment: TestEnvironment;
  browser: Browser;
  page: Page;
  you: Person;
  thread: Thread;
  database: pg.Client;
  problems: string[];
}

const test = suite<Context>('inspector');

const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 390, height: 844 };

test.before(async (context) => {
  context.environment = await startTestEnvironment();
  context.you = person(context.environment);
  context.database = new pg.Client({ connectionString: context.environment.databaseUrl });
  await context.database.connect();
  context.browser = await launchChromium();
  context.page = await context.browser.newPage({ viewport: WIDE });
  context.page.setDefaultTimeout(45_000);
  context.problems = watchProblems(context.page);
});

test.after(async (context) => {
  await context.browser?.close();
  await context.database?.end();
  await context.environment?.stop();
});

const node = (page: Page, id: string, classes = '') => page.locator(`[data-node="${id}"]${classes}`);

test('it opens on a running system and shows a session that starts, without a reload', async (context) => {
  const { environment, page, you } = context;
  await page.goto(environment.inspectorUrl);
  await page.locator('.connection.live').waitFor();
  await page.locator('.row', { hasText: 'root' }).waitFor();
  await shoot(page, 'overview');
  context.thread = await you.start();
  const row = page.locator('.row', { hasText: context.thread.session.slice('session/'.length) }).first();
  await row.waitFor();
  await row.click();
  await node(page, 'session.active.open.conversation.idle', '.active.leaf').waitFor();
  await page.locator('.spin').waitFor();
  await shoot(page, 'idle');
});

test('the chart follows the conversation as it happens', async ({ page, you, thread }) => {
  await you.say('ask Which season? Spring or Autumn', thread);
  await node(page, 'session.active.open.conversation.thinking.waitingForPerson', '.active.leaf').waitFor();
  assert.is(await node(page, 'session.active.open.conversation.idle', '.active').count(), 0);
  await page.locator('.edge.lit').first().waitFor({ state: 'attached' });
  await shoot(page, 'waiting');
});

test('the journal opens to event, context and effects; a link to a revision opens there', async ({ page }) => {
  await page.locator('.journal .line').first().waitFor();
  await page.locator('.bar').click();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.locator('.detail .json').first().waitFor();
  assert.match(page.url(), /#\/actor\/session%2F[a-z0-9]+\/\d+$/);
  await page.locator('.past').waitFor();
  await shoot(page, 'revision');
  const url = page.url();
  await page.goto('about:blank');
  await page.goto(url);
  await page.locator('.journal li.open .detail .json').first().waitFor();
  await page.locator('.past').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.past').waitFor({ state: 'detached' });
});

test('the search finds an actor by a part of its address, with the keyboard alone', async ({ page }) => {
  await page.keyboard.press('/');
  await page.keyboard.type('demo@');
  await page.locator('.row', { hasText: 'root' }).waitFor({ state: 'detached' });
  await page.locator('.row', { hasText: 'demo@' }).first().waitFor();
  await page.keyboard.press('Tab');
  await page.locator('#search').fill('nobody has this name');
  await page.locator('.list .note', { hasText: 'No actor fits' }).waitFor();
  await page.locator('#search').fill('');
  await page.locator('.row', { hasText: 'root' }).waitFor();
});

test('a dead letter is replayed: its event is taken, and the thread says so', async ({
  page,
  thread,
  you,
  database,
  environment,
}) => {
  const event = {
    type: 'COMMAND.CONTEXT',
    at: Date.now(),
    postId: thread.rootId,
    channelId: thread.channelId,
    userId: environment.you.id,
    userName: 'you',
  };
  await database.query(
    `insert into dead_letter(actor_id, reason, event, dedup_key, at) values ($1, 'unhandled', $2, 'a lost command', now())`,
    [thread.session, JSON.stringify(event)],
  );
  await page
    .locator('.row', { hasText: thread.session.slice('session/'.length) })
    .last()
    .click();
  await page.locator('[role=tab]', { hasText: 'Dead letters' }).click();
  await page.locator('.letter', { hasText: 'COMMAND.CONTEXT' }).locator('button', { hasText: 'Replay' }).click();
  await page.locator('dialog .primary').click();
  await page.locator('.toast.good').waitFor();
  await page.locator('#panel .note', { hasText: 'No dead letters' }).waitFor();
  await you.hear(thread.rootId, (post) => /token/i.test(post.message));
  await page.locator('[role=tab]', { hasText: 'Journal' }).click();
  await page.locator('.journal .line', { hasText: 'runtime.operator' }).waitFor();
  await page.locator('.journal .line', { hasText: 'COMMAND.CONTEXT' }).waitFor();
});

test('an actor whose chart keeps throwing is parked, shown at once, and resumed', async ({
  page,
  thread,
  database,
}) => {
  const [, session = ''] = thread.session.split('/');
  const row = page.locator('.row', { hasText: `approval${session}` });
  await row.click();
  await node(page, 'approval.pending', '.active').waitFor();
  const { rows } = await database.query<{ id: string }>(`select id from actor where kind = 'approval'`);
  // Decisions without a verdict: the chart's guard throws.
  for (let n = 0; n < 4; n += 1) {
    await database.query(`insert into inbox(actor_id, dedup_key, event) values ($1, $2, $3)`, [
      rows[0]?.id,
      `broken decision ${n}`,
      JSON.stringify({ type: 'DECIDE', at: Date.now() }),
    ]);
  }
  await page.locator('.head .status.parked').waitFor();
  await page.locator('.row.parked').waitFor();
  await page.locator('.trouble').waitFor();
  await shoot(page, 'parked');
  await page.locator('.head .acts button', { hasText: 'Skip' }).click();
  await page.locator('dialog .primary').click();
  await page.locator('.toast.good').waitFor();
  await page.locator('.head .status.active').waitFor();
  const { rows: audit } = await database.query(`select who from audit_log where action = 'operator.skip'`);
  assert.equal(audit, [{ who: 'inspector from 127.0.0.1' }]);
});

test('on a narrow screen everything is there and nothing scrolls sideways', async ({ page, environment, thread }) => {
  await page.setViewportSize(NARROW);
  for (const [name, hash] of [
    ['narrow-overview', '#/'],
    ['narrow-actor', `#/actor/${encodeURIComponent(thread.session)}`],
    ['narrow-letters', '#/letters'],
  ]) {
    await page.goto(`${environment.inspectorUrl}${hash}`);
    await page.locator('main > *').first().waitFor();
    if (name === 'narrow-actor') await node(page, 'session', '.active').waitFor();
    await shoot(page, name ?? '');
    assert.is(await scrollsSideways(page), false, name);
  }
  await page.setViewportSize(WIDE);
});

test('nothing was refused by the policy, and no script failed', ({ problems }) => {
  assert.equal(problems, []);
});

test.run();
