import { addMember, createChannel } from './domain/channels.ts';
import { addTeamMember, createTeam, createToken, createUser } from './domain/people.ts';
import type { User } from './entities.ts';
import { teamByName, userByName } from './store.ts';
import type { World } from './world.ts';

export interface SeededUser {
  id: string;
  username: string;
  token: string;
}

/** Makes what a test or the development environment needs, without going through the API. What is there already is taken as it is. */
export interface Seeds {
  createTeam(given: { name: string; displayName?: string }): { id: string; name: string };
  createUser(given: { username: string; teamIds?: string[]; password?: string }): SeededUser;
  /** @param given.token use this token instead of a random one. */
  createBot(given: { username: string; teamIds?: string[]; displayName?: string; token?: string }): SeededUser;
  addTeamMember(teamId: string, userId: string): void;
  createChannel(given: { teamId: string; name: string; displayName?: string; type?: 'O' | 'P'; creatorId: string }): {
    id: string;
    name: string;
  };
  /** Adds a user to a channel; the user must be in its team. */
  addMember(channelId: string, userId: string, byId?: string): void;
}

export function createSeeds(world: World, adminId: string): Seeds {
  const { store } = world;
  const seeded = (user: User, description: string, teamIds: string[], token?: string): SeededUser => {
    for (const teamId of teamIds) joinTeam(teamId, user.id);
    const wanted = [...store.tokens.values()].find(
      (each) =>
        each.user_id === user.id && each.description === description && (token === undefined || each.token === token),
    );
    const access = wanted ?? createToken(world, user.id, description, token);
    world.changed();
    return { id: user.id, username: user.username, token: access.token };
  };
  const joinTeam = (teamId: string, userId: string) => {
    const team = store.teams.get(teamId);
    const user = store.users.get(userId);
    if (team === undefined || user === undefined) throw new Error('no such team or user');
    addTeamMember(world, team, user);
    world.changed();
  };
  const channelOf = (channelId: string) => {
    const channel = store.channels.get(channelId);
    if (channel === undefined) throw new Error('no such channel');
    return channel;
  };
  return {
    createTeam: ({ name, displayName }) => {
      const team =
        teamByName(store, name) ?? createTeam(world, { name, displayName: displayName ?? name, creatorId: adminId });
      world.changed();
      return { id: team.id, name: team.name };
    },
    createUser: ({ username, teamIds = [], password }) => {
      const user =
        userByName(store, username) ?? createUser(world, { username, ...(password === undefined ? {} : { password }) });
      return seeded(user, 'seeded session', teamIds);
    },
    createBot: ({ username, teamIds = [], displayName = '', token }) => {
      const bot = { ownerId: adminId, displayName, description: '' };
      const user = userByName(store, username) ?? createUser(world, { username, bot });
      return seeded(user, 'seeded access token', teamIds, token);
    },
    addTeamMember: joinTeam,
    createChannel: ({ teamId, name, displayName, type = 'O', creatorId }) => {
      const known = [...store.channels.values()].find((channel) => channel.team_id === teamId && channel.name === name);
      const channel =
        known ?? createChannel(world, { teamId, name, displayName: displayName ?? name, type, creatorId });
      world.changed();
      return { id: channel.id, name: channel.name };
    },
    addMember: (channelId, userId, byId = userId) => {
      addMember(world, channelOf(channelId), userId, byId);
      world.changed();
    },
  };
}
