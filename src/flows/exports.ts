/** `export`: what was said in a session as a file, people's words from the thread, the agent's from the transcript. */
import type { EffectHandlers, Runtime, StorePorts } from '../actors/index.ts';
import type { ChatPost, MattermostRest } from '../adapters/mattermost/index.ts';
import { exportFile, type SaidByPerson } from '../chat/exported.ts';
import type { Mask } from '../chat/masking.ts';
import { bytes } from '../chat/render/lines.ts';
import { maskedEntry } from '../chat/render/masked.ts';
import { readEntry } from '../chat/transcript.ts';
import { keyOf } from '../machines/addresses.ts';
import type { SessionContext } from '../machines/session/context.ts';
import type { Posting } from './posting.ts';
import type { Reply } from './reply.ts';

export interface ExportPorts {
  readonly runtime: Pick<Runtime, 'read'>;
  readonly store: Pick<StorePorts, 'readTranscript'>;
  readonly rest: Pick<MattermostRest, 'thread' | 'getPost' | 'usersByIds' | 'uploadFile'>;
  readonly posting: Posting;
  readonly reply: Reply;
  readonly mask: Mask;
  readonly now: () => number;
}

/** Each is a request of its own, so a few at a time: what others wait for goes between them. */
const MOST_ELSEWHERE = 100;
const AT_ONCE = 4;
/** So many exports that were broken off are remembered at most, with what they know. */
const MOST_BEGUN = 16;

/** Posts by their ids; undefined: there is none (any more). */
type Known = Map<string, ChatPost | undefined>;

interface Attempt {
  /** Of the effect. */
  readonly key: string;
  /** Aborted when the attempt is over: what it still waits for is not asked. */
  readonly signal: AbortSignal;
}

export function exportHandlers(ports: ExportPorts) {
  const { runtime, store, rest, posting, reply, mask } = ports;

  /** What an attempt has read the next one need not ask for again, or an export that takes long would never be done. */
  const begun = new Map<string, Known>();
  const knownTo = (key: string): Known => {
    const known: Known = begun.get(key) ?? new Map();
    begun.set(key, known);
    const [oldest] = begun.keys();
    if (oldest !== undefined && begun.size > MOST_BEGUN) begun.delete(oldest);
    return known;
  };

  /** What stands at top level of the channel, where a session is spoken to as well. */
  const saidElsewhere = async (
    channelId: string,
    ids: readonly string[],
    { key, signal }: Attempt,
  ): Promise<ChatPost[]> => {
    const known = knownTo(key);
    const left = ids.filter((id) => !known.has(id));
    const readOn = async (): Promise<void> => {
      for (let id = left.shift(); id !== undefined; id = left.shift()) {
        const asked = id;
        try {
          known.set(asked, await posting.call('question', () => rest.getPost(asked), signal));
        } catch (error) {
          left.length = 0;
          throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, readOn));
    const posts = ids.map((id) => known.get(id));
    return posts.flatMap((post) => (post?.channelId === channelId && post.deleteAt === 0 ? [post] : []));
  };

  /** @param heard posts that the session has heard */
  const saidIn = async (
    { channelId, rootId }: SessionContext,
    heard: readonly string[],
    attempt: Attempt,
  ): Promise<Map<string, SaidByPerson>> => {
    const { signal } = attempt;
    const thread = await posting.call('final', () => rest.thread(rootId), signal);
    const known = new Set(thread.map(({ id }) => id));
    const others = heard.filter((id) => !known.has(id)).slice(-MOST_ELSEWHERE);
    const posts = [...thread, ...(await saidElsewhere(channelId, others, attempt))];
    const people = posts.filter(({ automated, type }) => !automated && type === '');
    const ids = people.map(({ userId }) => userId);
    const authors = await posting.call('final', () => rest.usersByIds(ids), signal);
    const names = new Map(authors.map(({ id, username }) => [id, username]));
    const said = (post: ChatPost): SaidByPerson => ({
      author: names.get(post.userId) ?? post.userId,
      text: mask.text(post.message),
    });
    return new Map(people.map((post) => [post.id, said(post)]));
  };

  return {
    'chat.export': async ({ key, actor, params }, { signal }) => {
      const { session, format, place } = params;
      const view = await runtime.read(session);
      if (!view) return reply(key, actor, params, 'There is no such session.');
      const context = view.context as SessionContext;
      const { request, title, branch, usage, createdAt, cwd } = context;
      const entries = (await store.readTranscript(session)).flatMap((row) => {
        const entry = readEntry(row);
        return entry === null ? [] : [maskedEntry(entry, mask)];
      });
      const { name, content, mimeType } = exportFile(format, {
        session: {
          id: keyOf(session),
          repo: request.repo.repo,
          branch,
          title: mask.text(title),
          startedBy: request.owner.name,
          startedAt: createdAt,
          costUsd: usage.costUsd,
        },
        entries,
        said: await saidIn(
          context,
          entries.flatMap(({ kind, body }) => (kind === 'heard' ? [body.postId] : [])),
          { key, signal },
        ),
        folder: cwd,
        mask,
        at: ports.now(),
      });
      const file = { channelId: place.channelId, name, bytes: Buffer.from(content), mimeType };
      const { id } = await posting.call('final', () => rest.uploadFile(file), signal);
      const size = bytes(Buffer.byteLength(content));
      await reply(key, actor, params, { message: `What was said here so far (${size}).`, fileIds: [id] });
      begun.delete(key);
    },
  } satisfies EffectHandlers;
}
