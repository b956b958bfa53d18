import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import type { AccessToken, Team, TeamMember, User } from '../entities.ts';
import { AppError } from '../errors.ts';
import { newId } from '../ids.ts';
import { channelByName, membersOf, teamByName, userByName } from '../store.ts';
import type { World } from '../world.ts';
import { addChannel } from './channels.ts';
import { systemPost } from './posts.ts';

export interface NewUser {
  username: string;
  email?: string;
  password?: string;
  roles?: string;
  firstName?: string;
  lastName?: string;
  nickname?: string;
  bot?: { ownerId: string; displayName: string; description: string };
}

/** Creates a person or a bot. Errors: 400 for a bad or taken user name. */
export function createUser(world: World, given: NewUser): User {
  if (!/^[a-z][a-z0-9._-]{0,63}$/.test(given.username)) {
    throw new AppError(400, 'model.user.is_valid.username.app_error', 'Username must begin with a letter.');
  }
  if (userByName(world.store, given.username)) {
    throw new AppError(400, 'app.user.save.username_exists.app_error', 'An account with that username already exists.');
  }
  const at = world.now();
  const user: User = {
    id: newId(),
    username: given.username,
    email: given.email ?? `${given.username}@localhost`,
    first_name: given.firstName ?? '',
    last_name: given.lastName ?? '',
    nickname: given.nickname ?? '',
    roles: given.roles ?? 'system_user',
    create_at: at,
    update_at: at,
    delete_at: 0,
    ...(given.password ? { password: hashed(given.password) } : {}),
    ...(given.bot === undefined
      ? {}
      : {
          bot: { owner_id: given.bot.ownerId, display_name: given.bot.displayName, description: given.bot.description },
        }),
  };
  world.store.users.set(user.id, user);
  return user;
}

/** A token that works until it is revoked. Session tokens and access tokens are the same here. */
export function createToken(world: World, userId: string, description: string, token = newId()): AccessToken {
  const access: AccessToken = { id: newId(), token, user_id: userId, description };
  world.store.tokens.set(token, access);
  return access;
}

export function hasPassword(user: User, password: string): boolean {
  const [salt, hash] = (user.password ?? '').split(':');
  if (salt === undefined || hash === undefined) return false;
  return timingSafeEqual(Buffer.from(hash, 'hex'), scryptSync(password, salt, 32));
}

function hashed(password: string): string {
  const salt = randomBytes(8).toString('hex');
  return `${salt}:${scryptSync(password, salt, 32).toString('hex')}`;
}

/** Creates a team with its two default channels. Errors: 400 for a taken name. */
export function createTeam(world: World, given: { name: string; displayName: string; creatorId: string }): Team {
  if (!/^[a-z][a-z0-9-]{1,63}$/.test(given.name)) {
    throw new AppError(
      400,
      'model.team.is_valid.characters.app_error',
      'Name must be 2 or more lowercase alphanumeric characters.',
    );
  }
  if (teamByName(world.store, given.name)) {
    throw new AppError(400, 'app.team.save.existing.app_error', 'A team with that name already exists.');
  }
  const at = world.now();
  const team: Team = {
    id: newId(),
    name: given.name,
    display_name: given.displayName,
    description: '',
    invite_id: newId(),
    create_at: at,
    update_at: at,
    delete_at: 0,
  };
  world.store.teams.set(team.id, team);
  for (const [name, displayName] of [
    ['town-square', 'Town Square'],
    ['off-topic', 'Off-Topic'],
  ] as const) {
    addChannel(world, { teamId: team.id, name, displayName, type: 'O', creatorId: given.creatorId });
  }
  return team;
}

/** Adds a user to a team and to its default channels. Idempotent. */
export function addTeamMember(world: World, team: Team, user: User, admin = false): TeamMember {
  const key = `${team.id}/${user.id}`;
  const known = world.store.teamMembers.get(key);
  if (known) return known;
  const member: TeamMember = { team_id: team.id, user_id: user.id, scheme_admin: admin };
  world.store.teamMembers.set(key, member);
  world.hub.publish({
    event: 'added_to_team',
    data: { team_id: team.id, user_id: user.id },
    audience: { userId: user.id },
  });
  for (const name of ['town-square', 'off-topic']) {
    const channel = channelByName(world.store, team.id, name);
    if (channel === undefined) continue;
    membersOf(world.store, channel.id).set(user.id, {
      channel_id: channel.id,
      user_id: user.id,
      scheme_admin: false,
      last_viewed_at: 0,
      last_update_at: world.now(),
    });
    if (name === 'town-square') {
      systemPost(world, channel.id, user.id, 'system_join_team', `${user.username} joined the team.`, {
        username: user.username,
      });
    }
  }
  return member;
}
