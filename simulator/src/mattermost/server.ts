import type { Socket } from 'node:net';
import { createPendingPosts } from './domain/pending.ts';
import { createToken, createUser } from './domain/people.ts';
import { createFaults, type Faults } from './faultKnobs.ts';
import { createFaultState } from './faults.ts';
import { injectFaults, limitRate, watchRequests } from './hooks.ts';
import { createHttp } from './http.ts';
import { newId } from './ids.ts';
import { createLog, type SimLog } from './log.ts';
import { createHostGuard } from './page/guard.ts';
import { pageRoutes } from './page/routes.ts';
import { openStateFile } from './persistence.ts';
import { createRateLimiter, type RateLimit } from './rateLimit.ts';
import { actionRoutes } from './routes/actions.ts';
import { categoryRoutes } from './routes/categories.ts';
import { channelRoutes } from './routes/channels.ts';
import { fileRoutes } from './routes/files.ts';
import { memberRoutes } from './routes/members.ts';
import { postRoutes } from './routes/posts.ts';
import { systemRoutes } from './routes/system.ts';
import { teamRoutes } from './routes/teams.ts';
import { userRoutes } from './routes/users.ts';
import { createSeeds, type Seeds } from './seed.ts';
import { createStore, userByName } from './store.ts';
import { createHub } from './websocket/hub.ts';
import { serveWebSockets } from './websocket/server.ts';
import type { World } from './world.ts';

export interface MattermostOptions {
  /** 0, the default, lets the system choose. */
  port?: number;
  /** Only the loopback interface: the stand-in is no server for others. */
  host?: '127.0.0.1';
  /** Token of the user `admin`; a random one by default. */
  adminToken?: string;
  /** Off by default, as on the real server. */
  rateLimit?: RateLimit | undefined;
  /** Hosts message buttons may call; all others are refused, public ones too. Default: the loopback names. */
  allowedIntegrationHosts?: string[];
  /** Keeps users, tokens, teams, channels, posts and data about files over restarts. */
  stateFile?: string;
  /** Writes the log as lines of JSON, too. */
  logFile?: string;
  /** Epoch milliseconds; the system's clock by default. */
  now?: () => number;
  /** Serves the chat page to whoever knows the token, and refuses foreign hosts and origins everywhere. */
  page?: { token: string };
}

/** A running stand-in. `faults` makes things go wrong, `log` says what really happened. */
export interface MattermostSimulator extends Seeds {
  url: string;
  port: number;
  adminToken: string;
  faults: Faults;
  log: SimLog;
  /** How many requests the rate limit has refused (429). */
  refusals(): number;
  close(): Promise<void>;
}

const LOOPBACK = ['127.0.0.1', 'localhost', '::1'];

/** Starts a stand-in for Mattermost 11.x, REST and WebSocket on one port. */
export async function startMattermost(options: MattermostOptions = {}): Promise<MattermostSimulator> {
  const now = options.now ?? Date.now;
  const store = createStore();
  const stateFile = options.stateFile === undefined ? undefined : openStateFile(options.stateFile, store);
  const faultState = createFaultState();
  const world: World = {
    store,
    hub: createHub(store, now),
    log: createLog(options.logFile),
    faults: faultState,
    pending: createPendingPosts(now),
    now,
    integrationHosts: new Set(options.allowedIntegrationHosts ?? LOOPBACK),
    changed: () => stateFile?.changed(),
  };
  const admin =
    userByName(store, 'admin') ?? createUser(world, { username: 'admin', roles: 'system_admin system_user' });
  const adminToken = createToken(world, admin.id, 'administrator', options.adminToken ?? newId()).token;
  const seeds = createSeeds(world, admin.id);

  const app = await createHttp();
  const guard = options.page === undefined ? undefined : createHostGuard();
  const limiter = options.rateLimit === undefined ? undefined : createRateLimiter(options.rateLimit, now);
  guard?.install(app);
  let refusals = 0;
  if (limiter !== undefined) {
    limitRate(app, limiter, () => {
      refusals += 1;
    });
  }
  // Before the faults: what was done is saved even if its answer is lost.
  watchRequests(app, world);
  injectFaults(app, faultState);
  await app.register(
    async (api) => {
      for (const routes of [
        systemRoutes,
        userRoutes,
        teamRoutes,
        channelRoutes,
        memberRoutes,
        postRoutes,
        actionRoutes,
        fileRoutes,
      ]) {
        routes(api, world);
      }
      categoryRoutes(api, world);
    },
    { prefix: '/api/v4' },
  );
  if (options.page !== undefined)
    pageRoutes(app, world, { token: options.page.token, userId: seeds.createUser({ username: 'you' }).id });

  const tcp = new Set<Socket>();
  app.server.on('connection', (socket: Socket) => {
    tcp.add(socket);
    socket.on('close', () => tcp.delete(socket));
  });
  const sockets = serveWebSockets(world, app.server, (request) => guard?.refusal(request));
  await app.listen({ port: options.port ?? 0, host: options.host ?? '127.0.0.1' });
  const address = app.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  guard?.listensOn(port);
  const faults = createFaults(world, faultState, tcp);

  return {
    ...seeds,
    url: `http://127.0.0.1:${port}`,
    port,
    adminToken,
    faults,
    log: world.log,
    refusals: () => refusals,
    close: async () => {
      faults.clear();
      sockets.close();
      for (const socket of tcp) socket.destroy();
      for (const release of faultState.held) release();
      await app.close();
      world.hub.close();
      stateFile?.flush();
    },
  };
}
