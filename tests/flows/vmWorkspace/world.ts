/** Workspaces on a "VM" that is this machine: real git, real podman, the real devcontainer CLI; the charts are played by tests. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ActorView, type EffectRequest, silentLog } from '../../../src/actors/index.ts';
import { loadConfig } from '../../../src/config.ts';
import { vmWorkspaceHandlers } from '../../../src/flows/vmWorkspace/handlers.ts';
import type { VmWorkspace } from '../../../src/flows/vmWorkspace/ports.ts';
import type { Address } from '../../../src/machines/addresses.ts';
import { NO_MACHINE } from '../../../src/machines/container/context.ts';
import type { ExternalKind, ParamsOf, Machine as Standing } from '../../../src/machines/effects.ts';
import type { JsonObject } from '../../../src/machines/json.ts';
import { IMAGE, type Machine, startMachine } from '../../adapters/devcontainer/machine.ts';
import { clear, type Ground, layGround } from '../../adapters/git/support.ts';
import { makeRepository, type TestRepository } from '../../support/gitServer.ts';
import { localShell } from '../../support/localShell.ts';

export const FIRST_PORT = 42_300;
const ENV = {
  SM_MATTERMOST_URL: 'http://127.0.0.1:1',
  SM_MATTERMOST_TOKEN: 'token',
  SM_MATTERMOST_TEAM_ID: 'a'.repeat(26),
  SM_CALLBACK_SECRET: '0123456789abcdef0123456789abcdef',
  SM_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
  SM_VM_HOST: '127.0.0.1',
  SM_FIREWALL: 'none',
  SM_CONTAINER_IMAGE: IMAGE,
  SM_GRPC_PORT_START: String(FIRST_PORT),
  SM_CONTAINER_MEMORY: '256m',
  SM_CONTAINER_CPUS: '1',
  SM_CONTAINER_PIDS: '200',
};

type Handlers = ReturnType<typeof vmWorkspaceHandlers>;
type Steps = Extract<keyof Handlers, ExternalKind>;

export interface World {
  readonly machine: Machine;
  readonly ground: Ground;
  readonly ports: VmWorkspace;
  /** What the asking actor is at, for those who look; undefined: nobody knows. */
  actor: ActorView | undefined;
  /** The same for single ones. */
  readonly actors: Map<string, ActorView>;
  /** What becomes of raising the walls, each time. */
  raiseWalls: () => Promise<void>;
  /** Sentences for the threads. */
  readonly told: string[];
  /** A repository with these files, pushed; once more, these are pushed on top. */
  repository(name: string, files: Readonly<Record<string, string>>): void;
  /** Carries one step out. */
  step(kind: Steps, name: string, more?: JsonObject): Promise<JsonObject>;
  /** All steps up to a configuration that may be brought up. @returns what stands */
  vetted(name: string, generation?: number): Promise<Standing>;
  /** All steps up to a running container. @returns what stands */
  bringUp(name: string, generation?: number): Promise<Standing>;
  close(): Promise<void>;
}

/** @param env settings besides the usual ones */
export async function startWorld(env: Readonly<Record<string, string>> = {}): Promise<World> {
  const machine = await startMachine({}, { compose: true });
  // git and podman are on the same machine.
  const ground = layGround({ shell: localShell(machine.env) });
  const loaded = loadConfig({ ...ENV, ...env }, () => '');
  if (!loaded.ok || loaded.config.vm === null) throw new Error(JSON.stringify(loaded));
  const { config } = loaded;
  const told: string[] = [];
  const sources = new Map<string, TestRepository>();
  const ports: VmWorkspace = {
    host: { shell: machine.shell, runtime: 'podman' },
    git: ground.options,
    config: { ...config, vm: { secretsFile: null } },
    instance: 'here',
    runtime: {
      read: async (address) => world.actors.get(address) ?? world.actor,
      deliver: async (items) => {
        for (const { event } of items) told.push(String(event.text));
        return items.map(() => 'accepted' as const);
      },
    },
    vmState: () => ({ up: true, since: 0, reason: '' }),
    tokenHash: () => '0'.repeat(64),
    learn: () => undefined,
    transport: { host: '127.0.0.1' },
    env: { ANTHROPIC_API_KEY: 'sk-ant-of-the-gateway' },
    raiseWalls: () => world.raiseWalls(),
    checkWalls: async () => {},
    now: Date.now,
  };
  const handlers = vmWorkspaceHandlers({ ...ports, states: async () => [], most: 3 });
  const world: World = {
    machine,
    ground,
    ports,
    actor: undefined,
    actors: new Map(),
    raiseWalls: async () => {},
    told,
    repository: (name, files) => {
      const source = sources.get(name) ?? makeRepository(join(ground.root, 'forge'), `acme/${name}`);
      sources.set(name, source);
      for (const [file, text] of Object.entries(files)) {
        mkdirSync(join(source.work, file, '..'), { recursive: true });
        writeFileSync(join(source.work, file), text);
      }
      source.commit('first');
      source.push();
    },
    step: async (kind, name, more = {}) => {
      const repo = { repo: `acme/${name}`, source: '', branch: '' };
      const container = `container/acme/${name}@` as const;
      const params = { repo, container, generation: 1, machine: NO_MACHINE, avoid: [], fresh: false, ...more };
      const actor = kind === 'workspace.checkout' ? (String(more.session) as Address) : container;
      const request = { key: `${container}/1/${kind}`, actor, kind, params, attempt: 1, deadline: 0 };
      const handler = handlers[kind] as (
        request: EffectRequest<Steps>,
        context: { signal: AbortSignal; log: typeof silentLog },
      ) => Promise<JsonObject | undefined>;
      const context = { signal: new AbortController().signal, log: silentLog };
      const asked = { ...request, params: params as ParamsOf<Steps> };
      return (await handler(asked as EffectRequest<Steps>, context)) ?? {};
    },
    vetted: async (name, generation = 1) => {
      let standing: Standing = NO_MACHINE;
      await world.step('workspace.mirror', name, { generation });
      for (const kind of ['workspace.reserve', 'workspace.vet'] as const) {
        standing = { ...standing, ...(await world.step(kind, name, { generation, machine: standing })) };
      }
      return standing;
    },
    bringUp: async (name, generation = 1) => {
      const machine = await world.vetted(name, generation);
      return { ...machine, ...(await world.step('workspace.up', name, { generation, machine })) };
    },
    close: async () => {
      await machine.remove();
      clear(ground);
    },
  };
  return world;
}
