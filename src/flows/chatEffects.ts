/** The effects that speak in the chat: answers to commands, threads, reactions. */
import { type EffectHandlers, type Runtime, type StorePorts, TerminalError } from '../actors/index.ts';
import type { MattermostRest } from '../adapters/mattermost/index.ts';
import { sessionHeader, startedElsewhere } from '../chat/texts.ts';
import { type Address, keyOf } from '../machines/addresses.ts';
import type { Place } from '../machines/effects.ts';
import type { SessionContext } from '../machines/session/context.ts';
import type { Posting } from './posting.ts';
import { ensureProjectChannel } from './projectChannel.ts';
import type { Reports } from './reports.ts';

export interface ChatEffectPorts {
  readonly rest: MattermostRest;
  readonly store: StorePorts;
  readonly posting: Posting;
  readonly runtime: Pick<Runtime, 'deliver' | 'read'>;
  readonly reports: Reports;
  readonly botUserId: string;
  readonly teamId: string;
  /** Address of a post's page. */
  readonly permalink: (postId: string) => string;
  readonly now: () => number;
}

export function chatHandlers(ports: ChatEffectPorts) {
  const { posting, reports, rest, store } = ports;

  /** Under the post that asked: in its thread, or as a thread of its own. */
  const reply = async (key: string, owner: Address, place: Place, replyTo: string, message: string): Promise<void> => {
    const rootId = place.rootId === '' ? replyTo : place.rootId;
    await posting.create({ key: `reply/${key}`, owner, channelId: place.channelId, rootId, message }, 'final');
  };

  return {
    'chat.reply': ({ key, actor, params: { place, replyTo, message } }) => reply(key, actor, place, replyTo, message),
    'chat.help': async ({ key, actor, params: { place, replyTo, inThread } }) =>
      reply(key, actor, place, replyTo, reports.help(inThread)),
    'chat.status': async ({ key, actor, params: { place, replyTo } }) =>
      reply(key, actor, place, replyTo, await reports.status()),
    'chat.context': async ({ key, actor, params: { session, place, replyTo } }) =>
      reply(key, actor, place, replyTo, await reports.context(session)),
    'chat.stopByPrefix': async ({ key, actor, params }) => {
      const { prefix, container, all, place, replyTo, userId, userName } = params;
      const matches = await store.listActors({ kind: 'session', keyPrefix: prefix });
      const [only] = matches;
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
      await reply(key, actor, place, replyTo, reports.stopped(prefix, matches));
    },
    'chat.react': async ({ params: { postId, emoji, remove } }) => {
      await posting
        .call('progress', () =>
          remove ? rest.removeReaction(postId, emoji) : rest.addReaction(ports.botUserId, postId, emoji),
        )
        .catch((error: unknown) => {
          // The sign on a post matters only while there is a post.
          if (!(error instanceof TerminalError)) throw error;
        });
    },
    'chat.setRoot': async ({ params: { rootId, message } }) => {
      await posting.call('final', () => rest.patchPost(rootId, { message }));
    },
    'chat.openThread': async ({ key, actor, params }) => {
      const { repo, place, userId, title: askedBy } = params;
      if (place.rootId !== '') return { channelId: place.channelId, rootId: place.rootId };
      const channelId = await posting.call('decision', () =>
        ensureProjectChannel(rest, store, ports.teamId, repo.repo),
      );
      await posting.call('decision', () => rest.addMember(channelId, userId));
      const header = sessionHeader({ repo: repo.repo, branch: repo.branch, id: keyOf(actor) });
      const rootId = await posting.create(
        { key: `thread/${actor}`, owner: actor, channelId, rootId: '', message: header },
        'decision',
      );
      await reply(key, actor, place, askedBy, startedElsewhere(repo.repo, ports.permalink(rootId)));
      return { channelId, rootId };
    },
  } satisfies EffectHandlers;
}
