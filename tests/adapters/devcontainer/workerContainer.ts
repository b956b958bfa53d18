/** Containers with agent workers on the test machine, and the gateway's side of the worker. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { TOKEN_SHA256 } from '../../../agent-worker/tests/support/workerProcess.ts';
import { type Host, startWorker, type WorkerSpec } from '../../../src/adapters/devcontainer/index.ts';
import { freePort } from '../../support/sshd.ts';
import { IMAGE, type Machine } from './machine.ts';

export const API_KEY = 'sk-ant-key-of-the-agents';
const REPOSITORY = resolve('.');

export interface TestContainer {
  readonly id: string;
  readonly host: Host;
  /** Of the machine's loopback. */
  readonly port: number;
  readonly gateway: string;
  spec(more?: Partial<WorkerSpec>): WorkerSpec;
  start(more?: Partial<WorkerSpec>, user?: string): ReturnType<typeof startWorker>;
  /** Output of a shell script in the container. */
  sh(script: string, user?: string): Promise<string>;
  /** Processes whose command line has the text: `pid command`. */
  processes(text: string): Promise<string[]>;
}

/**
 * A bundle that is only a way to this checkout: nothing of 400 MB is copied. The real one is built and tested elsewhere.
 * @returns arguments for `podman run`
 */
export async function thinBundle(machine: Machine, name = 'bundle'): Promise<readonly string[]> {
  const folder = join(machine.folder, name);
  const bin = join(folder, `linux-${process.arch}-glibc`, 'bin');
  await mkdir(bin, { recursive: true });
  const main = join(REPOSITORY, 'agent-worker/dist/main.js');
  await writeFile(join(bin, 'agent-worker'), `#!/bin/sh\nexec ${process.execPath} ${main} "$@"\n`, { mode: 0o755 });
  const shared = [process.execPath, join(REPOSITORY, 'agent-worker'), join(REPOSITORY, 'node_modules')];
  const volumes = [`${folder}:/csm/worker:ro`, ...shared.map((path) => `${path}:${path}:ro`)];
  return volumes.flatMap((volume) => ['--volume', volume]);
}

/** A container that does nothing, with the agent's volume and the worker's port, as `devcontainer up` leaves it. */
export async function runContainer(
  machine: Machine,
  args: readonly string[],
  { image = IMAGE, volume = `home-${Math.random().toString(36).slice(2)}` }: { image?: string; volume?: string } = {},
): Promise<TestContainer> {
  const port = await freePort();
  const id = (
    await machine.podman(
      ...[
        'run',
        '--detach',
        '--network',
        'isolated',
        '--publish',
        `127.0.0.1:${port}:50051`,
        '--volume',
        `${volume}:/csm/home`,
      ],
      ...args,
      ...[image, 'sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done'],
    )
  ).trim();
  const [network] = JSON.parse(await machine.podman('network', 'inspect', 'isolated'));
  const host: Host = { shell: machine.shell, runtime: 'podman' };
  const sh = (script: string, user = '0'): Promise<string> =>
    machine.podman('exec', '--user', user, id, 'sh', '-c', script);
  const spec = (more: Partial<WorkerSpec> = {}): WorkerSpec => ({
    identity: 'acme/app@main#1',
    tokenHash: TOKEN_SHA256,
    port: 50_051,
    agentIdleSeconds: 900,
    secrets: { ANTHROPIC_API_KEY: API_KEY },
    bundled: true,
    ...more,
  });
  return {
    id,
    host,
    port,
    gateway: network.subnets[0].gateway,
    spec,
    sh,
    start: (more = {}, user = 'vscode') =>
      startWorker(host, { containerId: id, remoteUser: user, remoteWorkspaceFolder: '/workspaces/app' }, spec(more)),
    processes: (text) => processesIn(sh, text),
  };
}

/** Numbers and command lines of what runs where `sh` does, with this text in it. Without a terminal `ps` would show nothing. */
export async function processesIn(sh: (script: string) => Promise<string>, text: string): Promise<string[]> {
  const out = await sh('cd /proc; for id in [0-9]*; do echo $id $(tr "\\0" " " <$id/cmdline 2>/dev/null); done');
  return out.split('\n').filter((line) => line.includes(text) && !line.includes('cd /proc'));
}
