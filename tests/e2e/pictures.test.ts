// @limit 300
// What people see of a thread, in a real browser, wide and on a phone. With CSM_SCREENSHOTS=docs/pictures this makes the
// pictures of the guide.
import type { Browser, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchChromium, scrollsSideways, shoot, watchProblems } from '../support/chromium.ts';
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { person } from '../support/person.ts';

const WIDE = { width: 1280, height: 860 };
const PHONE = { width: 390, height: 844 };

interface World {
  environment: TestEnvironment;
  browser: Browser;
  page: Page;
  problems: string[];
}

const test = suite<World>('pictures');

test.before(async (context) => {
  context.environment = await startTestEnvironment();
  context.browser = await launchChromium();
  context.page = await context.browser.newPage({ viewport: WIDE });
  context.page.setDefaultTimeout(45_000);
  context.problems = watchProblems(context.page);
  const { page, environment } = context;
  const you = person(environment);
  const ask = await you.say('@claude start demo --worktree=pictures');
  await you.hear(ask.id, (post) => post.message.includes('/pl/'));
  await page.goto(environment.pageUrl);
  await page.locator('#channels >> text=Lobby').click();
  await page.locator('#timeline button', { hasText: /repl/i }).first().click();
  await page.locator('#replies a[href*="/pl/"]').first().click();
  await page.locator('#replies', { hasText: 'Ready on' }).waitFor();
});

test.after(async (context) => {
  await context.browser?.close();
  await context.environment?.stop();
});

test.after.each(({ problems }) => assert.equal(problems, []));

async function say(page: Page, text: string): Promise<void> {
  const box = page.locator('#thread textarea').last();
  await box.fill(text);
  await box.press('Enter');
}

const seen = (page: Page, text: string | RegExp) => page.locator('#replies', { hasText: text }).waitFor();

/** @param board what the channel's board says by then: it is brought up to date a moment later */
async function take(page: Page, name: string, board: string): Promise<void> {
  await page.locator('#timeline table', { hasText: board }).waitFor();
  // Nothing is pointed at, and nothing is being written.
  await page.mouse.move(0, 0);
  await page.evaluate('document.activeElement?.blur()');
  await shoot(page, name);
  await page.setViewportSize(PHONE);
  assert.is(await scrollsSideways(page), false, `${name} scrolls sideways on a phone`);
  await shoot(page, `${name}-phone`);
  await page.setViewportSize(WIDE);
}

test('a finished turn: the answer, what was done, one line of figures', async ({ page }) => {
  await say(
    page,
    'create poem.txt with the words "amber tide", then replace amber with silver in poem.txt, then run: cat poem.txt',
  );
  await seen(page, 'silver tide');
  await seen(page, /context \d+%/);
  await take(page, 'thread-finished', 'idle');
});

test('a running turn, and the messages that wait for their turn', async ({ page }) => {
  await say(
    page,
    'append "and a long calm" to poem.txt, then run: grep -c calm poem.txt, then run: until test -e signed.txt; do sleep 1; done',
  );
  await seen(page, 'Running Bash …');
  await take(page, 'thread-running', 'at work');
  await say(page, 'say and then the tests');
  await say(page, 'say and a summary at the end');
  await page.locator('#replies .chip').nth(1).waitFor();
  await say(page, '@claude queue');
  await seen(page, 'Edit its post to change one');
  await take(page, 'thread-queue', 'at work');
  await say(page, '@claude queue drop all');
  await say(page, '@claude interrupt');
  await seen(page, 'Interrupted.');
});

test('a question with its ways to answer', async ({ page }) => {
  await say(page, 'ask Which season? Spring or Autumn');
  const button = page.locator('#replies button', { hasText: 'Autumn' });
  await button.waitFor();
  await seen(page, 'Or answer in the thread');
  await take(page, 'thread-question', 'waits for a person');
  await button.click();
  await seen(page, 'Answered: Autumn');
});

test('a plan with its ways to answer', async ({ page }) => {
  await say(page, 'plan: "First the schema, then the import, then the tests"');
  const button = page.locator('#replies button', { hasText: 'Keep planning' });
  await button.waitFor();
  await take(page, 'thread-plan', 'waits for a person');
  await button.click();
  await button.waitFor({ state: 'detached' });
  await seen(page, 'The plan was not approved');
  await page.locator('#timeline table', { hasText: 'idle' }).waitFor();
});

test('a failure with its cause and the next step', async ({ page }) => {
  await say(page, 'fail 400');
  await seen(page, 'The turn failed.');
  await take(page, 'thread-failure', 'idle');
});

test.run();
