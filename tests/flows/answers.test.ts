// Which messages of a thread answer what is asked there.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ActorView } from '../../src/actors/index.ts';
import { createAnswers } from '../../src/flows/answers.ts';
import type { Address } from '../../src/machines/addresses.ts';
import type { Verdict } from '../../src/machines/approval/context.ts';
import { request } from '../chat/approvals.ts';

const SESSION = 'session/s' as const;
const CARD_AT = 5_000;
const INPUT = {
  questions: [{ question: 'Which colour?', header: 'Colour', options: [{ label: 'Red' }, { label: 'Blue' }] }],
};

function view(address: Address, value: string, context: object): ActorView {
  return { address, kind: address.split('/')[0], status: 'active', value, context } as ActorView;
}

const runtime = {
  read: async (address: Address) =>
    address === SESSION
      ? view(SESSION, 'active', { open: ['r'], audience: 'everyone' })
      : view(address, 'pending', { kind: 'question', inputJson: JSON.stringify(INPUT), cardPostId: 'card', hosts: [] }),
};

const answers = createAnswers({
  runtime,
  whyNot: async () => undefined,
  mayOpenForGood: ({ id }) => id === 'admin',
  postedAt: async () => CARD_AT,
});

function said(at: number) {
  const prompt = { type: 'PROMPT', at, text: 'Blue', postId: 'p', rootId: 'r', channelId: 'c', userId: 'u' } as const;
  return answers.inWords({
    session: SESSION,
    by: { id: 'u', name: 'ann' },
    prompt: { ...prompt, userName: 'ann', fileIds: [], addressed: false },
  });
}

test('words that come after the card answer it', async () => {
  assert.is((await said(CARD_AT + 1))?.kind, 'decide');
});

test('words that were written before the card stood there are a message: nobody answers what they have not seen', async () => {
  assert.is(await said(CARD_AT - 1), undefined);
});

/** A network card that waits, and what becomes of words and signs there. */
const network = createAnswers({
  runtime: {
    read: async (address: Address) =>
      address === SESSION
        ? view(SESSION, 'active', { open: ['r'], audience: 'everyone' })
        : view(address, 'pending', { ...request('network', { hosts: ['pypi.org'] }), cardPostId: 'card' }),
  },
  whyNot: async () => undefined,
  mayOpenForGood: ({ id }) => id === 'admin',
  postedAt: async () => CARD_AT,
});

const scopeOf = (answered: Awaited<ReturnType<typeof network.inWords>>) =>
  answered?.kind === 'decide' ? ((answered.event.verdict as Verdict).scope ?? 'session') : answered?.kind;

for (const [text, who, scope] of [
  ['approve', 'bob', 'session'],
  ['approve for this repo', 'bob', 'repo'],
  ['approve always', 'bob', 'refuse'],
  ['always allow', 'admin', 'always'],
] as const) {
  test(`to a network card, "${text}" by ${who} is ${scope}`, async () => {
    const from = { at: CARD_AT + 1, postId: 'p', rootId: 'r', channelId: 'c', userId: who, userName: who };
    const prompt = { ...from, type: 'PROMPT', text, fileIds: [], addressed: false } as const;
    assert.is(scopeOf(await network.inWords({ session: SESSION, by: { id: who, name: who }, prompt })), scope);
  });
}

test('a reaction opens for the repository or, by an admin, for good', async () => {
  const sign = async (emoji: string, who: string) =>
    scopeOf(
      await network.bySign('approval/s/r', { postId: 'card', emoji, by: { id: who, name: who }, at: CARD_AT + 1 }),
    );
  assert.is(await sign('white_check_mark', 'bob'), 'session');
  assert.is(await sign('package', 'bob'), 'repo');
  assert.is(await sign('infinity', 'bob'), 'refuse');
  assert.is(await sign('infinity', 'admin'), 'always');
});

test('a card that does not come in time is waited for once, not by every message', async () => {
  let looks = 0;
  let value = 'posting';
  const late = createAnswers({
    runtime: {
      read: async (address: Address) => {
        if (address === SESSION) return view(SESSION, 'active', { open: ['r'], audience: 'everyone' });
        looks += 1;
        return view(address, value, {
          kind: 'question',
          inputJson: JSON.stringify(INPUT),
          cardPostId: 'card',
          hosts: [],
        });
      },
    },
    whyNot: async () => undefined,
    mayOpenForGood: () => false,
    postedAt: async () => CARD_AT,
    patienceMs: 120,
  });
  const from = { at: CARD_AT + 1, postId: 'p', rootId: 'r', channelId: 'c', userId: 'u', userName: 'ann' };
  const prompt = { ...from, type: 'PROMPT', text: 'Blue', fileIds: [], addressed: false } as const;
  const say = () => late.inWords({ session: SESSION, by: { id: 'u', name: 'ann' }, prompt });
  assert.is(await say(), undefined);
  assert.ok(looks > 1, 'the first one waits');
  looks = 0;
  await say();
  assert.is(looks, 1);
  value = 'pending';
  assert.is((await say())?.kind, 'decide');
  value = 'posting';
  looks = 0;
  await say();
  assert.ok(looks > 1, 'a new card is waited for again');
});

test('a reaction and words that wait for the same card wait for it together, so that the later one has not the longer patience', async () => {
  let reading = 0;
  let most = 0;
  let looks = 0;
  const waiting = createAnswers({
    runtime: {
      async read(address: Address) {
        if (address === SESSION) return view(SESSION, 'active', { open: ['r'], audience: 'everyone' });
        reading += 1;
        most = Math.max(most, reading);
        for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        reading -= 1;
        looks += 1;
        const value = looks < 3 ? 'posting' : 'pending';
        return view(address, value, {
          kind: 'question',
          inputJson: JSON.stringify(INPUT),
          cardPostId: 'card',
          hosts: [],
        });
      },
    },
    whyNot: async () => undefined,
    mayOpenForGood: () => false,
    postedAt: async () => CARD_AT,
  });
  const ann = { id: 'u', name: 'ann' };
  const from = { at: CARD_AT + 1, postId: 'p', rootId: 'r', channelId: 'c', userId: 'u', userName: 'ann' };
  const prompt = { ...from, type: 'PROMPT', text: 'Blue', fileIds: [], addressed: false } as const;
  const answered = await Promise.all([
    waiting.bySign('approval/s/r', { postId: 'card', emoji: 'one', by: ann, at: CARD_AT }),
    waiting.inWords({ session: SESSION, by: ann, prompt }),
  ]);
  assert.equal(
    answered.map((each) => each?.kind),
    ['decide', 'decide'],
  );
  assert.is(most, 1);
});

test('of cards that never came only the latest are remembered', async () => {
  let looks = 0;
  const never = createAnswers({
    runtime: {
      async read(address: Address) {
        looks += 1;
        return view(address, 'posting', {
          kind: 'question',
          inputJson: JSON.stringify(INPUT),
          cardPostId: '',
          hosts: [],
        });
      },
    },
    whyNot: async () => undefined,
    mayOpenForGood: () => false,
    postedAt: async () => CARD_AT,
    patienceMs: 1,
  });
  const looksAt = async (id: number): Promise<number> => {
    looks = 0;
    await never.bySign(`approval/s/r${id}`, { postId: 'card', emoji: 'one', by: { id: 'u', name: 'ann' }, at: 1 });
    return looks;
  };
  await Promise.all(Array.from({ length: 1000 }, (_, id) => looksAt(id)));
  assert.is(await looksAt(999), 1);
  assert.ok((await looksAt(0)) > 1, 'the first one is remembered for ever');
});

test.run();
