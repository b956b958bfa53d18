import type { FastifyInstance } from 'fastify';
import { mayRead, memberChannel, memberTeam, pathUser, readableChannel, selfOnly } from '../access.ts';
import { archiveChannel, createChannel, patchChannel, publishUpdated } from '../domain/channels.ts';
import { postsAfter, postsBefore, postsPage, postsSince } from '../domain/listing.ts';
import type { Channel, Team, User } from '../entities.ts';
import { AppError, badBodyParam, forbidden } from '../errors.ts';
import { idField, optionalText, pathId, queryNumber, readFields, text } from '../fields.ts';
import { isAdmin, OK, requireUser } from '../http.ts';
import { channelByName, isChannelMember, teamByName } from '../store.ts';
import { wireChannel } from '../views.ts';
import type { World } from '../world.ts';

type ById = { Params: { channelId: string } };
type Query = { Querystring: Record<string, string | undefined> };

export function channelRoutes(app: FastifyInstance, world: World): void {
  const { store } = world;

  app.post('/channels', async (request, reply) => {
    const user = requireUser(world, request);
    const fields = readFields(request.body, 'channel');
    const teamId = idField(fields, 'team_id');
    memberTeam(world, user, store.teams.get(teamId));
    const channel = createChannel(world, {
      teamId,
      name: text(fields, 'name'),
      displayName: text(fields, 'display_name'),
      type: text(fields, 'type'),
      header: text(fields, 'header'),
      purpose: text(fields, 'purpose'),
      creatorId: user.id,
    });
    return reply.code(201).send(wireChannel(channel));
  });

  app.get<ById>('/channels/:channelId', async (request) => {
    const user = requireUser(world, request);
    return wireChannel(readableChannel(world, user, pathId(request.params.channelId, 'channel_id')));
  });

  app.put<ById>('/channels/:channelId/patch', async (request) => {
    const user = requireUser(world, request);
    const channel = memberChannel(world, user, pathId(request.params.channelId, 'channel_id'));
    const fields = readFields(request.body, 'channel');
    patchChannel(world, channel, user, {
      name: optionalText(fields, 'name'),
      displayName: optionalText(fields, 'display_name'),
      header: optionalText(fields, 'header'),
      purpose: optionalText(fields, 'purpose'),
    });
    return wireChannel(channel);
  });

  app.delete<ById>('/channels/:channelId', async (request) => {
    const user = requireUser(world, request);
    const channel = memberChannel(world, user, pathId(request.params.channelId, 'channel_id'));
    if (channel.name === 'town-square') {
      throw new AppError(400, 'api.channel.delete_channel.cannot.app_error', 'Cannot archive the default channel.');
    }
    if (channel.delete_at > 0)
      throw new AppError(400, 'api.channel.delete_channel.deleted.app_error', 'The channel is archived already.');
    archiveChannel(world, channel, user);
    return OK;
  });

  app.post<ById>('/channels/:channelId/restore', async (request) => {
    const user = requireUser(world, request);
    if (!isAdmin(user)) throw forbidden();
    const channel = readableChannel(world, user, pathId(request.params.channelId, 'channel_id'));
    channel.delete_at = 0;
    channel.update_at = world.now();
    publishUpdated(world, channel);
    return wireChannel(channel);
  });

  app.get<{ Params: { team: string; name: string } } & Query>('/teams/:team/channels/name/:name', async (request) => {
    const user = requireUser(world, request);
    const team = memberTeam(world, user, store.teams.get(pathId(request.params.team, 'team_id')));
    return wireChannel(namedChannel(world, user, team, request.params.name, request.query.include_deleted === 'true'));
  });

  app.get<{ Params: { team: string; name: string } } & Query>(
    '/teams/name/:team/channels/name/:name',
    async (request) => {
      const user = requireUser(world, request);
      const team = memberTeam(world, user, teamByName(store, request.params.team));
      return wireChannel(
        namedChannel(world, user, team, request.params.name, request.query.include_deleted === 'true'),
      );
    },
  );

  app.get<{ Params: { userId: string; teamId: string } } & Query>(
    '/users/:userId/teams/:teamId/channels',
    async (request) => {
      const user = requireUser(world, request);
      const userId = pathUser(user, request.params.userId);
      selfOnly(user, userId);
      const deleted = request.query.include_deleted === 'true';
      return ownChannels(world, userId, deleted).filter((channel) => channel.team_id === request.params.teamId);
    },
  );

  app.get<{ Params: { userId: string } } & Query>('/users/:userId/channels', async (request) => {
    const user = requireUser(world, request);
    const userId = pathUser(user, request.params.userId);
    selfOnly(user, userId);
    return ownChannels(world, userId, request.query.include_deleted === 'true');
  });

  app.get<{ Params: { teamId: string } } & Query>('/teams/:teamId/channels', async (request) => {
    const user = requireUser(world, request);
    const team = memberTeam(world, user, store.teams.get(pathId(request.params.teamId, 'team_id')));
    const { from, count } = pageOf(request.query);
    const open = [...store.channels.values()].filter(
      (channel) => channel.team_id === team.id && channel.type === 'O' && channel.delete_at === 0,
    );
    return open.slice(from, from + count).map(wireChannel);
  });

  app.get<ById & Query>('/channels/:channelId/posts', async (request) => {
    const user = requireUser(world, request);
    const channel = memberChannel(world, user, pathId(request.params.channelId, 'channel_id'));
    const { since, before, after, page } = request.query;
    const perPage = Math.min(200, queryNumber(request.query.per_page, 60));
    if (since !== undefined && since !== '') {
      if (!/^\d+$/.test(since)) throw badBodyParam('since');
      return postsSince(store, channel.id, Number(since));
    }
    if (before) return postsBefore(store, channel.id, before, queryNumber(page, 0), perPage);
    if (after) return postsAfter(store, channel.id, after, queryNumber(page, 0), perPage);
    return postsPage(store, channel.id, queryNumber(page, 0), perPage);
  });
}

function namedChannel(world: World, user: User, team: Team, name: string, includeDeleted: boolean): Channel {
  const channel = channelByName(world.store, team.id, name);
  if (channel === undefined || (channel.delete_at > 0 && !includeDeleted) || !mayRead(world, user, channel)) {
    throw new AppError(404, 'app.channel.get_by_name.missing.app_error', 'Channel does not exist.');
  }
  return channel;
}

function ownChannels(world: World, userId: string, includeDeleted: boolean): Record<string, unknown>[] {
  return [...world.store.channels.values()]
    .filter(
      (channel) => isChannelMember(world.store, channel.id, userId) && (includeDeleted || channel.delete_at === 0),
    )
    .map(wireChannel);
}

/** A page of a list: 60 a page unless asked for, 200 at most. */
export function pageOf(query: Record<string, string | undefined>): { from: number; count: number } {
  const count = Math.min(200, queryNumber(query.per_page, 60));
  return { from: queryNumber(query.page, 0) * count, count };
}
