/**
 * A gateway process, from the outside in: it checks what it depends on, answers HTTP from the beginning, and acts only while
 * it leads (see lead.ts).
 */
import type { Logger } from 'pino';
import type { FaultPoints, Store } from './actors/index.ts';
import { checkHealth, type HttpServer, startHttp } from './adapters/http/index.ts';
import { isChatError, type MattermostRest } from './adapters/mattermost/index.ts';
import { createStore, type Database, migrateDatabase, openDatabase } from './adapters/postgres/index.ts';
import type { Config } from './config.ts';
import { decide } from './flows/decisions.ts';
import { observe } from './flows/metrics.ts';
import { followChat, lead } from './lead.ts';
import { mayDecide } from './policy/approvers.ts';
import { chatClient, type Gateway, type Identity, verifier, wire } from './wiring.ts';

/** What keeps a gateway from starting, in words for the person who starts it. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

export interface Service {
  /** Resolves with the reason when the process should end by itself. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

/** Where tests get in: nothing of this is used otherwise. */
export interface ServiceHooks {
  readonly faults?: FaultPoints;
  readonly wrapStore?: (store: Store) => Store;
}

/** @throws StartError for what a person has to mend. */
export async function serve(config: Config, log: Logger, hooks: ServiceHooks = {}): Promise<Service> {
  const rest = chatClient(config);
  const identity = await whoAmI(config, rest);
  const database = openDatabase({ url: config.database.url.reveal(), poolSize: config.database.poolSize });
  const stopping = new AbortController();
  const closers: (() => Promise<unknown>)[] = [() => database.close()];
  const stop = async (): Promise<void> => {
    stopping.abort(new Error('stopping'));
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    await migrate(database);
    const store = (hooks.wrapStore ?? ((plain) => plain))(createStore(database));
    const gateway = wire(config, identity, store, rest, log, hooks.faults);
    const chat = followChat(gateway, log);
    observe(gateway, store, () => chat.name() === 'up');
    const http = await listen(config, gateway, store, chat.name, log);
    closers.push(() => http.close());
    const ended = lead({ config, identity, gateway, database, store, rest, chat, closers, log }, stopping.signal);
    return { ended, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The first call with the token: what the socket would only show as a connection that keeps falling over. */
async function whoAmI({ mattermost }: Config, rest: MattermostRest): Promise<Identity> {
  try {
    const me = await rest.me();
    const team = await rest.team(mattermost.teamId);
    if (!(await rest.teamMember(team.id, me.id))) {
      throw new StartError(
        `The bot ${me.username} is not a member of the team ${team.displayName}. Add it, then start again.`,
      );
    }
    return { botUserId: me.id, teamName: team.name };
  } catch (error) {
    if (isChatError(error, 'CHAT_TOKEN')) {
      throw new StartError('Mattermost does not accept SM_MATTERMOST_TOKEN. Make a new token for the bot and set it.');
    }
    if (!isChatError(error)) throw error;
    throw new StartError(`Mattermost at ${mattermost.url} cannot be used: ${error.message}`, { cause: error });
  }
}

async function migrate(database: Database): Promise<void> {
  try {
    await migrateDatabase(database);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new StartError(`The database cannot be used: ${message}`, { cause: error });
  }
}

async function listen(
  config: Config,
  { runtime, cards, metrics }: Gateway,
  store: Store,
  chatState: () => string,
  log: Logger,
): Promise<HttpServer> {
  const { server, access } = config;
  return startHttp({
    listen: `${server.listenAddr.host}:${server.listenAddr.port}`,
    health: () =>
      checkHealth({
        database: { critical: true, run: async () => void (await store.health(2_000)) },
        chat: { critical: false, run: async () => chatState() },
      }),
    metrics: metrics.registry,
    onCallback: async (click) => {
      const done = metrics.callbackDuration.startTimer();
      try {
        return await decide(
          {
            runtime,
            cards,
            verify: verifier(config),
            mayApprove: (person) => mayDecide(person, access.allowedApprovers),
            log,
            now: Date.now,
          },
          click,
        );
      } finally {
        done();
      }
    },
    rateLimit: { rps: server.rateLimitRps, burst: server.rateLimitBurst },
    trustedProxies: server.trustedProxies,
    log,
  });
}
