/** The parts of the server's answers that are used, besides posts. Fields that are not named here may be anything. */
import { z } from 'zod';

export interface ChatUser {
  readonly id: string;
  readonly username: string;
  readonly isBot: boolean;
  /** Deactivated accounts keep their id and name. */
  readonly active: boolean;
}

export const wireUser = z
  .object({
    id: z.string().min(1),
    username: z.string(),
    is_bot: z.boolean().optional(),
    delete_at: z.number().default(0),
  })
  .transform(
    (user): ChatUser => ({
      id: user.id,
      username: user.username,
      isBot: user.is_bot ?? false,
      active: user.delete_at === 0,
    }),
  );

export interface ChatTeam {
  readonly id: string;
  /** As in addresses of pages. */
  readonly name: string;
  readonly displayName: string;
}

export const wireTeam = z
  .object({ id: z.string().min(1), name: z.string(), display_name: z.string().default('') })
  .transform((team): ChatTeam => ({ id: team.id, name: team.name, displayName: team.display_name }));

export interface TeamMember {
  readonly teamId: string;
  readonly userId: string;
}

/** A member who left stays listed, with a time of deletion. */
export const wireTeamMember = z
  .object({ team_id: z.string().min(1), user_id: z.string().min(1), delete_at: z.number().default(0) })
  .transform((member): TeamMember | undefined =>
    member.delete_at === 0 ? { teamId: member.team_id, userId: member.user_id } : undefined,
  );

export interface ChannelMember {
  readonly userId: string;
  readonly isAdmin: boolean;
}

/** Servers without schemes name roles only. */
export const wireChannelMember = z
  .object({ user_id: z.string().min(1), scheme_admin: z.boolean().default(false), roles: z.string().default('') })
  .transform(
    (member): ChannelMember => ({
      userId: member.user_id,
      isAdmin: member.scheme_admin || member.roles.split(' ').includes('channel_admin'),
    }),
  );

export interface ChatChannel {
  readonly id: string;
  readonly teamId: string;
  readonly name: string;
  readonly displayName: string;
  /** `O` open, `P` private, `D` direct, `G` group. */
  readonly type: string;
  readonly archived: boolean;
  readonly creatorId: string;
  readonly createAt: number;
  readonly lastPostAt: number;
}

export const wireChannel = z
  .object({
    id: z.string().min(1),
    team_id: z.string(),
    name: z.string(),
    display_name: z.string().default(''),
    type: z.string().min(1),
    delete_at: z.number().default(0),
    creator_id: z.string().default(''),
    create_at: z.number().default(0),
    last_post_at: z.number().default(0),
  })
  .transform(
    (channel): ChatChannel => ({
      id: channel.id,
      teamId: channel.team_id,
      name: channel.name,
      displayName: channel.display_name,
      type: channel.type,
      archived: channel.delete_at > 0,
      creatorId: channel.creator_id,
      createAt: channel.create_at,
      lastPostAt: channel.last_post_at,
    }),
  );

export const wireReaction = z
  .object({
    user_id: z.string().min(1),
    post_id: z.string().min(1),
    emoji_name: z.string().min(1),
    create_at: z.number().default(0),
  })
  .transform((reaction) => ({
    userId: reaction.user_id,
    postId: reaction.post_id,
    emoji: reaction.emoji_name,
    createAt: reaction.create_at,
  }));

export type ChatReaction = z.infer<typeof wireReaction>;

export interface ChatFile {
  readonly id: string;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly mimeType: string;
  readonly postId: string;
}

export const wireFile = z
  .object({
    id: z.string().min(1),
    name: z.string(),
    size: z.number(),
    mime_type: z.string().default(''),
    post_id: z.string().default(''),
  })
  .transform(
    (file): ChatFile => ({
      id: file.id,
      name: file.name,
      size: file.size,
      mimeType: file.mime_type,
      postId: file.post_id,
    }),
  );

export const wireUpload = z
  .object({ file_infos: z.tuple([wireFile], wireFile) })
  .transform(({ file_infos }) => file_infos[0]);

export const wireStatusOk = z.object({ status: z.literal('OK') });
export const wireAnything = z.looseObject({});
