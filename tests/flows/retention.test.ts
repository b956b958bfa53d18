import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Pruned, silentLog } from '../../src/actors/index.ts';
import { DEFAULT_RETENTION } from '../../src/adapters/postgres/index.ts';
import { keepTidy } from '../../src/flows/retention.ts';

const NOTHING = { inbox: 0, effect: 0, dead_letter: 0, journal: 0, transcript: 0, chat_post: 0 };

test('a round goes on until nothing is left; a failed one is tried again; none runs after the lead has ended', async () => {
  const over = new AbortController();
  const answers: (Pruned | Error)[] = [
    { deleted: { ...NOTHING, inbox: 500 }, next: { after: '', walked: false } },
    { deleted: { ...NOTHING, inbox: 20, journal: 3 }, next: { after: 'session/x', walked: false } },
    new Error('the database is away'),
    { deleted: NOTHING, next: { after: 'session/y', walked: true } },
    { deleted: NOTHING, next: undefined },
  ];
  const from: unknown[] = [];
  await keepTidy(
    {
      store: {
        async prune(_retention, cursor) {
          from.push(cursor?.after);
          const answer = answers.shift();
          if (answers.length === 0) over.abort();
          if (answer === undefined || answer instanceof Error) throw answer ?? new Error('asked too often');
          return answer;
        },
      },
      retention: DEFAULT_RETENTION,
      log: silentLog,
      everyMs: 1,
      breathMs: 1,
    },
    over.signal,
  );
  assert.equal(from, [undefined, '', 'session/x', undefined, 'session/y']);
});

test.run();
