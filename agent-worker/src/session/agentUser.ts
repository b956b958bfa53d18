// Starting programs as the agent's user.
import { type ChildProcessWithoutNullStreams, type SpawnOptionsWithoutStdio, spawn } from 'node:child_process';

export interface AgentUser {
  uid: number;
  gid: number;
  /** Supplementary groups. */
  groups: readonly number[];
}

/** Names the trampoline's copy of the environment: the variables themselves must not act on a process that is root. */
const CARRIED = 'AGENT_WORKER_CARRIED_';

/**
 * Becomes the user and then the program. Node's own way of starting a child as another user drops every supplementary
 * group. Its environment is carried under other names until it has stopped being root.
 */
const TRAMPOLINE = `
const [uid, gid, groups, file, ...args] = process.argv.slice(1);
process.setgroups([gid, ...groups.split(',')].map(Number));
process.setgid(Number(gid));
process.setuid(Number(uid));
const carried = Object.entries(process.env).filter(([name]) => name.startsWith('${CARRIED}'));
const env = Object.fromEntries(carried.map(([name, value]) => [name.slice(${CARRIED.length}), value]));
process.execve(file, [file, ...args], env);
`;

type Options = Omit<SpawnOptionsWithoutStdio, 'uid' | 'gid'> & { readonly env: NodeJS.ProcessEnv };

/**
 * @param file absolute
 * @param user undefined: the worker's own
 */
export function spawnAs(
  user: AgentUser | undefined,
  file: string,
  args: readonly string[],
  options: Options,
): ChildProcessWithoutNullStreams {
  if (!user) return spawn(file, args, options);
  if (user.groups.length === 0 || !canReplaceItself()) {
    return spawn(file, args, { ...options, uid: user.uid, gid: user.gid });
  }
  const env = Object.entries(options.env).map(([name, value]) => [`${CARRIED}${name}`, value]);
  const words = [String(user.uid), String(user.gid), user.groups.join(','), file, ...args];
  return spawn(process.execPath, ['--no-warnings', '--eval', TRAMPOLINE, '--', ...words], {
    ...options,
    env: Object.fromEntries(env),
  });
}

/** `process.execve` came with Node 22.15. Without it agents have no supplementary groups. */
export function canReplaceItself(): boolean {
  return 'execve' in process;
}
