// What threads hear of a step: its news, not too often, and that the VM is away.
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../../src/actors/index.ts';
import { createNews, withNews } from '../../../src/flows/vmWorkspace/news.ts';
import { until } from '../../support/sshd.ts';

test('the first sentence is told, then the last of each while, and none twice in a row', async () => {
  const told: string[] = [];
  const news = createNews((sentence) => told.push(sentence), Date.now, 200);
  news.say('one');
  await until('it is told', () => told.length === 1);
  for (let index = 0; index < 50; index += 1) news.say(`step ${index}`);
  news.say('two');
  await until('the next is told', () => told.length === 2);
  news.say('two');
  news.say('three');
  await until('the last is told', () => told.length === 3);
  news.end();
  assert.equal(told, ['one', 'two', 'three']);
});

test('a step that ends takes its unsaid news along', async () => {
  const told: string[] = [];
  const news = createNews((sentence) => told.push(sentence), Date.now, 20);
  news.say('one');
  await until('it is told', () => told.length === 1);
  news.say('two');
  news.end();
  await sleep(60);
  assert.equal(told, ['one']);
});

test('news go to the container that asked, with the generation they are about', async () => {
  const items: unknown[] = [];
  const ports = {
    runtime: {
      read: async () => undefined,
      deliver: async (all: readonly unknown[]) => {
        items.push(...all);
        return all.map(() => 'accepted' as const);
      },
    },
    vmState: () => ({ up: true, since: 0, reason: '' }),
    now: () => 5,
  };
  const asked = { key: 'k', actor: 'container/acme/web@', attempt: 1, params: { generation: 7 } } as const;
  await withNews(ports, asked, { signal: new AbortController().signal, log: silentLog }, async (say) => {
    say('Building.');
    await until('it is told', () => items.length === 1);
  });
  assert.equal(items, [
    {
      to: 'container/acme/web@',
      event: { type: 'STEP.PROGRESS', at: 5, generation: 7, text: 'Building.' },
      dedupKey: 'k/news/1/5/1',
    },
  ]);
});

test.run();
