/** Words to those who look after the gateway: always in the log, and in a channel of the chat where one is named. */
import type { EffectHandlers, Log } from '../actors/index.ts';
import { GATEWAY } from '../machines/addresses.ts';
import type { Posting } from './posting.ts';

export interface OperatorChannelPorts {
  readonly posting: Pick<Posting, 'create'>;
  /** Null: there is none, so the log has to do. */
  readonly channelId: string | null;
  readonly log: Log;
}

export function operatorHandlers({ posting, channelId, log }: OperatorChannelPorts) {
  return {
    'chat.tellOperator': async ({ key, actor, params: { message } }) => {
      log.error({ actor, message }, 'an operator is needed');
      if (channelId === null) return;
      await posting.create({ key: `operator/${key}`, owner: actor, channelId, rootId: '', message }, 'final');
    },
  } satisfies EffectHandlers;
}

/** From a part of the process that is no actor. Does nothing where no channel is named: the caller logs. */
export async function tellOperator(
  posting: Pick<Posting, 'create'>,
  channelId: string | null,
  message: string,
  at: number,
): Promise<void> {
  if (channelId === null) return;
  await posting.create({ key: `operator/gateway/${at}`, owner: GATEWAY, channelId, rootId: '', message }, 'final');
}
