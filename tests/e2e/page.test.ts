// @limit 300
// The chat page in a real browser: start a session, talk, answer a question with a button, with the keyboard alone where
// a person would. Screenshots go to the folder that CSM_SCREENSHOTS names.
import type { Browser, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchChromium, shoot } from '../support/chromium.ts';
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts';

const test = suite<{ environment: TestEnvironment; browser: Browser; page: Page }>('page');

test.before(async (context) => {
  context.environment = await startTestEnvironment();
  context.browser = await launchChromium();
  context.page = await context.browser.newPage({ viewport: { width: 1280, height: 900 } });
  context.page.setDefaultTimeout(45_000);
});

test.after(async (context) => {
  await context.browser?.close();
  await context.environment?.stop();
});

async function type(page: Page, where: string, text: string): Promise<void> {
  const box = page.locator(`${where} textarea`).last();
  await box.fill(text);
  await box.press('Enter');
}

test('a person starts a session, talks to the agent and answers its question with a button', async ({
  environment,
  page,
}) => {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  await page.goto(environment.pageUrl);
  await page.locator('#channels >> text=Lobby').click();
  await type(page, '#channel', '@claude start demo');
  await page.locator('#timeline button', { hasText: /repl/i }).first().click();
  const link = page.locator('#replies a[href*="/pl/"]').first();
  await link.waitFor();
  await shoot(page, 'started');
  await link.click();
  await page.locator('#replies', { hasText: 'Ready on' }).waitFor();

  await type(page, '#thread', 'create poem.txt with the words "amber tide", then run: cat poem.txt');
  await page.locator('#replies', { hasText: 'amber tide' }).waitFor();
  await shoot(page, 'answered');

  await type(page, '#thread', 'ask Which season? Spring or Autumn');
  const button = page.locator('#replies button', { hasText: 'Autumn' });
  await button.waitFor();
  await shoot(page, 'question');
  await button.click();
  await page.locator('#replies', { hasText: /answered|Answered/ }).waitFor();
  await button.waitFor({ state: 'detached' });
  await shoot(page, 'decided');

  await page.setViewportSize({ width: 390, height: 800 });
  await shoot(page, 'narrow');
  const overflow = await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');
  assert.is(overflow, false, 'the page scrolls sideways on a narrow screen');
  assert.equal(problems, []);
});

test('without its token the page is refused', async ({ environment, page }) => {
  const answer = await page.goto(environment.chat.url);
  assert.is(answer?.status(), 403);
});

test.run();
