import { z } from 'zod';

/** What a button carries. Readable by people in the channel on some servers, so nothing in it is a secret. */
export const buttonContext = z.object({
  approval: z.templateLiteral(['approval/', z.string().min(1)]).refine((address) => address.length <= 300),
  action: z.string().regex(/^[A-Za-z0-9]{1,64}$/),
  generation: z.number().int().nonnegative(),
  mac: z.string().regex(/^[0-9a-f]{64}$/),
});

/** Mattermost's have 26 characters. All that is stored of a click has a limit: anybody who gets here may send one. */
const id = z.string().max(64);

/**
 * What Mattermost posts for a click. It is neither signed nor authenticated: only `context` can prove anything, by its
 * MAC, and the rest is as good as the network between Mattermost and us.
 */
export const callbackBody = z
  .object({
    user_id: id.min(1),
    user_name: z.string().max(200).default(''),
    channel_id: id.min(1),
    team_id: id.default(''),
    post_id: id.min(1),
    // Made of an id, a user's id, a time and a signature of those.
    trigger_id: z.string().max(1_000).default(''),
    type: id.default(''),
    context: buttonContext,
  })
  .transform((body) => ({
    userId: body.user_id,
    /** A name can be changed and reused; show it, do not decide by it. */
    userName: body.user_name,
    channelId: body.channel_id,
    teamId: body.team_id,
    postId: body.post_id,
    triggerId: body.trigger_id,
    type: body.type,
    context: body.context,
  }));

/** One sentence for every forgery, so that it teaches nothing. */
export const NOT_VALID = 'This button is not valid (any more).';

/** Whether it looks like a click at all, whatever the button carried: only then does a person wait for words. */
export function isFromChat(body: unknown): boolean {
  return z.object({ user_id: z.string().min(1), post_id: z.string().min(1) }).safeParse(body).success;
}

export type CallbackBody = z.infer<typeof callbackBody>;

/** What the clicker's server does next. */
export interface CallbackAnswer {
  /**
   * The card's new shape. Both fields always: without `message` the text becomes empty, without `props` the old ones
   * stay and with them the buttons. `{}` removes the card.
   */
  readonly update?: { readonly message: string; readonly props: Readonly<Record<string, unknown>> };
  /** Shown to the clicker only. */
  readonly ephemeralText?: string;
}

/** The answer as Mattermost reads it. Anything but status 200 with JSON shows an error to the clicker. */
export function wireAnswer(answer: CallbackAnswer): Record<string, unknown> {
  return {
    ...(answer.update ? { update: answer.update } : {}),
    ...(answer.ephemeralText ? { ephemeral_text: answer.ephemeralText } : {}),
    // Otherwise `<...>` in texts is rewritten as links.
    skip_slack_parsing: true,
  };
}
