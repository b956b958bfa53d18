/** What is done to a thread and its channel on a person's command: its title, and who is in it. */
import { type EffectHandlers, type StorePorts, TerminalError } from '../actors/index.ts';
import type { MattermostRest } from '../adapters/mattermost/index.ts';
import { codeSpan } from '../chat/render/lines.ts';
import { titledHeader, titleIn } from '../chat/texts.ts';
import { readEntry } from '../chat/transcript.ts';
import { keyOf } from '../machines/addresses.ts';
import { isGone, type Posting } from './posting.ts';
import type { Reply } from './reply.ts';

export interface ThreadEffectPorts {
  readonly rest: MattermostRest;
  readonly store: StorePorts;
  readonly posting: Posting;
  readonly reply: Reply;
  readonly botUserId: string;
  readonly teamId: string;
  readonly mayUse: (person: { readonly id: string; readonly name: string }) => boolean;
}

export function threadHandlers(ports: ThreadEffectPorts) {
  const { posting, reply, rest, store } = ports;

  /** @returns how it went, in words */
  const invite = async (channelId: string, who: string): Promise<string> => {
    const user = await rest.userByUsername(who);
    if (!user?.active) return `There is nobody called ${codeSpan(who)} here.`;
    const member = await rest.teamMember(ports.teamId, user.id);
    if (!member) return `${codeSpan(who)} is not in this team, so they cannot be added to its channels.`;
    await rest.addMember(channelId, user.id);
    const may = ports.mayUse({ id: user.id, name: user.username })
      ? 'can read and write here now.'
      : 'can read here now, but is not on the list of people who may use this bot.';
    return `${codeSpan(who)} ${may}`;
  };

  const kick = async (channelId: string, who: string): Promise<string> => {
    const user = await rest.userByUsername(who);
    if (!user) return `There is nobody called ${codeSpan(who)} here.`;
    if (user.id === ports.botUserId) return 'I cannot leave the channel that my sessions run in.';
    const was = await rest.removeMember(channelId, user.id);
    return was ? `${codeSpan(who)} was removed from this channel.` : `${codeSpan(who)} is not in this channel.`;
  };

  return {
    'chat.member': async ({ key, actor, params }) => {
      const { place, repo, who, stay } = params;
      // In a channel that is not the project's own, who belongs there is not this bot's business.
      if ((await store.projectChannel(repo.repo)) !== place.channelId) {
        const own = 'This thread is not in a channel that I made, so I do not change who is in it.';
        return reply(key, actor, params, `${own} Use the channel's own menu.`);
      }
      const words = await posting
        .call('decision', () => (stay ? invite : kick)(place.channelId, who))
        .catch((error: unknown) => {
          if (!(error instanceof TerminalError)) throw error;
          return `That did not work: ${error.human ?? error.message}`;
        });
      return reply(key, actor, params, words);
    },
    'chat.setTitle': async ({ params: { session, repo, rootId, title } }) => {
      const header = { repo: repo.repo, branch: repo.branch, id: keyOf(session) };
      try {
        await posting.call('final', () => rest.patchPost(rootId, { message: titledHeader(title, header) }));
      } catch (error) {
        if (!isGone(error)) throw error;
        throw new TerminalError('ROOT_NOT_OURS', "The root post is not the bot's", {
          human:
            'The first post of this thread is not mine, so I cannot change it. The title is kept and shown in `status`.',
          cause: error,
        });
      }
    },
    'chat.readTitle': async ({ params: { session, turnId } }) => {
      const rows = await store.readTranscript(session);
      const title = titleIn(
        rows.flatMap((row) => readEntry(row) ?? []),
        turnId,
      );
      if (title !== '') return { title };
      throw new TerminalError('NO_TITLE', 'The answer holds no title', { human: 'Claude gave none.' });
    },
  } satisfies EffectHandlers;
}
