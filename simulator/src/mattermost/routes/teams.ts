import type { FastifyInstance } from 'fastify';
import { memberTeam, pathUser, selfOnly } from '../access.ts';
import { addTeamMember, createTeam } from '../domain/people.ts';
import { AppError, forbidden } from '../errors.ts';
import { pathId, readFields, text } from '../fields.ts';
import { isAdmin, requireUser } from '../http.ts';
import { isTeamMember, teamByName } from '../store.ts';
import { wireTeam, wireTeamMember } from '../views.ts';
import type { World } from '../world.ts';

export function teamRoutes(app: FastifyInstance, world: World): void {
  const { store } = world;

  app.post('/teams', async (request, reply) => {
    const user = requireUser(world, request);
    if (!isAdmin(user)) throw forbidden();
    const fields = readFields(request.body, 'team');
    const team = createTeam(world, {
      name: text(fields, 'name'),
      displayName: text(fields, 'display_name'),
      creatorId: user.id,
    });
    addTeamMember(world, team, user, true);
    return reply.code(201).send(wireTeam(team));
  });

  app.get('/teams', async (request) => {
    const user = requireUser(world, request);
    return [...store.teams.values()]
      .filter((team) => isAdmin(user) || isTeamMember(store, team.id, user.id))
      .map(wireTeam);
  });

  app.get<{ Params: { teamId: string } }>('/teams/:teamId', async (request) => {
    const user = requireUser(world, request);
    return wireTeam(memberTeam(world, user, store.teams.get(pathId(request.params.teamId, 'team_id'))));
  });

  app.get<{ Params: { name: string } }>('/teams/name/:name', async (request) => {
    const user = requireUser(world, request);
    const team = teamByName(store, request.params.name);
    if (team === undefined)
      throw new AppError(404, 'app.team.get_by_name.missing.app_error', 'Unable to find the existing team.');
    return wireTeam(memberTeam(world, user, team));
  });

  app.get<{ Params: { userId: string } }>('/users/:userId/teams', async (request) => {
    const user = requireUser(world, request);
    const userId = pathUser(user, request.params.userId);
    selfOnly(user, userId);
    return [...store.teams.values()].filter((team) => isTeamMember(store, team.id, userId)).map(wireTeam);
  });

  app.get<{ Params: { userId: string } }>('/users/:userId/teams/members', async (request) => {
    const user = requireUser(world, request);
    const userId = pathUser(user, request.params.userId);
    selfOnly(user, userId);
    return [...store.teamMembers.values()].filter((member) => member.user_id === userId).map(wireTeamMember);
  });
}
