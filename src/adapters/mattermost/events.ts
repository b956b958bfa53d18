/** Frames of the server's event stream, parsed strictly and turned into what this program acts on. */
import { z } from 'zod';
import { type ChatPost, wirePost } from './posts.ts';
import { wireReaction } from './shapes.ts';

/** Something that happened in a channel the bot is a member of. The bot's own posts and reactions are among them. */
export type ChatEvent =
  | { readonly type: 'posted'; readonly post: ChatPost; readonly channelType: string; readonly teamId: string }
  /** Also for pins and new props: only `editAt` tells whether the text was changed by a person. */
  | { readonly type: 'edited'; readonly post: ChatPost }
  /** The post as it was. For a root this is the only event; its replies are gone too. */
  | { readonly type: 'deleted'; readonly post: ChatPost }
  | ReactionEvent<'reactionAdded'>
  | ReactionEvent<'reactionRemoved'>
  | { readonly type: 'channelDeleted'; readonly channelId: string }
  | { readonly type: 'channelRestored'; readonly channelId: string }
  | { readonly type: 'userAdded'; readonly channelId: string; readonly userId: string; readonly teamId: string }
  | { readonly type: 'userRemoved'; readonly channelId: string; readonly userId: string };

interface ReactionEvent<Type extends string> {
  readonly type: Type;
  readonly postId: string;
  readonly userId: string;
  readonly channelId: string;
  /** A name without colons. */
  readonly emoji: string;
  readonly createAt: number;
}

export type Frame =
  | { readonly kind: 'hello'; readonly seq: number; readonly connectionId: string; readonly serverVersion: string }
  | { readonly kind: 'event'; readonly seq: number; readonly event: ChatEvent }
  /** An event that is of no interest; it counts in the numbering all the same. */
  | { readonly kind: 'other'; readonly seq: number; readonly name: string }
  | { readonly kind: 'reply'; readonly to: number; readonly ok: boolean }
  /** Cannot be used. `seq` is there if at least the numbering could be read. */
  | { readonly kind: 'malformed'; readonly seq: number | undefined; readonly why: string };

const seq = z.number().int().nonnegative();

const envelope = z.object({
  event: z.string().min(1),
  data: z.record(z.string(), z.unknown()).nullish(),
  broadcast: z.object({ user_id: z.string().default(''), channel_id: z.string().default('') }).nullish(),
  seq,
});

// A failure to `seq <= 0` carries no `seq_reply`.
const reply = z.object({ status: z.string(), seq_reply: z.number().int().default(0) });

/** A field that holds a JSON document as a string. */
function jsonString<T>(shape: z.ZodType<T>): z.ZodType<T> {
  return z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue({ code: 'custom', message: 'not JSON' });
        return z.NEVER;
      }
    })
    .pipe(shape);
}

const postData = z.object({ post: jsonString(wirePost) });
const postedData = postData.extend({ channel_type: z.string().default(''), team_id: z.string().default('') });
const reactionData = z.object({ reaction: jsonString(wireReaction) });
const channelData = z.object({ channel_id: z.string().min(1) });
const memberData = z.object({
  user_id: z.string().default(''),
  channel_id: z.string().default(''),
  team_id: z.string().default(''),
});

const HELLO = z.object({ connection_id: z.string().min(1), server_version: z.string().default('') });

/** Never throws: what cannot be read becomes a `malformed` frame. */
export function parseFrame(text: string): Frame {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: 'malformed', seq: undefined, why: 'not JSON' };
  }
  const event = envelope.safeParse(json);
  if (event.success) return readEvent(event.data);
  const answer = reply.safeParse(json);
  if (answer.success) return { kind: 'reply', to: answer.data.seq_reply, ok: answer.data.status === 'OK' };
  const numbered = z.object({ seq }).safeParse(json);
  return { kind: 'malformed', seq: numbered.success ? numbered.data.seq : undefined, why: firstIssue(event.error) };
}

type Envelope = z.infer<typeof envelope>;

function readEvent(frame: Envelope): Frame {
  const data = frame.data ?? {};
  const make = <T>(shape: z.ZodType<T>, of: (data: T) => ChatEvent | undefined): Frame => {
    const checked = shape.safeParse(data);
    if (!checked.success)
      return { kind: 'malformed', seq: frame.seq, why: `${frame.event}: ${firstIssue(checked.error)}` };
    const event = of(checked.data);
    return event ? { kind: 'event', seq: frame.seq, event } : { kind: 'other', seq: frame.seq, name: frame.event };
  };
  const channelId = frame.broadcast?.channel_id ?? '';

  switch (frame.event) {
    case 'hello': {
      const hello = HELLO.safeParse(data);
      if (!hello.success) return { kind: 'malformed', seq: frame.seq, why: `hello: ${firstIssue(hello.error)}` };
      const { connection_id: connectionId, server_version: serverVersion } = hello.data;
      return { kind: 'hello', seq: frame.seq, connectionId, serverVersion };
    }
    case 'posted':
      return make(postedData, ({ post, channel_type, team_id }) => ({
        type: 'posted',
        post: post.post,
        channelType: channel_type,
        teamId: team_id,
      }));
    case 'post_edited':
      return make(postData, ({ post }) => ({ type: 'edited', post: post.post }));
    case 'post_deleted':
      return make(postData, ({ post }) => ({ type: 'deleted', post: post.post }));
    case 'reaction_added':
      return make(reactionData, ({ reaction }) => ({ type: 'reactionAdded', channelId, ...reaction }));
    case 'reaction_removed':
      return make(reactionData, ({ reaction }) => ({ type: 'reactionRemoved', channelId, ...reaction }));
    case 'channel_deleted':
      return make(channelData, (channel) => ({ type: 'channelDeleted', channelId: channel.channel_id }));
    case 'channel_restored':
      return make(channelData, (channel) => ({ type: 'channelRestored', channelId: channel.channel_id }));
    case 'user_added':
      return make(memberData, (member) => {
        const at = {
          channelId: member.channel_id || channelId,
          userId: member.user_id || (frame.broadcast?.user_id ?? ''),
        };
        return at.channelId && at.userId ? { type: 'userAdded', ...at, teamId: member.team_id } : undefined;
      });
    case 'user_removed':
      // Who was removed hears of the channel in `data`; those who stay hear of the user there.
      return make(memberData, (member) => {
        const at = {
          channelId: member.channel_id || channelId,
          userId: member.user_id || (frame.broadcast?.user_id ?? ''),
        };
        return at.channelId && at.userId ? { type: 'userRemoved', ...at } : undefined;
      });
    default:
      return { kind: 'other', seq: frame.seq, name: frame.event };
  }
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue ? `${issue.path.join('.') || 'frame'}: ${issue.message}` : 'another shape';
}
