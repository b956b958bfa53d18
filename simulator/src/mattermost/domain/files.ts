import type { FileInfo, Post } from '../entities.ts';
import { newId } from '../ids.ts';
import type { World } from '../world.ts';

const TYPES: Record<string, string> = {
  txt: 'text/plain; charset=utf-8',
  log: 'text/plain; charset=utf-8',
  md: 'text/markdown; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  html: 'text/html; charset=utf-8',
  json: 'application/json',
  pdf: 'application/pdf',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  zip: 'application/zip',
};

/** Keeps an uploaded file; it belongs to no post yet. */
export function storeFile(world: World, userId: string, channelId: string, name: string, content: Buffer): FileInfo {
  const at = world.now();
  const extension = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
  const file: FileInfo = {
    id: newId(),
    user_id: userId,
    channel_id: channelId,
    post_id: '',
    create_at: at,
    update_at: at,
    delete_at: 0,
    name,
    extension,
    size: content.length,
    mime_type: TYPES[extension] ?? 'application/octet-stream',
  };
  world.store.files.set(file.id, file);
  world.store.fileContents.set(file.id, content);
  return file;
}

/** Ties files to a post. Only the author's own uploads that no post has yet; others are left out without a word. */
export function claimFiles(world: World, post: Post, fileIds: string[]): string[] {
  return fileIds.filter((id) => {
    const file = world.store.files.get(id);
    if (file === undefined || file.user_id !== post.user_id || file.post_id !== '' || file.delete_at > 0) return false;
    file.post_id = post.id;
    file.channel_id = post.channel_id;
    return true;
  });
}

export function releaseFiles(world: World, fileIds: string[]): void {
  for (const id of fileIds) {
    const file = world.store.files.get(id);
    if (file) file.delete_at = world.now();
  }
}
