/** What is shown to the person who asked, and the title. */
import type { Effect } from '../../effects.ts';
import { type Args, only } from '../args.ts';

/** Runs when the title is known. */
export function setTitle({ context }: Args): Effect {
  return {
    kind: 'chat.setTitle',
    params: { session: context.address, repo: context.request.repo, rootId: context.rootId, title: context.title },
    reply: { failed: 'TITLE.REFUSED' },
  };
}

/** The turn that was asked for a title has answered. Runs before the turn is forgotten. */
export function readTitle({ context, event }: Args): Effect[] {
  if (event.type !== 'TURN.ENDED' || context.titleFor === '' || !event.inputIds.includes(context.titleFor)) return [];
  return [
    {
      kind: 'chat.readTitle',
      params: { session: context.address, turnId: event.turnId },
      reply: { done: 'TITLE.FOUND', failed: 'TITLE.REFUSED' },
    },
  ];
}

/** Where the answer to a command belongs. */
function answerTo({ context, event }: Args) {
  const replyTo = 'postId' in event && typeof event.postId === 'string' ? event.postId : context.rootId;
  const { channelId, rootId } = context;
  return { session: context.address, place: { channelId, rootId }, replyTo };
}

export function tellContext(args: Args): Effect {
  return { kind: 'chat.context', params: answerTo(args) };
}

export function tellVerbosity(args: Args): Effect {
  return { kind: 'chat.verbosity', params: answerTo(args) };
}

export function tellCost(args: Args): Effect {
  return { kind: 'chat.cost', params: answerTo(args) };
}

export function tellTranscript(args: Args): Effect {
  return { kind: 'chat.export', params: { ...answerTo(args), format: only(args.event, 'COMMAND.EXPORT').format } };
}

export function tellDiff(args: Args): Effect {
  return { kind: 'chat.diff', params: answerTo(args) };
}

/** Without a host: lists what is open. */
export function tellNetwork(args: Args): Effect[] {
  const { event } = args;
  if (event.type !== 'COMMAND.NETWORK') return [];
  const { revoke: host, userId, userName } = event;
  if (host === '') return [{ kind: 'chat.network', params: answerTo(args) }];
  return [{ kind: 'chat.revoke', params: { ...answerTo(args), host, userId, userName } }];
}

export function tellLogs(args: Args): Effect {
  return { kind: 'chat.logs', params: { ...answerTo(args), lines: only(args.event, 'COMMAND.LOGS').lines } };
}

export function changeMember(args: Args): Effect[] {
  const { event } = args;
  if (event.type !== 'COMMAND.INVITE' && event.type !== 'COMMAND.KICK') return [];
  const { place, replyTo } = answerTo(args);
  const stay = event.type === 'COMMAND.INVITE';
  return [{ kind: 'chat.member', params: { place, replyTo, repo: args.context.request.repo, who: event.who, stay } }];
}
