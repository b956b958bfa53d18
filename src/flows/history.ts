/** What was said before a session's agent could hear it, from what is stored and from the thread it began in. */
import type { Runtime, StorePorts } from '../actors/index.ts';
import type { ChatPost, MattermostRest } from '../adapters/mattermost/index.ts';
import { afterTrigger } from '../chat/commands.ts';
import { type Quoted, quoteHistory, type Speech, speechesIn } from '../chat/history.ts';
import { readEntry } from '../chat/transcript.ts';
import type { Address } from '../machines/addresses.ts';
import type { SessionContext } from '../machines/session/context.ts';
import type { Posting } from './posting.ts';

export interface HistoryPorts {
  readonly store: Pick<StorePorts, 'readTranscript'>;
  readonly runtime: Pick<Runtime, 'read'>;
  readonly rest: Pick<MattermostRest, 'threadBefore' | 'usersByIds'>;
  readonly posting: Pick<Posting, 'call'>;
  readonly botUserId: string;
  readonly trigger: string;
}

export type HistoryOf = (session: Address, of: 'lost' | 'thread') => Promise<Quoted>;

export function createHistory(ports: HistoryPorts): HistoryOf {
  return async (session, of) => {
    const view = await ports.runtime.read(session);
    const context = view?.context as SessionContext | undefined;
    const began = context && context.request.askedIn.rootId !== '' ? context : undefined;
    if (of === 'thread') return began ? ofThread(ports, began) : quoteHistory([]);
    const entries = (await ports.store.readTranscript(session)).flatMap((row) => readEntry(row) ?? []);
    const said = speechesIn(entries);
    if (!began || entries.some(({ kind }) => kind === 'cleared')) return quoteHistory(said);
    const before = await readThread(ports, began);
    return quoteHistory([...before.said, ...said], before.isAll);
  };
}

async function ofThread(ports: HistoryPorts, context: SessionContext): Promise<Quoted> {
  const { said, isAll } = await readThread(ports, context);
  return quoteHistory(said, isAll);
}

/** What stood in the thread before the command that began the session: two requests, however long the thread is. */
async function readThread(
  { rest, posting, botUserId, trigger }: HistoryPorts,
  { request: { askedIn, askedBy }, createdAt }: SessionContext,
): Promise<{ readonly said: readonly Speech[]; readonly isAll: boolean }> {
  const page = await posting.call('question', () =>
    rest.threadBefore(askedIn.rootId, { id: askedBy, createAt: createdAt }),
  );
  const posts = page.posts.filter(
    ({ type, userId, message }) => type === '' && userId !== botUserId && afterTrigger(message, trigger) === null,
  );
  const ids = [...new Set(posts.map(({ userId }) => userId))];
  const users = ids.length === 0 ? [] : await posting.call('question', () => rest.usersByIds(ids));
  const names = new Map(users.map(({ id, username }) => [id, username]));
  const said = posts.map((post) => ({ speaker: names.get(post.userId) ?? 'somebody', text: textOf(post) }));
  return { said: said.filter(({ text }) => text !== ''), isAll: !page.hasNext };
}

/** Its cards and files too: an alert often has no other text. */
function textOf({ message, cards, fileIds }: ChatPost): string {
  const files =
    fileIds.length === 0 ? '' : `(${fileIds.length === 1 ? 'a file is' : `${fileIds.length} files are`} attached)`;
  return [message.trim(), cards, files].filter((part) => part !== '').join('\n');
}
