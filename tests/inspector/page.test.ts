// @limit 240
// The page in a real browser, over faked data: signing in, operator actions and what comes of them, long lists, and what it
// says when something is missing or broken. tests/e2e/inspector.test.ts has it on a running system.
import type { Browser, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { OperatorRequest, OperatorResult } from '../../src/actors/operator.ts';
import { type Inspector, startInspector } from '../../src/inspector/index.ts';
import type { ActorDetail, ActorLine, InspectorStore, Letter } from '../../src/inspector/ports.ts';
import type { Address } from '../../src/machines/addresses.ts';
import { launchChromium, scrollsSideways, shoot, watchProblems } from '../support/chromium.ts';

const test = suite<{ browser: Browser }>('page of the inspector');

const TOKEN = 'a token of more than 16 characters';
const AT = 1_700_000_000_000;

let open: { close(): Promise<void> }[] = [];
test.before(async (context) => {
  context.browser = await launchChromium();
});
test.after((context) => context.browser?.close());
test.after.each(async () => {
  for (const part of open.reverse()) await part.close();
  open = [];
});

interface World {
  actors: ActorLine[];
  letters: Letter[];
  broken: boolean;
  readonly asked: OperatorRequest[];
  result: OperatorResult;
}

function world(): World {
  return { actors: [], letters: [], broken: false, asked: [], result: { result: 'done', reason: '' } };
}

function line(address: Address, fields: Partial<ActorLine> = {}): ActorLine {
  return {
    address,
    kind: 'approval',
    status: 'active',
    rev: 3,
    value: 'pending',
    failures: 0,
    wakeAt: undefined,
    updatedAt: AT,
    inbox: 0,
    letters: 0,
    busy: false,
    ...fields,
  };
}

function letter(id: number, address: Address): Letter {
  const event = { type: 'DECIDE', at: AT, verdict: null };
  return { id, address, reason: 'poison', event, cause: 'post/1', error: 'verdict is null', at: AT };
}

function storeOf(it: World): InspectorStore {
  const detail = (found: ActorLine): ActorDetail => {
    const envelope = { version: 1, snapshot: { value: found.value, context: { kind: 'tool' } }, timers: {}, tasks: {} };
    return { ...found, version: 1, term: 1, parent: 'session/a', createdAt: AT, envelope };
  };
  return {
    overview: async () => {
      if (it.broken) throw new Error('down');
      const parked = it.actors.filter(({ status }) => status === 'parked').length;
      const counts = [{ kind: 'approval', status: 'parked', count: parked } as const];
      return { now: Date.now(), term: 1, holder: 'here', leaderSince: AT, counts, letters: it.letters.length };
    },
    actors: async ({ before, limit, search }) => {
      if (it.broken) throw new Error('down');
      const from = before === undefined ? 0 : it.actors.findIndex(({ address }) => address === before.address) + 1;
      return it.actors.filter(({ address }) => address.includes(search)).slice(from, from + limit);
    },
    actor: async (address) => it.actors.filter((found) => found.address === address).map(detail)[0],
    inbox: async () => [],
    effects: async () => [],
    journal: async () => [],
    revision: async () => undefined,
    letters: async (address) => it.letters.filter((found) => address === undefined || found.address === address),
    changes: async (mark) => ({ mark, actors: [] }),
  };
}

async function start(
  it: World,
  options: { token?: string; allowSend?: boolean; port?: number } = {},
): Promise<Inspector> {
  const inspector = await startInspector({
    listen: { host: '127.0.0.1', port: options.port ?? 0 },
    token: options.token,
    allowSend: options.allowSend ?? true,
    secrets: [],
    version: '1',
    store: storeOf(it),
    runtime: {
      onCommit: () => () => {},
      stats: () => ({ leading: true, pendingEvents: 0, pendingEffects: 0, runningEffects: 0, runningTasks: 0 }),
      async operate(wish) {
        it.asked.push(wish);
        if (it.result.result === 'done' && wish.letter !== undefined) {
          it.letters = it.letters.filter(({ id }) => id !== wish.letter);
        }
        if (it.result.result === 'done' && wish.letter === undefined) {
          it.actors = it.actors.map((found) => ({ ...found, status: 'active', updatedAt: found.updatedAt + 1 }));
        }
        return it.result;
      },
    },
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
  open.push(inspector);
  return inspector;
}

async function visit(browser: Browser, url: string): Promise<{ page: Page; problems: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  open.push(context);
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const problems = watchProblems(page);
  await page.goto(url);
  return { page, problems };
}

test('the token opens it, once; then the cookie does', async ({ browser }) => {
  const { address } = await start(world(), { token: TOKEN });
  const { page, problems } = await visit(browser, address);
  await page.locator('.login input').fill('wrong');
  await page.keyboard.press('Enter');
  await page.locator('.login .note.bad').waitFor();
  await shoot(page, 'login');
  await page.locator('.login input').fill(TOKEN);
  await page.keyboard.press('Enter');
  await page.locator('.connection.live').waitFor();
  await page.reload();
  await page.locator('.connection.live').waitFor();
  assert.equal(problems, []);
});

test('a link with the token opens it and leaves no token in the address', async ({ browser }) => {
  const { address } = await start(world(), { token: TOKEN });
  const { page } = await visit(browser, `${address}/?token=${encodeURIComponent(TOKEN)}#/letters`);
  await page.locator('.connection.live').waitFor();
  assert.is(page.url(), `${address}/#/letters`);
});

test('a parked actor is resumed after a question, and the outcome is shown', async ({ browser }) => {
  const it = world();
  it.actors = [line('approval/a/1', { status: 'parked', failures: 4 })];
  const { address } = await start(it);
  const { page, problems } = await visit(browser, `${address}/#/actor/approval%2Fa%2F1`);
  await page.locator('.head .acts button', { hasText: 'Retry' }).click();
  await page.locator('dialog[open]', { hasText: 'approval/a/1' }).waitFor();
  await shoot(page, 'confirm');
  await page.keyboard.press('Escape');
  await page.locator('dialog[open]').waitFor({ state: 'detached' });
  assert.equal(it.asked, []);
  await page.locator('.head .acts button', { hasText: 'Retry' }).click();
  await page.locator('dialog .primary').click();
  await page.locator('.toast.good', { hasText: 'done' }).waitFor();
  await page.locator('.head .status.active').waitFor();
  assert.equal(it.asked, [{ action: 'retry', address: 'approval/a/1', by: 'inspector from 127.0.0.1' }]);
  assert.equal(problems, []);
});

test('what is refused, or takes longer, is said with its reason', async ({ browser }) => {
  const it = world();
  it.actors = [line('approval/a/1', { status: 'parked' })];
  const { address } = await start(it);
  const { page } = await visit(browser, `${address}/#/actor/approval%2Fa%2F1`);
  for (const [result, tone] of [
    ['refused', 'bad'],
    ['timeout', 'warn'],
  ] as const) {
    it.result = { result, reason: 'because of the weather' };
    await page.locator('.head .acts button', { hasText: 'Skip' }).click();
    await page.locator('dialog .primary').click();
    await page.locator(`.toast.${tone}`, { hasText: 'because of the weather' }).waitFor();
  }
});

test('a dead letter is replayed and goes from the list', async ({ browser }) => {
  const it = world();
  it.actors = [line('approval/a/1', { letters: 2 })];
  it.letters = [letter(12, 'approval/a/1'), letter(11, 'approval/a/1')];
  const { address } = await start(it);
  const { page } = await visit(browser, `${address}/#/letters`);
  await page.locator('.letter').nth(1).waitFor();
  await page.locator('.letter summary').first().click();
  await shoot(page, 'letters');
  await page.locator('.letter', { hasText: 'DECIDE' }).first().locator('button', { hasText: 'Replay' }).click();
  await page.locator('dialog .primary').click();
  await page.locator('.letter').nth(1).waitFor({ state: 'detached' });
  assert.equal(it.asked, [{ action: 'retry', address: 'approval/a/1', letter: 12, by: 'inspector from 127.0.0.1' }]);
  await page.locator('.letter button', { hasText: 'Skip' }).click();
  await page.locator('dialog .primary').click();
  await page.locator('main .note', { hasText: 'No dead letters' }).waitFor();
});

test('read-only: the actions are there but do nothing, and say how to allow them', async ({ browser }) => {
  const it = world();
  it.actors = [line('approval/a/1', { status: 'parked' })];
  const { address } = await start(it, { allowSend: false });
  const { page } = await visit(browser, `${address}/#/actor/approval%2Fa%2F1`);
  const button = page.locator('.head .acts button', { hasText: 'Retry' });
  await button.waitFor();
  assert.is(await button.isDisabled(), true);
  assert.match((await button.getAttribute('title')) ?? '', /SM_INSPECTOR_ALLOW_SEND/);
});

test('a long list comes in pages', async ({ browser }) => {
  const it = world();
  it.actors = Array.from({ length: 150 }, (_, n) => line(`approval/a/${n}`, { updatedAt: AT - n }));
  const { address } = await start(it);
  const { page } = await visit(browser, address);
  const rows = page.locator('.row');
  await rows.nth(59).waitFor();
  assert.is(await rows.count(), 60);
  await page.locator('.list .more').click();
  await rows.nth(119).waitFor();
  await page.locator('.list .more').click();
  await rows.nth(149).waitFor();
  assert.is(await page.locator('.list .more').count(), 0);
});

test('nothing there, nobody there, and a broken database are each said in words', async ({ browser }) => {
  const it = world();
  const { address } = await start(it);
  const { page } = await visit(browser, address);
  await page.locator('.list .note', { hasText: 'There are no actors yet' }).waitFor();
  await page.goto(`${address}/#/actor/session%2Fnobody`);
  await page.locator('main .note.bad', { hasText: 'There is no actor session/nobody' }).waitFor();
  it.broken = true;
  await page.goto('about:blank');
  await page.goto(address);
  await page.locator('.list .note.bad', { hasText: 'database' }).waitFor();
});

test('a lost connection is shown, and the page comes back by itself', async ({ browser }) => {
  const it = world();
  const first = await start(it);
  const { page } = await visit(browser, first.address);
  await page.locator('.connection.live').waitFor();
  await first.close();
  await page.locator('.connection.lost').waitFor();
  await shoot(page, 'lost');
  it.actors = [line('approval/a/1')];
  await start(it, { port: Number(new URL(first.address).port) });
  await page.locator('.connection.live').waitFor();
  await page.locator('.row').waitFor();
});

test('in the dark and on a narrow screen it holds together', async ({ browser }) => {
  const it = world();
  it.actors = [line('approval/a/1', { status: 'parked', failures: 4, letters: 1, inbox: 3 }), line('approval/a/2')];
  it.letters = [letter(12, 'approval/a/1')];
  const { address } = await start(it);
  const { page } = await visit(browser, `${address}/#/actor/approval%2Fa%2F1`);
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.locator('[data-node="approval.pending"].active').waitFor();
  await shoot(page, 'dark');
  await page.setViewportSize({ width: 390, height: 844 });
  for (const hash of ['#/', '#/letters', '#/actor/approval%2Fa%2F1']) {
    await page.goto(`${address}/${hash}`);
    await page.locator('main > *').first().waitFor();
    await shoot(page, `dark-narrow-${hash.slice(2, 5)}`);
    assert.is(await scrollsSideways(page), false, hash);
  }
});

test.run();
