import type { FastifyInstance } from 'fastify';
import { memberChannel, pathUser, selfOnly } from '../access.ts';
import { headerToken } from '../auth.ts';
import { createToken, createUser, hasPassword } from '../domain/people.ts';
import { presenceOf, publishTyping, setStatus } from '../domain/presence.ts';
import type { User } from '../entities.ts';
import { AppError, badBodyParam, forbidden, noSuchUser } from '../errors.ts';
import { optionalText, pathId, readFields, readStrings, text } from '../fields.ts';
import { isAdmin, OK, requireUser } from '../http.ts';
import { isChannelMember, isTeamMember, userByName } from '../store.ts';
import { wireUser } from '../views.ts';
import type { World } from '../world.ts';
import { pageOf } from './channels.ts';

type ById = { Params: { userId: string } };
type Query = { Querystring: Record<string, string | undefined> };

export function userRoutes(app: FastifyInstance, world: World): void {
  const { store } = world;

  app.post('/users', async (request, reply) => {
    const user = requireUser(world, request);
    if (!isAdmin(user)) throw forbidden();
    const fields = readFields(request.body, 'user');
    const made = createUser(world, {
      username: text(fields, 'username').toLowerCase(),
      email: text(fields, 'email'),
      password: text(fields, 'password'),
      firstName: text(fields, 'first_name'),
      lastName: text(fields, 'last_name'),
      nickname: text(fields, 'nickname'),
    });
    return reply.code(201).send(wireUser(made, true));
  });

  app.post('/users/login', async (request, reply) => {
    const fields = readFields(request.body, 'login');
    const loginId = text(fields, 'login_id').toLowerCase();
    const user = userByName(store, loginId) ?? [...store.users.values()].find((each) => each.email === loginId);
    if (user === undefined || user.delete_at > 0 || !hasPassword(user, text(fields, 'password'))) {
      throw new AppError(
        401,
        'api.user.login.invalid_credentials_email_username',
        'Enter a valid email or username and/or password.',
      );
    }
    reply.header('Token', createToken(world, user.id, 'session').token);
    return wireUser(user, true);
  });

  app.post('/users/logout', async (request) => {
    requireUser(world, request);
    store.tokens.delete(headerToken(request.headers) ?? '');
    return OK;
  });

  app.get<Query>('/users', async (request) => {
    const user = requireUser(world, request);
    const { in_channel: channelId, in_team: teamId } = request.query;
    const { from, count } = pageOf(request.query);
    const found = [...store.users.values()].filter(
      (each) =>
        (channelId === undefined || isChannelMember(store, channelId, each.id)) &&
        (teamId === undefined || isTeamMember(store, teamId, each.id)),
    );
    return found.slice(from, from + count).map((each) => wireUser(each, each.id === user.id));
  });

  app.get<ById>('/users/:userId', async (request) => {
    const user = requireUser(world, request);
    return wireUser(known(world, pathUser(user, request.params.userId)), isSelf(user, request.params.userId));
  });

  app.get<{ Params: { username: string } }>('/users/username/:username', async (request) => {
    const user = requireUser(world, request);
    const found = userByName(store, request.params.username);
    if (found === undefined)
      throw new AppError(404, 'app.user.get_by_username.app_error', 'Unable to find an existing account.');
    return wireUser(found, found.id === user.id);
  });

  app.post('/users/ids', async (request) => {
    const user = requireUser(world, request);
    const ids = readStrings(request.body, 'user_ids');
    if (ids.length === 0) throw badBodyParam('user_ids');
    return ids.flatMap((id) => store.users.get(id) ?? []).map((each) => wireUser(each, each.id === user.id));
  });

  app.post('/users/usernames', async (request) => {
    const user = requireUser(world, request);
    const names = readStrings(request.body, 'usernames');
    if (names.length === 0) throw badBodyParam('usernames');
    return names.flatMap((name) => userByName(store, name) ?? []).map((each) => wireUser(each, each.id === user.id));
  });

  app.post<ById>('/users/:userId/typing', async (request) => {
    const user = requireUser(world, request);
    selfOnly(user, pathUser(user, request.params.userId));
    const fields = readFields(request.body, 'typing');
    const channel = memberChannel(world, user, text(fields, 'channel_id'));
    publishTyping(world, user.id, channel.id, text(fields, 'parent_id'));
    return OK;
  });

  app.get<ById>('/users/:userId/status', async (request) => {
    const user = requireUser(world, request);
    return presenceOf(world, known(world, pathUser(user, request.params.userId)).id);
  });

  app.put<ById>('/users/:userId/status', async (request) => {
    const user = requireUser(world, request);
    const userId = pathUser(user, request.params.userId);
    selfOnly(user, userId);
    const fields = readFields(request.body, 'status');
    const status = text(fields, 'status');
    if (text(fields, 'user_id') !== userId) throw badBodyParam('user_id');
    if (!['online', 'away', 'dnd', 'offline'].includes(status)) throw badBodyParam('status');
    return setStatus(world, userId, status, true);
  });

  app.post('/users/status/ids', async (request) => {
    requireUser(world, request);
    return readStrings(request.body, 'user_ids').map((id) => presenceOf(world, id));
  });

  app.get<ById>('/users/:userId/preferences', async (request) => {
    const user = requireUser(world, request);
    selfOnly(user, pathUser(user, request.params.userId));
    return [];
  });

  app.put<ById>('/users/:userId/preferences', async (request) => {
    const user = requireUser(world, request);
    selfOnly(user, pathUser(user, request.params.userId));
    return OK;
  });

  app.post<ById>('/users/:userId/tokens', async (request) => {
    const user = requireUser(world, request);
    const owner = known(world, pathUser(user, request.params.userId));
    selfOnly(user, owner.id);
    const access = createToken(world, owner.id, text(readFields(request.body, 'token'), 'description'));
    return { ...access, is_active: true };
  });

  app.post('/users/tokens/revoke', async (request) => {
    const user = requireUser(world, request);
    const tokenId = text(readFields(request.body, 'token'), 'token_id');
    const access = [...store.tokens.values()].find((each) => each.id === tokenId);
    if (access === undefined || (access.user_id !== user.id && !isAdmin(user))) throw forbidden();
    store.tokens.delete(access.token);
    return OK;
  });

  app.post('/bots', async (request, reply) => {
    const user = requireUser(world, request);
    if (!isAdmin(user)) throw forbidden();
    const fields = readFields(request.body, 'bot');
    const description = text(fields, 'description');
    const displayName = optionalText(fields, 'display_name') ?? '';
    const bot = createUser(world, {
      username: text(fields, 'username').toLowerCase(),
      bot: { ownerId: user.id, displayName, description },
    });
    const { create_at, update_at, delete_at } = bot;
    const wire = { user_id: bot.id, username: bot.username, display_name: displayName, description, owner_id: user.id };
    return reply.code(201).send({ ...wire, create_at, update_at, delete_at });
  });
}

function isSelf(user: User, value: string): boolean {
  return value === 'me' || value === user.id;
}

function known(world: World, userId: string): User {
  const user = world.store.users.get(pathId(userId, 'user_id'));
  if (user === undefined) throw noSuchUser();
  return user;
}
