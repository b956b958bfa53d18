// Files of people's messages that cannot be passed on: it is said at once, and nobody waits behind them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { failureOf, silentLog, TerminalError } from '../../src/actors/index.ts';
import { ChatError } from '../../src/adapters/mattermost/index.ts';
import { type WorkerRequestPorts, workerHandlers } from '../../src/adapters/worker/requests.ts';
import { fetchAttachment } from '../../src/flows/attachments.ts';

const live = new AbortController().signal;
const rest = (error: Error) => ({ within: () => ({ fileInfo: () => Promise.reject(error) }) }) as never;
const chatError = (code: 'CHAT_NOT_FOUND' | 'CHAT_SERVER' | 'CHAT_TOKEN', retryable: boolean) =>
  new ChatError({ code, message: code, retryable, status: 0 });

test('a file that Mattermost refuses for good is said to be missing; what may pass is tried again', async () => {
  const fetched = (error: Error) => fetchAttachment(rest(error), 'f', live).catch((caught: unknown) => caught);
  const gone = await fetched(chatError('CHAT_NOT_FOUND', false));
  assert.instance(gone, TerminalError);
  assert.match(failureOf(gone).human, /cannot be fetched .* Send it again/);
  for (const error of [chatError('CHAT_SERVER', true), chatError('CHAT_TOKEN', false)]) {
    assert.is(await fetched(error), error);
  }
});

test('files that are too large together never reach the stream, which they would end', async () => {
  let asked = 0;
  const ports = {
    registry: {
      request: async () => {
        asked += 1;
      },
    },
    fetchFile: async () => ({ name: 'a.png', mediaType: 'image/png', content: Buffer.alloc(4 * 1024 ** 2) }),
    mayCost: async () => undefined,
  } as unknown as WorkerRequestPorts;
  const prompt = (count: number) => {
    const params = { session: 'session/s', inputId: 'p', text: '', author: '', authorId: '', notice: '', steer: false };
    const files = Array.from({ length: count }, (_, index) => `f${index}`);
    const request = { params: { ...params, files }, attempt: 1 } as never;
    return Promise.resolve(workerHandlers(ports)['worker.prompt'](request, { signal: live, log: silentLog } as never));
  };
  await prompt(3);
  assert.is(asked, 1);
  const refused = await prompt(4).catch((error: unknown) => error);
  assert.is(failureOf(refused).code, 'FILES_TOO_BIG');
  assert.is(asked, 1);
});

test.run();
