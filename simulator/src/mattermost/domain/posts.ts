import type { Channel, Post, Props } from '../entities.ts';
import { AppError, badBodyParam, forbidden } from '../errors.ts';
import { isId, newId } from '../ids.ts';
import { addPost } from '../store.ts';
import { unstrippedPost, wirePost } from '../views.ts';
import { LIMITS, runes, type World } from '../world.ts';
import { propsForWriting } from './attachments.ts';
import { claimFiles, releaseFiles } from './files.ts';
import { publishPosted } from './posted.ts';

/** What a new post is made of. `type` is only ever set by the server itself. */
export interface Draft {
  userId: string;
  channelId: string;
  rootId?: string;
  message: string;
  props?: Props;
  fileIds?: string[];
  type?: string;
  pendingPostId?: string;
}

/** Creates a post and tells the channel. Errors: 400 for text, root, props or files the server refuses. */
export function createPost(world: World, draft: Draft): Post {
  const { store } = world;
  const channel = store.channels.get(draft.channelId);
  if (channel === undefined) throw forbidden();
  if (channel.delete_at > 0 && (draft.type ?? '') === '') {
    throw new AppError(400, 'api.post.create_post.can_not_post_to_deleted.error', 'Can not post to deleted channel.');
  }
  const root = checkRoot(world, channel, draft.rootId ?? '');
  const author = store.users.get(draft.userId);
  const given = author?.bot ? { ...draft.props, from_bot: 'true' } : { ...draft.props };
  checkMessage(draft.message);
  const at = world.now();
  const post: Post = {
    id: newId(),
    create_at: at,
    update_at: at,
    edit_at: 0,
    delete_at: 0,
    is_pinned: false,
    user_id: draft.userId,
    channel_id: draft.channelId,
    root_id: draft.rootId ?? '',
    original_id: '',
    message: draft.message,
    type: draft.type ?? '',
    props: checkProps(propsForWriting(given)),
    hashtags: hashtags(draft.message),
    file_ids: [],
  };
  checkFileIds(draft.fileIds ?? []);
  post.file_ids = claimFiles(world, post, draft.fileIds ?? []);
  addPost(store, post);
  channel.last_post_at = at;
  channel.total_msg_count += 1;
  if (root) root.update_at = at;
  else channel.total_msg_count_root += 1;
  record(world, 'post_created', post, draft.userId, draft.pendingPostId);
  publishPosted(world, channel, post, draft.pendingPostId ?? '');
  return post;
}

/** A message of the server itself, e.g. that somebody joined. */
export function systemPost(
  world: World,
  channelId: string,
  userId: string,
  type: string,
  message: string,
  props: Props,
): void {
  createPost(world, { userId, channelId, type, message, props });
}

/** What an edit changes; absent means unchanged. */
export interface Edit {
  message?: string | undefined;
  props?: Props | undefined;
  pinned?: boolean | undefined;
  fileIds?: string[] | undefined;
}

/**
 * Changes a post in place and keeps the earlier version as a row of its own, deleted at that moment. Only a change of
 * text, files or attachments moves edit_at; every change is a `post_edited` event.
 */
export function editPost(world: World, post: Post, userId: string, edit: Edit): void {
  if (edit.message !== undefined) checkMessage(edit.message);
  const props = edit.props === undefined ? post.props : checkProps(propsForWriting(edit.props));
  checkFileIds(edit.fileIds ?? []);
  const at = world.now();
  addPost(world.store, { ...post, id: newId(), original_id: post.id, update_at: at, delete_at: at });
  const before = visible(post);
  if (edit.message !== undefined) {
    post.message = edit.message;
    post.hashtags = hashtags(edit.message);
  }
  post.props = props;
  if (edit.pinned !== undefined) post.is_pinned = edit.pinned;
  if (edit.fileIds !== undefined) replaceFiles(world, post, edit.fileIds);
  post.update_at = at;
  if (visible(post) !== before) post.edit_at = at;
  record(world, 'post_edited', post, userId);
  publishEdited(world, post);
}

export function publishEdited(world: World, post: Post): void {
  world.hub.publish({
    event: 'post_edited',
    data: { post: JSON.stringify(wirePost(world.store, post)) },
    audience: { channelId: post.channel_id },
  });
}

/** Deletes a post and, with a root, its replies: one event, for the post itself, with its integrations in it. */
export function deletePost(world: World, post: Post, userId: string): void {
  const at = world.now();
  const before = JSON.stringify(unstrippedPost(world.store, post));
  const gone = [post, ...(post.root_id === '' ? (world.store.replies.get(post.id) ?? []) : [])];
  for (const each of gone) {
    if (each.delete_at > 0) continue;
    each.delete_at = at;
    each.update_at = at;
    each.props = { ...each.props, deleteBy: userId };
    releaseFiles(world, each.file_ids);
    record(world, 'post_deleted', each, userId);
  }
  world.hub.publish({
    event: 'post_deleted',
    data: { post: before, delete_by: userId },
    audience: { channelId: post.channel_id },
  });
}

function visible(post: Post): string {
  return JSON.stringify([post.message, post.file_ids, post.props.attachments ?? null]);
}

function replaceFiles(world: World, post: Post, fileIds: string[]): void {
  const kept = post.file_ids.filter((id) => fileIds.includes(id));
  releaseFiles(
    world,
    post.file_ids.filter((id) => !kept.includes(id)),
  );
  post.file_ids = [
    ...kept,
    ...claimFiles(
      world,
      post,
      fileIds.filter((id) => !kept.includes(id)),
    ),
  ];
}

function checkRoot(world: World, channel: Channel, rootId: string): Post | undefined {
  if (rootId === '') return undefined;
  const refused = new AppError(400, 'api.post.create_post.root_id.app_error', 'Invalid RootId parameter.');
  if (!isId(rootId)) throw refused;
  const root = world.store.posts.get(rootId);
  if (root === undefined || root.delete_at > 0 || root.root_id !== '') throw refused;
  if (root.channel_id !== channel.id) {
    throw new AppError(
      400,
      'api.post.create_post.channel_root_id.app_error',
      'Invalid ChannelId for RootId parameter.',
    );
  }
  return root;
}

function checkMessage(message: string): void {
  if (runes(message) > LIMITS.message) {
    throw new AppError(400, 'model.post.is_valid.message_length.app_error', 'Post message is too long.');
  }
}

function checkProps(props: Props): Props {
  if (runes(JSON.stringify(props)) > LIMITS.props) {
    throw new AppError(400, 'model.post.is_valid.props.app_error', 'Invalid props.');
  }
  return props;
}

function checkFileIds(fileIds: string[]): void {
  if (fileIds.some((id) => !isId(id))) throw badBodyParam('file_ids');
  if (fileIds.length > 0 && JSON.stringify(fileIds).length > LIMITS.fileIds) {
    throw new AppError(
      400,
      'model.post.is_valid.file_ids.app_error',
      'Invalid file ids. Uploads are limited to 10 files.',
    );
  }
}

function hashtags(message: string): string {
  return (message.match(/(?<![\w#])#[a-z][\w.-]+/gi) ?? []).join(' ');
}

function record(
  world: World,
  kind: 'post_created' | 'post_edited' | 'post_deleted',
  post: Post,
  userId: string,
  pendingPostId?: string,
): void {
  world.log.append({
    kind,
    at: world.now(),
    userId,
    postId: post.id,
    channelId: post.channel_id,
    rootId: post.root_id,
    type: post.type,
    message: post.message,
    ...(pendingPostId === undefined ? {} : { pendingPostId }),
  });
}
