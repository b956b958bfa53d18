// Whose words are in an export: those in the session's thread, and those at top level of its channel.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { orderKeyOf } from '../../src/actors/effectPolicy.ts';
import { type ActorView, type StoredOutput, silentLog } from '../../src/actors/index.ts';
import type { ChatPost } from '../../src/adapters/mattermost/index.ts';
import { createMask } from '../../src/chat/masking.ts';
import { type ExportPorts, exportHandlers } from '../../src/flows/exports.ts';
import { until } from '../actors/support.ts';

const SESSION = 'session/abcdefgh' as const;
const heard = (id: number, postId: string): StoredOutput => {
  const fields = { id, logId: 'notes', seq: id, firstSeq: id, at: id };
  return { ...fields, kind: 'heard', body: { postId, author: 'ann', authorId: 'u', text: 'as it was heard' } };
};

function post(id: string, message: string, changes: Partial<ChatPost> = {}): ChatPost {
  const times = { createAt: 1, updateAt: 1, editAt: 0, deleteAt: 0 };
  const place = { channelId: 'c', rootId: 'r', userId: 'u', type: '', fileIds: [], cards: '', automated: false };
  return { id, message, ...place, ...times, key: undefined, ...changes };
}

const CONTEXT = {
  channelId: 'c',
  rootId: 'r',
  title: '',
  branch: 'main',
  createdAt: 1,
  cwd: '/w',
  usage: { costUsd: 0 },
  request: { repo: { repo: 'acme/shop' }, owner: { name: 'ann' } },
};
const view = async () => ({ context: CONTEXT }) as unknown as ActorView;
const place = { channelId: 'c', rootId: 'r' };
const params = { session: SESSION, format: 'md', place, replyTo: 'p' } as const;
const request = { key: 'k', actor: SESSION, kind: 'chat.export', deadline: 0, attempt: 1, params } as const;

test('what was said to the session at top level of its channel is in it; what was deleted, or said elsewhere, is not', async () => {
  const asked: string[] = [];
  let file = '';
  const elsewhere = [
    post('top', 'said at top level', { rootId: '' }),
    post('other', 'said in another channel', { channelId: 'd' }),
  ];
  const ports: Partial<ExportPorts> = {
    runtime: { read: view },
    store: { readTranscript: async () => ['in', 'top', 'gone', 'other'].map((id, index) => heard(index + 1, id)) },
    rest: {
      thread: async () => [post('in', 'said in the thread')],
      async getPost(id) {
        asked.push(id);
        return elsewhere.find((each) => each.id === id);
      },
      usersByIds: async () => [{ id: 'u', username: 'ann', isBot: false, active: true }],
      async uploadFile({ bytes, name }) {
        file = Buffer.from(bytes).toString();
        return { id: 'f', name, size: bytes.length, mimeType: 'text/markdown', postId: '' };
      },
    },
    posting: { create: async () => '', call: (_priority, work) => work() },
    reply: async () => undefined,
    mask: createMask(),
    now: () => 5,
  };
  const { 'chat.export': handler } = exportHandlers(ports as ExportPorts);
  await handler(request, { signal: new AbortController().signal, log: silentLog });
  assert.equal(asked, ['top', 'gone', 'other']);
  assert.match(file, /said in the thread[\s\S]*said at top level/);
  assert.not.match(file, /another channel|as it was heard/);
});

test('an attempt that is cut off asks for nothing more, and the next one only for what is not known yet', async () => {
  const asked: string[] = [];
  const heardIds = Array.from({ length: 60 }, (_, index) => `p${index}`);
  let budget = 20;
  let waiting = 0;
  let most = 0;
  let file = '';
  const ports: Partial<ExportPorts> = {
    runtime: { read: view },
    store: { readTranscript: async () => heardIds.map((id, index) => heard(index + 1, id)) },
    rest: {
      thread: async () => [post('in', 'said in the thread')],
      async getPost(id) {
        asked.push(id);
        return post(id, `words of ${id}`, { rootId: '' });
      },
      usersByIds: async () => [{ id: 'u', username: 'ann', isBot: false, active: true }],
      async uploadFile({ bytes, name }) {
        file = Buffer.from(bytes).toString();
        return { id: 'f', name, size: bytes.length, mimeType: 'text/markdown', postId: '' };
      },
    },
    posting: {
      create: async () => '',
      async call(_priority, work, signal) {
        waiting += 1;
        most = Math.max(most, waiting);
        try {
          if (budget === 0)
            await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
          budget -= 1;
          return await work();
        } finally {
          waiting -= 1;
        }
      },
    },
    reply: async () => undefined,
    mask: createMask(),
    now: () => 5,
  };
  const { 'chat.export': handler } = exportHandlers(ports as ExportPorts);
  const attempt = new AbortController();
  const first = handler(request, { signal: attempt.signal, log: silentLog });
  await until('the budget is spent', () => budget === 0 && waiting > 0);
  attempt.abort(new Error('it took too long'));
  assert.is(await first.catch((error: Error) => error.message), 'it took too long');
  assert.is(waiting, 0, 'nothing waits for an attempt that is over');
  assert.ok(most <= 4, `${most} at once`);
  const known = asked.length;
  budget = 1000;
  await handler(request, { signal: new AbortController().signal, log: silentLog });
  assert.ok(known > 10);
  assert.equal(asked, heardIds, 'each is asked for once');
  for (const id of heardIds) assert.match(file, `words of ${id}`);
});

test('an export that takes long holds up no other answer in its thread', () => {
  const reply = { kind: 'chat.reply', params: { place, replyTo: 'p', message: 'hello' } } as const;
  assert.is.not(orderKeyOf(SESSION, { kind: 'chat.export', params }), orderKeyOf(SESSION, reply));
});

test.run();
