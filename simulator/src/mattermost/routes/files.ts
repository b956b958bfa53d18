import type { FastifyInstance, FastifyRequest } from 'fastify';
import { memberChannel } from '../access.ts';
import { storeFile } from '../domain/files.ts';
import type { FileInfo, User } from '../entities.ts';
import { AppError, badUrlParam, forbidden } from '../errors.ts';
import { pathId } from '../fields.ts';
import { requireUser } from '../http.ts';
import { isId } from '../ids.ts';
import { wireFile } from '../views.ts';
import type { World } from '../world.ts';

type ById = { Params: { fileId: string } };

export function fileRoutes(app: FastifyInstance, world: World): void {
  app.post<{ Querystring: Record<string, string | undefined> }>('/files', async (request, reply) => {
    const user = requireUser(world, request);
    const { channel_id: channelId, filename } = request.query;
    if (request.isMultipart()) return reply.code(201).send(await takeForm(world, user, request));
    if (!isId(channelId) || filename === undefined || filename === '') throw badUrlParam('channel_id');
    memberChannel(world, user, channelId);
    const content = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    return reply
      .code(201)
      .send({ file_infos: [wireFile(storeFile(world, user.id, channelId, filename, content))], client_ids: null });
  });

  app.get<ById>('/files/:fileId', async (request, reply) => {
    const file = readableFile(world, requireUser(world, request), request.params.fileId);
    const content = world.store.fileContents.get(file.id);
    if (content === undefined) throw missing();
    const inline = file.mime_type.startsWith('image/') || file.mime_type === 'application/pdf';
    const name = encodeURIComponent(file.name);
    return reply
      .header('content-type', file.mime_type)
      .header('x-content-type-options', 'nosniff')
      .header('content-disposition', `${inline ? 'inline' : 'attachment'};filename="${name}"; filename*=UTF-8''${name}`)
      .send(content);
  });

  app.get<ById>('/files/:fileId/info', async (request) =>
    wireFile(readableFile(world, requireUser(world, request), request.params.fileId)),
  );

  app.get<{ Params: { postId: string } }>('/posts/:postId/files/info', async (request) => {
    const user = requireUser(world, request);
    const post = world.store.posts.get(pathId(request.params.postId, 'post_id'));
    if (post === undefined) throw forbidden();
    memberChannel(world, user, post.channel_id);
    return post.file_ids.flatMap((id) => world.store.files.get(id) ?? []).map(wireFile);
  });
}

async function takeForm(world: World, user: User, request: FastifyRequest): Promise<unknown> {
  const clientIds: string[] = [];
  const uploads: { name: string; content: Buffer }[] = [];
  let channelId = '';
  for await (const part of request.parts()) {
    if (part.type === 'file') uploads.push({ name: part.filename, content: await part.toBuffer() });
    else if (part.fieldname === 'channel_id') channelId = String(part.value);
    else if (part.fieldname === 'client_ids') clientIds.push(String(part.value));
  }
  if (!isId(channelId)) throw badUrlParam('channel_id');
  memberChannel(world, user, channelId);
  const infos = uploads.map(({ name, content }) => wireFile(storeFile(world, user.id, channelId, name, content)));
  return { file_infos: infos, client_ids: clientIds };
}

function readableFile(world: World, user: User, fileId: string): FileInfo {
  const file = world.store.files.get(pathId(fileId, 'file_id'));
  if (file === undefined || file.delete_at > 0) throw missing();
  if (file.user_id !== user.id) memberChannel(world, user, file.channel_id);
  return file;
}

function missing(): AppError {
  return new AppError(404, 'app.file_info.get.app_error', 'Unable to get the file info.');
}
