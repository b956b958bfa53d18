import type { FastifyInstance } from 'fastify';
import { memberChannel, memberTeam, pathUser, readableChannel, selfOnly } from '../access.ts';
import { addMember, markViewed, removeMember } from '../domain/channels.ts';
import { addTeamMember } from '../domain/people.ts';
import { AppError, badBodyParam, forbidden, noSuchUser } from '../errors.ts';
import { idField, pathId, readFields } from '../fields.ts';
import { isAdmin, OK, requireUser } from '../http.ts';
import { isId } from '../ids.ts';
import { membersOf } from '../store.ts';
import { wireChannelMember, wireTeamMember } from '../views.ts';
import type { World } from '../world.ts';
import { pageOf } from './channels.ts';

type OfChannel = { Params: { channelId: string; userId: string } };
type OfTeam = { Params: { teamId: string; userId: string } };
type Query = { Querystring: Record<string, string | undefined> };

/** Who is in which channel and which team. */
export function memberRoutes(app: FastifyInstance, world: World): void {
  const { store } = world;

  app.post<{ Params: { channelId: string } }>('/channels/:channelId/members', async (request, reply) => {
    const user = requireUser(world, request);
    const channelId = pathId(request.params.channelId, 'channel_id');
    const fields = readFields(request.body, 'member');
    const several = Array.isArray(fields.user_ids) ? fields.user_ids : undefined;
    const userIds = several ?? [idField(fields, 'user_id')];
    if (!userIds.every(isId)) throw badBodyParam('user_ids');
    const joinsOnly = userIds.every((id) => id === user.id);
    const channel = joinsOnly ? readableChannel(world, user, channelId) : memberChannel(world, user, channelId);
    for (const id of userIds) if (!store.users.has(id)) throw noSuchUser();
    const members = userIds.map((id) => wireChannelMember(addMember(world, channel, id, user.id)));
    return reply.code(201).send(several === undefined ? members[0] : members);
  });

  app.get<{ Params: { channelId: string } } & Query>('/channels/:channelId/members', async (request) => {
    const user = requireUser(world, request);
    const channel = readableChannel(world, user, pathId(request.params.channelId, 'channel_id'));
    const { from, count } = pageOf(request.query);
    return [...membersOf(store, channel.id).values()].slice(from, from + count).map(wireChannelMember);
  });

  app.get<OfChannel>('/channels/:channelId/members/:userId', async (request) => {
    const user = requireUser(world, request);
    const channel = readableChannel(world, user, pathId(request.params.channelId, 'channel_id'));
    const member = membersOf(store, channel.id).get(pathUser(user, request.params.userId));
    if (member === undefined) {
      throw new AppError(
        404,
        'app.channel.get_member.missing.app_error',
        'No channel member found for that user ID and channel ID.',
      );
    }
    return wireChannelMember(member);
  });

  app.delete<OfChannel>('/channels/:channelId/members/:userId', async (request) => {
    const user = requireUser(world, request);
    const channel = memberChannel(world, user, pathId(request.params.channelId, 'channel_id'));
    const userId = pathId(pathUser(user, request.params.userId), 'user_id');
    if (!membersOf(store, channel.id).has(userId)) {
      throw new AppError(
        404,
        'app.channel.get_member.missing.app_error',
        'No channel member found for that user ID and channel ID.',
      );
    }
    removeMember(world, channel, userId, user.id);
    return OK;
  });

  app.post<{ Params: { userId: string } }>('/channels/members/:userId/view', async (request) => {
    const user = requireUser(world, request);
    selfOnly(user, pathUser(user, request.params.userId));
    const { channel_id: channelId } = readFields(request.body, 'view');
    const times = typeof channelId === 'string' ? markViewed(world, channelId, user.id) : {};
    return { ...OK, last_viewed_at_times: times };
  });

  app.get<{ Params: { userId: string; teamId: string } }>(
    '/users/:userId/teams/:teamId/channels/members',
    async (request) => {
      const user = requireUser(world, request);
      const userId = pathUser(user, request.params.userId);
      selfOnly(user, userId);
      return [...store.channelMembers].flatMap(([channelId, members]) => {
        const member = members.get(userId);
        const inTeam = store.channels.get(channelId)?.team_id === request.params.teamId;
        return member !== undefined && inTeam ? [wireChannelMember(member)] : [];
      });
    },
  );

  app.post<{ Params: { teamId: string } }>('/teams/:teamId/members', async (request, reply) => {
    const user = requireUser(world, request);
    const fields = readFields(request.body, 'member');
    const teamId = pathId(request.params.teamId, 'team_id');
    if (idField(fields, 'team_id') !== teamId) throw badBodyParam('team_id');
    const team = memberTeam(world, user, store.teams.get(teamId));
    const added = store.users.get(idField(fields, 'user_id'));
    if (added === undefined) throw noSuchUser();
    return reply.code(201).send(wireTeamMember(addTeamMember(world, team, added)));
  });

  app.get<{ Params: { teamId: string } } & Query>('/teams/:teamId/members', async (request) => {
    const user = requireUser(world, request);
    const team = memberTeam(world, user, store.teams.get(pathId(request.params.teamId, 'team_id')));
    const { from, count } = pageOf(request.query);
    const members = [...store.teamMembers.values()].filter((member) => member.team_id === team.id);
    return members.slice(from, from + count).map(wireTeamMember);
  });

  app.get<OfTeam>('/teams/:teamId/members/:userId', async (request) => {
    const user = requireUser(world, request);
    const team = memberTeam(world, user, store.teams.get(pathId(request.params.teamId, 'team_id')));
    const member = store.teamMembers.get(`${team.id}/${pathUser(user, request.params.userId)}`);
    if (member === undefined) {
      throw new AppError(
        404,
        'app.team.get_member.missing.app_error',
        'No team member found for that user ID and team ID.',
      );
    }
    return wireTeamMember(member);
  });

  app.delete<OfTeam>('/teams/:teamId/members/:userId', async (request) => {
    const user = requireUser(world, request);
    const userId = pathUser(user, request.params.userId);
    if (userId !== user.id && !isAdmin(user)) throw forbidden();
    store.teamMembers.delete(`${request.params.teamId}/${userId}`);
    for (const [channelId, members] of store.channelMembers) {
      if (store.channels.get(channelId)?.team_id === request.params.teamId) members.delete(userId);
    }
    return OK;
  });
}
