// Whose words are in an export: those in the session's thread, and those at top level of its channel.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ActorView, StoredOutput } from '../../src/actors/index.ts';
import type { ChatPost } from '../../src/adapters/mattermost/index.ts';
import { createMask } from '../../src/chat/masking.ts';
import { type ExportPorts, exportHandlers } from '../../src/flows/exports.ts';

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

test('what was said to the session at top level of its channel is in it; what was deleted, or said elsewhere, is not', async () => {
  const asked: string[] = [];
  let file = '';
  const elsewhere = [
    post('top', 'said at top level', { rootId: '' }),
    post('other', 'said in another channel', { channelId: 'd' }),
  ];
  const context = {
    channelId: 'c',
    rootId: 'r',
    title: '',
    branch: 'main',
    createdAt: 1,
    cwd: '/w',
    usage: { costUsd: 0 },
    request: { repo: { repo: 'acme/shop' }, owner: { name: 'ann' } },
  };
  const ports: Partial<ExportPorts> = {
    runtime: { read: async () => ({ context }) as unknown as ActorView },
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
  const place = { channelId: 'c', rootId: 'r' };
  const params = { session: SESSION, format: 'md', place, replyTo: 'p' } as const;
  const request = { key: 'k', actor: SESSION, kind: 'chat.export', deadline: 0, attempt: 1, params } as const;
  const { 'chat.export': handler } = exportHandlers(ports as ExportPorts);
  await handler(request);
  assert.equal(asked, ['top', 'gone', 'other']);
  assert.match(file, /said in the thread[\s\S]*said at top level/);
  assert.not.match(file, /another channel|as it was heard/);
});

test.run();
