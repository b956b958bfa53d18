/**
 * The development environment: database, chat server and page, model, demo repository, gateway. State lives below one
 * folder and survives restarts; everything listens on loopback only.
 */
import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type MattermostSimulator, type SeededUser, startMattermost } from '../mattermost/index.ts';
import { type ModelApi, startModelApi } from '../model/index.ts';
import { createDemoRepo } from './demoRepo.ts';
import { freePort, type Gateway, startGateway, WORKER_MAIN } from './gateway.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './postgres.ts';
import { readSecrets } from './secrets.ts';
import { stopWorkers } from './workers.ts';

export interface EnvironmentOptions {
  readonly dataDir: string;
  /** Of the chat page; 0 lets the system choose. */
  readonly port: number;
  readonly model: 'scripted' | 'real';
  readonly onStage?: (stage: string) => void;
  /** Further variables for the gateway, above the usual ones. */
  readonly gatewayEnv?: Readonly<Record<string, string>>;
  /** Milliseconds after each word of a `slow` answer. */
  readonly slowDelayMs?: number;
  /** The address of the scripted model; default loopback. */
  readonly modelHost?: string;
}

export interface Environment {
  readonly chat: MattermostSimulator;
  readonly model: ModelApi | undefined;
  readonly databaseUrl: string;
  readonly you: SeededUser;
  readonly bot: SeededUser;
  readonly teamId: string;
  /** The channel to begin in. */
  readonly lobbyId: string;
  readonly pageUrl: string;
  /** The statechart inspector of the gateway. */
  readonly inspectorUrl: string;
  readonly workspaceDir: string;
  /** What the gateway is configured with. */
  readonly gatewayEnv: Readonly<Record<string, string>>;
  gateway(): Gateway;
  /** Starts a gateway in the place of one that has ended, with other settings if there are any. */
  restartGateway(settings?: Readonly<Record<string, string>>): Promise<Gateway>;
  stop(): Promise<void>;
}

export async function startEnvironment(options: EnvironmentOptions): Promise<Environment> {
  const { dataDir, onStage = () => {} } = options;
  await mkdir(dataDir, { recursive: true });
  // The database runs as a user of its own when this one is root, and must get through; nobody may look around.
  await chmod(dataDir, 0o711);
  const closers: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await build(options, onStage, closers, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(
  options: EnvironmentOptions,
  onStage: (stage: string) => void,
  closers: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
): Promise<Environment> {
  const { dataDir } = options;
  const workspaceDir = join(dataDir, 'workspace');
  const secrets = await readSecrets(join(dataDir, 'secrets.json'));

  onStage('database');
  const database: EmbeddedPostgres = await startEmbeddedPostgres({
    dataDir: join(dataDir, 'postgres'),
    log: () => {},
  });
  closers.push(() => database.stop());

  onStage('chat');
  const chat = await startMattermost({
    port: options.port,
    stateFile: join(dataDir, 'chat.json'),
    page: { token: secrets.page },
  });
  closers.push(() => chat.close());
  const team = chat.createTeam({ name: 'dev', displayName: 'Development' });
  const you = chat.createUser({ username: 'you', teamIds: [team.id] });
  const bot = chat.createBot({ username: 'claude', displayName: 'Claude', teamIds: [team.id] });
  const lobby = chat.createChannel({ teamId: team.id, name: 'lobby', displayName: 'Lobby', creatorId: you.id });
  chat.addMember(lobby.id, bot.id);

  onStage('model');
  const model = options.model === 'scripted' ? await startScriptedModel(options) : undefined;
  if (model) closers.push(() => model.close());

  onStage('repository');
  const demo = await createDemoRepo({ path: join(dataDir, 'demo') });

  onStage('gateway');
  closers.push(() => stopWorkers(workspaceDir));
  const port = await freePort();
  const inspectorPort = await freePort();
  const env = {
    ...baseEnv(dataDir),
    SM_MATTERMOST_URL: chat.url,
    SM_MATTERMOST_TOKEN: bot.token,
    SM_MATTERMOST_TEAM_ID: team.id,
    SM_DATABASE_URL: database.url,
    SM_CALLBACK_SECRET: secrets.callback,
    SM_CALLBACK_URL: `http://127.0.0.1:${port}/callback`,
    SM_LISTEN_ADDR: `127.0.0.1:${port}`,
    SM_INSPECTOR_ADDR: `127.0.0.1:${inspectorPort}`,
    SM_INSPECTOR_ALLOW_SEND: 'true',
    SM_WORKSPACE: 'local',
    SM_FIREWALL: 'none',
    // Tests write faster than people do.
    SM_LOOP_LIMIT: '0',
    SM_DATA_DIR: workspaceDir,
    SM_LOCAL_REPOS: `demo=${demo.upstream}`,
    SM_WORKER_COMMAND: `${process.execPath} ${WORKER_MAIN}`,
    SM_TOOL_POLICY: options.model === 'real' ? 'ask' : 'allow',
    ...agentEnv(options, model),
    ...options.gatewayEnv,
  };
  await mkdir(join(dataDir, 'home'), { recursive: true });
  let gateway = await startGateway({ env, port, logFile: join(dataDir, 'gateway.log') });
  closers.push(() => gateway.stop());

  return {
    chat,
    model,
    databaseUrl: database.url,
    you,
    bot,
    teamId: team.id,
    lobbyId: lobby.id,
    pageUrl: `${chat.url}/?token=${secrets.page}`,
    inspectorUrl: `http://127.0.0.1:${inspectorPort}/`,
    workspaceDir,
    gatewayEnv: env,
    gateway: () => gateway,
    restartGateway: async (settings = {}) => {
      Object.assign(env, settings);
      gateway = await startGateway({ env, port, logFile: join(dataDir, 'gateway.log') });
      return gateway;
    },
    stop,
  };
}

/** The gateway, its workers and their agents see nothing of this shell's environment but what is named here. */
function baseEnv(dataDir: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
    LANG: process.env.LANG ?? 'C.UTF-8',
    HOME: join(dataDir, 'home'),
  };
}

async function startScriptedModel({ slowDelayMs, modelHost: host }: EnvironmentOptions): Promise<ModelApi> {
  return startModelApi({
    ...(slowDelayMs === undefined ? {} : { slowDelayMs }),
    ...(host === undefined ? {} : { host }),
  });
}

function agentEnv({ model: which }: EnvironmentOptions, model: ModelApi | undefined): Record<string, string> {
  if (which === 'real') {
    const key = process.env.ANTHROPIC_API_KEY;
    if (!key) throw new Error('--model real needs ANTHROPIC_API_KEY in the environment.');
    return { SM_AGENT_ENV: 'ANTHROPIC_API_KEY', ANTHROPIC_API_KEY: key };
  }
  return {
    SM_AGENT_ENV: 'ANTHROPIC_API_KEY,ANTHROPIC_BASE_URL,IS_SANDBOX,CLAUDE_CODE_MAX_RETRIES',
    ANTHROPIC_API_KEY: 'scripted',
    ANTHROPIC_BASE_URL: model?.url ?? '',
    // The scripted model does only what the person at the page types.
    IS_SANDBOX: '1',
    CLAUDE_CODE_MAX_RETRIES: '2',
  };
}

/** Forgets everything an environment kept. */
export async function removeEnvironment(dataDir: string): Promise<void> {
  await rm(dataDir, { recursive: true, force: true });
}
