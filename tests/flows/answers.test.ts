// Which messages of a thread answer what is asked there.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ActorView } from '../../src/actors/index.ts';
import { createAnswers } from '../../src/flows/answers.ts';
import type { Address } from '../../src/machines/addresses.ts';

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

const answers = createAnswers({ runtime, whyNot: async () => undefined, postedAt: async () => CARD_AT });

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

test.run();
