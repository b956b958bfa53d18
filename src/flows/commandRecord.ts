/**
 * Every command a person gives is recorded before it takes effect: who, what, where, when, and what became of it. Under the
 * post's id, so that a post that is read again is not recorded again.
 */
import type { AuditEntry } from '../actors/index.ts';
import { afterTrigger } from '../chat/commands.ts';
import type { IncomingPost, Route } from '../chat/routing.ts';
import type { JsonObject } from '../machines/json.ts';

/** Which post it is, and whose; and what people say to the agent, which is in the thread and in no record. */
const LEFT_OUT = new Set([
  ...['type', 'at', 'postId', 'channelId', 'rootId', 'userId', 'userName', 'addressed'],
  ...['text', 'hint', 'fileIds', 'message'],
]);

/** @returns undefined for a post that is no command. @param why the command was refused; empty: it was passed on */
export function commandRecord(post: IncomingPost, trigger: string, routed: Route, why = ''): AuditEntry | undefined {
  const said = afterTrigger(post.text, trigger);
  if (said === null || routed.kind === 'ignore') return undefined;
  const event = routed.kind === 'deliver' ? routed.event : undefined;
  const refusal = routed.kind === 'reply' ? routed.message : event?.type === 'COMMAND.REFUSED' ? event.message : why;
  return {
    key: `command/${post.id}${why === '' ? '' : '/refused'}`,
    at: post.at,
    action: refusal === '' ? 'command.given' : 'command.refused',
    who: post.userName,
    subject: routed.kind === 'deliver' ? routed.to : '',
    detail: {
      command: wordOf(said),
      ...(event === undefined || refusal !== '' ? {} : { arguments: argumentsOf(event) }),
      userId: post.userId,
      channelId: post.channelId,
      rootId: post.rootId,
      postId: post.id,
      outcome: refusal === '' ? 'passed on' : 'refused',
      why: refusal,
    },
  };
}

function wordOf(said: string): string {
  const [word = ''] = said.split(/\s/u);
  return word === '' ? 'help' : word.toLowerCase().slice(0, 64);
}

function argumentsOf(event: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(event).filter(([name]) => !LEFT_OUT.has(name)));
}
