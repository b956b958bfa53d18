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

/** Each is a request of its own. */
const MOST_ELSEWHERE = 100;

export function exportHandlers(ports: ExportPorts) {
  const { runtime, store, rest, posting, reply, mask } = ports;

  /** What stands at top level of the channel, where a session is spoken to as well. */
  const saidElsewhere = async (channelId: string, ids: readonly string[]): Promise<ChatPost[]> => {
    const posts = await Promise.all(ids.map((id) => posting.call('progress', () => rest.getPost(id))));
    return posts.flatMap((post) => (post?.channelId === channelId && post.deleteAt === 0 ? [post] : []));
  };

  /** @param heard posts that the session has heard */
  const saidIn = async (
    { channelId, rootId }: SessionContext,
    heard: readonly string[],
  ): Promise<Map<string, SaidByPerson>> => {
    const thread = await posting.call('final', () => rest.thread(rootId));
    const known = new Set(thread.map(({ id }) => id));
    const others = heard.filter((id) => !known.has(id)).slice(-MOST_ELSEWHERE);
    const posts = [...thread, ...(await saidElsewhere(channelId, others))];
    const people = posts.filter(({ automated, type }) => !automated && type === '');
    const authors = await posting.call('final', () => rest.usersByIds(people.map(({ userId }) => userId)));
    const names = new Map(authors.map(({ id, username }) => [id, username]));
    const said = (post: ChatPost): SaidByPerson => ({
      author: names.get(post.userId) ?? post.userId,
      text: mask.text(post.message),
    });
    return new Map(people.map((post) => [post.id, said(post)]));
  };

  return {
    'chat.export': async ({ key, actor, params }) => {
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
        ),
        folder: cwd,
        mask,
        at: ports.now(),
      });
      const file = { channelId: place.channelId, name, bytes: Buffer.from(content), mimeType };
      const { id } = await posting.call('final', () => rest.uploadFile(file));
      const size = bytes(Buffer.byteLength(content));
      return reply(key, actor, params, { message: `What was said here so far (${size}).`, fileIds: [id] });
    },
  } satisfies EffectHandlers;
}
