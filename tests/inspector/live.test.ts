// The stream of changes: a leader tells of its commits at once, a standby finds them in the database.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CommitNotice } from '../../src/actors/types.ts';
import { type Inspector, startInspector } from '../../src/inspector/index.ts';
import type { Changes, InspectorStore } from '../../src/inspector/ports.ts';

const test = suite('live changes');

let open: { close(): Promise<void> }[] = [];
test.after.each(async () => {
  for (const part of open.reverse()) await part.close();
  open = [];
});

async function start({ leading = true, changes = [] as Changes[] } = {}) {
  let tell: (notice: CommitNotice) => void = () => {};
  const none = async () => [];
  const store: InspectorStore = {
    overview: () => Promise.reject(new Error('not asked')),
    actors: none,
    actor: async () => undefined,
    inbox: none,
    effects: none,
    journal: none,
    revision: async () => undefined,
    letters: none,
    changes: async (mark) => changes.shift() ?? { mark, actors: [] },
  };
  const inspector: Inspector = await startInspector({
    listen: { host: '127.0.0.1', port: 0 },
    token: undefined,
    allowSend: false,
    secrets: ['a known secret'],
    version: '1',
    store,
    runtime: {
      onCommit(listener) {
        tell = listener;
        return () => {};
      },
      stats: () => ({ leading, pendingEvents: 0, pendingEffects: 0, runningEffects: 0, runningTasks: 0 }),
      operate: async () => ({ result: 'refused', reason: '' }),
    },
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
  open.push(inspector);
  const stream = await listen(inspector.address);
  return { tell: (notice: CommitNotice) => tell(notice), stream, inspector };
}

/** Reads events of the stream one after the other. */
async function listen(address: string) {
  const stop = new AbortController();
  const answer = await fetch(`${address}/api/events`, { signal: stop.signal });
  assert.is(answer.headers.get('content-type'), 'text/event-stream');
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  open.push({ close: async () => stop.abort() });
  let text = '';
  return {
    async next(event: string): Promise<unknown> {
      for (;;) {
        const found = new RegExp(`event: ${event}\ndata: (.*)\n\n`).exec(text);
        if (found !== null) {
          text = text.slice(found.index + found[0].length);
          return JSON.parse(found[1] ?? '');
        }
        const part = await reader?.read();
        if (part === undefined || part.done) return undefined;
        text += part.value;
      }
    },
  };
}

function notice(rev: number, to: string): CommitNotice {
  return {
    address: 'session/a',
    event: { type: 'a known secret', at: 1 },
    from: undefined,
    to,
    rev,
    status: 'active',
    effects: [],
  };
}

test('commits of one moment are told together, the newest of each actor, without secrets', async () => {
  const { tell, stream } = await start();
  assert.ok(await stream.next('pulse'));
  tell(notice(1, 'one'));
  tell(notice(2, 'two'));
  tell({ ...notice(1, 'x'), address: 'session/b' });
  const told = (await stream.next('changes')) as { address: string; rev: number; value: string; event: string }[];
  assert.equal(
    told.map(({ address, rev, value, event }) => [address, rev, value, event]),
    [
      ['session/a', 2, 'two', '[redacted]'],
      ['session/b', 1, 'x', '[redacted]'],
    ],
  );
});

test('a standby tells what others committed, each revision once', async () => {
  const page = (rev: number): Changes => ({ mark: { at: rev, letter: 0 }, actors: [{ address: 'session/a', rev }] });
  // The first look only learns where things stand.
  const { stream } = await start({ leading: false, changes: [page(1), page(1), page(2)] });
  assert.equal(await stream.next('changes'), [{ address: 'session/a', rev: 2 }]);
});

test('closing ends the streams', async () => {
  const { stream, inspector } = await start();
  await stream.next('pulse');
  await inspector.close();
  assert.is(await stream.next('changes'), undefined);
});

test.run();
