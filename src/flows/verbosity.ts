/** How much threads show: as said in the thread, or else for its channel, or else everywhere. */
import type { EffectHandlers, Runtime, StorePorts } from '../actors/index.ts';
import type { Verbosity } from '../chat/render/layout.ts';
import { noProjectChannelText, verbosityText } from '../chat/verbosity.ts';
import type { Address } from '../machines/addresses.ts';
import type { SessionContext } from '../machines/session/context.ts';
import type { Reply } from './reply.ts';

export interface VerbosityPorts {
  readonly store: Pick<StorePorts, 'channelVerbosity' | 'setChannelVerbosity'>;
  readonly runtime: Pick<Runtime, 'read'>;
  readonly reply: Reply;
  /** SM_VERBOSITY. */
  readonly byDefault: Verbosity;
  readonly trigger: string;
}

interface Found {
  readonly verbosity: Verbosity;
  readonly from: 'thread' | 'channel' | 'everywhere';
}

export function createVerbosity({ store, runtime, reply, byDefault, trigger }: VerbosityPorts) {
  const ofChannel = async (channelId: string): Promise<Found> => {
    const verbosity = channelId === '' ? undefined : await store.channelVerbosity(channelId);
    return isVerbosity(verbosity) ? { verbosity, from: 'channel' } : { verbosity: byDefault, from: 'everywhere' };
  };

  const ofSession = async (session: Address): Promise<Found> => {
    const context = (await runtime.read(session))?.context as SessionContext | undefined;
    const { verbosity = '', channelId = '' } = context ?? {};
    return verbosity === '' ? ofChannel(channelId) : { verbosity, from: 'thread' };
  };

  return {
    verbosityOf: async (session: Address): Promise<Verbosity> => (await ofSession(session)).verbosity,
    handlers: {
      'chat.verbosity': async ({ key, actor, params }) => {
        const { verbosity, from } = await ofSession(params.session);
        await reply(key, actor, params, verbosityText(verbosity, from, 'thread', trigger));
      },
      'chat.channelVerbosity': async ({ key, actor, params }) => {
        const { place, verbosity: asked } = params;
        const isProject = asked === null || (await store.setChannelVerbosity(place.channelId, asked));
        const { verbosity, from } = await ofChannel(place.channelId);
        const text = isProject ? verbosityText(verbosity, from, 'channel', trigger) : noProjectChannelText(trigger);
        await reply(key, actor, params, text);
      },
    } satisfies EffectHandlers,
  };
}

function isVerbosity(word: string | undefined): word is Verbosity {
  return word === 'full' || word === 'normal' || word === 'quiet';
}
