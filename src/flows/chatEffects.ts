/** The effects that speak in the chat: answers to commands, threads, reactions. */
import { type EffectHandlers, type Runtime, type StorePorts, TerminalError } from '../actors/index.ts';
import type { MattermostRest } from '../adapters/mattermost/index.ts';
import { sessionHeader, startedElsewhere } from '../chat/texts.ts';
import { keyOf } from '../machines/addresses.ts';
import type { SessionContext } from '../machines/session/context.ts';
import type { Posting } from './posting.ts';
import { ensureProjectChannel, type ProjectChannelPorts } from './projectChannel.ts';
import type { Reply } from './reply.ts';
import { isLive, type Reports } from './reports.ts';

export interface ChatEffectPorts {
  readonly rest: MattermostRest;
  readonly store: StorePorts;
  readonly posting: Posting;
  readonly reply: Reply;
  readonly runtime: Pick<Runtime, 'deliver' | 'read'>;
  readonly reports: Reports;
  readonly botUserId: string;
  readonly projectChannel: ProjectChannelPorts;
  /** Address of a post's page. */
  readonly permalink: (postId: string) => string;
  readonly now: () => number;
}

export function chatHandlers(ports: ChatEffectPorts) {
  const { posting, reply, reports, rest, store } = ports;
  return {
    'chat.reply': ({ key, actor, params }) => reply(key, actor, params, params.message),
    'chat.help': async ({ key, actor, params }) =>
      reply(key, actor, params, reports.help(params.inThread, params.about ?? '')),
    'chat.status': async ({ key, actor, params }) => reply(key, actor, params, await reports.status()),
    'chat.context': async ({ key, actor, params }) => reply(key, actor, params, await reports.context(params.session)),
    'chat.cost': async ({ key, actor, params: { session, ...to } }) =>
      reply(key, actor, to, session === '' ? await reports.costs() : await reports.cost(session)),
    'chat.stopByPrefix': async ({ key, actor, params }) => {
      const { prefix, container, all, place, replyTo, userId, userName } = params;
      // An id that fits one session that runs means that one, however many have ended.
      const found = await store.listActors({ kind: 'session', keyPrefix: prefix });
      const live = found.filter(({ status, value }) => status === 'active' && isLive(value));
      const matches = live.length > 0 ? live : found;
      const [only] = live;
      if (matches.length === 1 && only) {
        const event = {
          type: 'COMMAND.STOP',
          at: ports.now(),
          postId: replyTo,
          channelId: place.channelId,
          rootId: (only.context as SessionContext).rootId,
          userId,
          userName,
          container,
          all,
        };
        await ports.runtime.deliver([{ to: only.address, event, dedupKey: `stop/${key}` }]);
      }
      await reply(key, actor, params, reports.stopped(prefix, matches, live.length > 0));
    },
    'chat.react': async ({ params: { postId, emoji, remove } }, { signal }) => {
      const react = () =>
        remove ? rest.removeReaction(postId, emoji) : rest.addReaction(ports.botUserId, postId, emoji);
      await posting.call('sign', react, signal).catch((error: unknown) => {
        // The sign on a post matters only while there is a post.
        if (!(error instanceof TerminalError)) throw error;
      });
    },
    'chat.openThread': async ({ key, actor, params, attempt }, { signal }) => {
      const { repo, place, userId, title: askedBy } = params;
      if (place.rootId !== '') return { channelId: place.channelId, rootId: place.rootId };
      const channelId = await ensureProjectChannel(ports.projectChannel, repo.repo, { attempt, signal });
      await posting.call('decision', () => rest.addMember(channelId, userId), signal);
      const header = sessionHeader({ repo: repo.repo, branch: repo.branch, id: keyOf(actor) });
      const rootId = await posting.create(
        { key: `thread/${actor}`, owner: actor, channelId, rootId: '', message: header },
        'decision',
      );
      await reply(key, actor, { place, replyTo: askedBy }, startedElsewhere(repo.repo, ports.permalink(rootId)));
      return { channelId, rootId };
    },
  } satisfies EffectHandlers;
}
