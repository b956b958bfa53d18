/** What the stand-in remembers. Field names are those of the wire, so that views stay thin. All times are epoch milliseconds. */

export interface User {
  id: string;
  username: string;
  email: string;
  first_name: string;
  last_name: string;
  nickname: string;
  roles: string;
  create_at: number;
  update_at: number;
  delete_at: number;
  /** Set for bot accounts only. */
  bot?: { owner_id: string; display_name: string; description: string };
  /** `salt:hash`, absent when nobody may log in with a password. */
  password?: string;
}

export interface AccessToken {
  id: string;
  token: string;
  user_id: string;
  description: string;
}

export interface Team {
  id: string;
  name: string;
  display_name: string;
  description: string;
  invite_id: string;
  create_at: number;
  update_at: number;
  delete_at: number;
}

export interface TeamMember {
  team_id: string;
  user_id: string;
  scheme_admin: boolean;
}

export type ChannelType = 'O' | 'P';

export interface Channel {
  id: string;
  team_id: string;
  type: ChannelType;
  name: string;
  display_name: string;
  header: string;
  purpose: string;
  creator_id: string;
  create_at: number;
  update_at: number;
  delete_at: number;
  last_post_at: number;
  total_msg_count: number;
  total_msg_count_root: number;
}

export interface ChannelMember {
  channel_id: string;
  user_id: string;
  scheme_admin: boolean;
  last_viewed_at: number;
  last_update_at: number;
}

export type Props = Record<string, unknown>;

export interface Post {
  id: string;
  create_at: number;
  update_at: number;
  edit_at: number;
  delete_at: number;
  is_pinned: boolean;
  user_id: string;
  channel_id: string;
  root_id: string;
  /** The post this row is an earlier version of; '' for the current version. */
  original_id: string;
  message: string;
  type: string;
  /** As it was written, integrations included; every read strips them. */
  props: Props;
  hashtags: string;
  file_ids: string[];
}

export interface Reaction {
  user_id: string;
  post_id: string;
  emoji_name: string;
  create_at: number;
  update_at: number;
}

export interface FileInfo {
  id: string;
  user_id: string;
  channel_id: string;
  post_id: string;
  create_at: number;
  update_at: number;
  delete_at: number;
  name: string;
  extension: string;
  size: number;
  mime_type: string;
}

export interface Category {
  id: string;
  user_id: string;
  team_id: string;
  type: 'favorites' | 'channels' | 'direct_messages' | 'custom';
  display_name: string;
  sorting: string;
  muted: boolean;
  collapsed: boolean;
  channel_ids: string[];
}

export interface Presence {
  user_id: string;
  status: string;
  manual: boolean;
  last_activity_at: number;
  dnd_end_time: number;
}
