/** Everything around the gateway: a real PostgreSQL, the chat server's stand-in, repositories, people, folders. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDemoRepo } from '../../simulator/src/dev/demoRepo.ts';
import { freePort } from '../../simulator/src/dev/gateway.ts';
import {
  type MattermostOptions,
  type MattermostSimulator,
  type SeededUser,
  startMattermost,
} from '../../simulator/src/mattermost/index.ts';
import { startPostgres, type TestDatabase, type TestPostgres } from '../support/postgres.ts';
import { DIST, writeGatewayProgram } from './gatewayProgram.ts';

const TSX = createRequire(import.meta.url).resolve('tsx');
const WORKER = fileURLToPath(new URL('./simulatedWorker.ts', import.meta.url));
const REPOS = ['alpha', 'beta', 'gamma'] as const;
const PEOPLE = ['ann', 'ben', 'cleo'] as const;
const TRIGGER = '@claude';

export interface CrashWorld {
  readonly folder: string;
  readonly postgres: TestPostgres;
  readonly database: TestDatabase;
  readonly chat: MattermostSimulator;
  readonly teamId: string;
  readonly lobbyId: string;
  readonly bot: SeededUser;
  readonly people: readonly SeededUser[];
  readonly repos: readonly string[];
  readonly trigger: string;
  /** Where the chat server sends clicks: a gateway listens there, or something in front of several. */
  readonly callbackPort: number;
  /** What the simulated workers wrote down. */
  readonly workerLog: string;
  /** The gateway's program, for Node. */
  readonly gatewayProgram: string;
  /** The whole environment of a gateway that listens on this port. */
  gatewayEnv(port: number, extra?: Readonly<Record<string, string>>): Record<string, string>;
  stop(): Promise<void>;
}

/** @param options of the chat server */
export async function startWorld(options: Pick<MattermostOptions, 'rateLimit'> = {}): Promise<CrashWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'csm-crash-'));
  const closers: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    return await build(folder, closers, stop, options);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(
  folder: string,
  closers: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
  options: Pick<MattermostOptions, 'rateLimit'>,
): Promise<CrashWorld> {
  const postgres = await startPostgres();
  closers.push(() => postgres.stop());
  const database = await postgres.freshDatabase();
  const chat = await startMattermost(options);
  closers.push(() => chat.close());
  const team = chat.createTeam({ name: 'dev' });
  const people = PEOPLE.map((username) => chat.createUser({ username, teamIds: [team.id] }));
  const bot = chat.createBot({ username: 'claude', teamIds: [team.id] });
  const [owner] = people;
  const lobby = chat.createChannel({ teamId: team.id, name: 'lobby', creatorId: owner?.id ?? '' });
  for (const { id } of [...people.slice(1), bot]) chat.addMember(lobby.id, id);

  const sources: string[] = [];
  for (const name of REPOS) {
    const { upstream } = await createDemoRepo({ path: join(folder, 'repos', name) });
    sources.push(`${name}=${upstream}`);
  }
  const workerLog = join(folder, 'worker.ndjson');
  const home = join(folder, 'home');
  mkdirSync(home);
  const callbackPort = await freePort();
  closers.push(async () => endWorkers(workerLog));

  return {
    folder,
    postgres,
    database,
    chat,
    teamId: team.id,
    lobbyId: lobby.id,
    bot,
    people,
    repos: REPOS,
    trigger: TRIGGER,
    callbackPort,
    workerLog,
    gatewayProgram: writeGatewayProgram(join(folder, 'gateway')),
    gatewayEnv: (port, extra = {}) => ({
      PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
      LANG: 'C.UTF-8',
      HOME: home,
      SM_MATTERMOST_URL: chat.url,
      SM_MATTERMOST_TOKEN: bot.token,
      SM_MATTERMOST_TEAM_ID: team.id,
      SM_DATABASE_URL: database.url,
      SM_CALLBACK_SECRET: 'a secret that only this test knows',
      SM_CALLBACK_URL: `http://127.0.0.1:${callbackPort}/callback`,
      SM_LISTEN_ADDR: `127.0.0.1:${port}`,
      SM_WORKSPACE: 'local',
      SM_FIREWALL: 'none',
      SM_LOOP_LIMIT: '0',
      SM_INSPECTOR_ADDR: 'off',
      SM_DATA_DIR: join(folder, 'workspace'),
      SM_LOCAL_REPOS: sources.join(','),
      SM_WORKER_COMMAND: `${process.execPath} --import ${TSX} ${WORKER}`,
      SM_AGENT_ENV: 'CSM_CRASH_EVIDENCE,CSM_CRASH_PROBE',
      CSM_CRASH_EVIDENCE: workerLog,
      CSM_CRASH_DIST: DIST,
      SM_CONTAINER_MAX_SESSIONS: '100',
      SM_RATE_LIMIT_RPS: '1000',
      SM_RATE_LIMIT_BURST: '1000',
      // Everything that happened is to be compared in the end.
      SM_RETENTION_JOURNAL_ROWS: '1000000',
      ...extra,
    }),
    stop,
  };
}

/** Ends the workers of this world by what they wrote down about themselves, also one that no gateway remembers. */
function endWorkers(workerLog: string): void {
  for (const line of linesOf(workerLog)) {
    const entry = JSON.parse(line) as { what: string; pid: number; startTime: string };
    if (entry.what !== 'started' || startTimeOf(entry.pid) !== entry.startTime) continue;
    process.kill(entry.pid, 'SIGKILL');
  }
}

export function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    // There is no such process.
    return undefined;
  }
}
