/** What has to be there before a gateway can begin, and how long it waits for it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { isChatError, type MattermostRest } from './adapters/mattermost/index.ts';
import { type Database, migrateDatabase } from './adapters/postgres/index.ts';
import type { Config } from './config.ts';
import type { Identity } from './wiring.ts';

const AGAIN_MS = 2_000;

/** What keeps a gateway from starting, in words for the person who starts it. */
export class StartError extends Error {
  override readonly name = 'StartError';
  /** Whether it may be there a moment later. */
  readonly mayPass: boolean;
  constructor(message: string, { mayPass, cause }: { readonly mayPass: boolean; readonly cause?: unknown }) {
    super(message, { cause });
    this.mayPass = mayPass;
  }
}

/** Tries until it works, or says why not once `patienceSecs` are over or waiting is of no use. @throws StartError */
export async function patiently<Result>(
  patienceSecs: number,
  log: Logger,
  work: () => Promise<Result>,
): Promise<Result> {
  const until = performance.now() + patienceSecs * 1000;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StartError) || !error.mayPass || performance.now() >= until) throw error;
      log.warn({ reason: error.message }, 'cannot start yet; trying again');
      await sleep(AGAIN_MS);
    }
  }
}

/** Who may do what is worth a look at every start: an empty list is wide open. */
export function sayAccess({ access, container, vm }: Config, log: Logger): void {
  const { allowedUsers, allowedRepos } = access;
  if (allowedUsers.length === 0) log.warn('all members of the team may use the bot: SM_ALLOWED_USERS is empty');
  else log.info({ people: allowedUsers.length }, 'only the people of SM_ALLOWED_USERS may use the bot');
  if (allowedRepos.length === 0) log.warn('every repository may be started: SM_ALLOWED_REPOS is empty');
  else log.info({ patterns: allowedRepos }, 'only the repositories of SM_ALLOWED_REPOS may be started');
  if (vm === null) return;
  if (container.allowPrivileged) log.warn('SM_ALLOW_PRIVILEGED is on: containers are no walls any more');
  if (container.allowHostCommands) log.warn('SM_ALLOW_HOST_COMMANDS is on: repositories run commands on the VM');
}

/** The first call with the token: what the socket would only show as a connection that keeps falling over. */
export async function whoAmI({ mattermost }: Config, rest: MattermostRest): Promise<Identity> {
  try {
    const me = await rest.me();
    const team = await rest.team(mattermost.teamId);
    if (!(await rest.teamMember(team.id, me.id))) {
      const words = `The bot ${me.username} is not a member of the team ${team.displayName}. Add it, then start again.`;
      throw new StartError(words, { mayPass: false });
    }
    return { botUserId: me.id, teamName: team.name };
  } catch (error) {
    if (isChatError(error, 'CHAT_TOKEN')) {
      const words = 'Mattermost does not accept SM_MATTERMOST_TOKEN. Make a new token for the bot and set it.';
      throw new StartError(words, { mayPass: false });
    }
    if (!isChatError(error)) throw error;
    const words = `Mattermost at ${mattermost.url} cannot be used: ${error.message}`;
    throw new StartError(words, { mayPass: true, cause: error });
  }
}

export async function migrate(database: Database): Promise<void> {
  try {
    await migrateDatabase(database);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new StartError(`The database cannot be used: ${message}`, { mayPass: !isForGood(error), cause: error });
  }
}

/** Wrong credentials (28), no such database (3D), or one that a newer program has migrated. */
function isForGood(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  return /^(28|3D)/.test(code) || code === 'database.newer';
}
