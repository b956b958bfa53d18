/**
 * The configuration that is really used: the repository's, with what the session manager adds. Pure. Everything of the
 * repository that works in a container is kept, its own start commands too; what would clash with the life of our
 * containers is taken out, and said.
 */
import { posix } from 'node:path';
import type { Json, JsonObject } from '../../machines/json.ts';
import { ownImage } from './composeImages.ts';
import { KNOWN_PROPERTIES } from './config.ts';
import { type Mount, OWN_FOLDER, parseMount, parseVolumeText } from './mounts.ts';
import type { OwnVolumes } from './places.ts';
import { type Option, parseRunArgs } from './runFlags.ts';
import { isData } from './shape.ts';
import type { Note } from './verdict.ts';

/** The agent's home in every container. */
export const HOME_FOLDER = `${OWN_FOLDER}/home`;
/** The repository's worktrees. */
export const WORKTREES_FOLDER = `${OWN_FOLDER}/worktrees`;
/** The worker bundle, read-only. */
export const WORKER_FOLDER = `${OWN_FOLDER}/worker`;

export interface Limits {
  /** Bytes; 0: no limit. */
  readonly memoryBytes: number;
  /** 0: no limit. */
  readonly cpus: number;
  /** 0: no limit. */
  readonly pids: number;
}

export interface Additions {
  /** `csm.managed` and the others that say whose container it is. */
  readonly labels: Readonly<Record<string, string>>;
  /** Where the worker listens; null if nothing is published. */
  readonly publish: { readonly address: string; readonly hostPort: number; readonly containerPort: number } | null;
  readonly volumes: OwnVolumes;
  /** Folder of the VM with the worker bundle; null if the image has the worker. */
  readonly workerMount: string | null;
  /** Folder of the VM with the repository's worktrees; null: none is mounted. */
  readonly worktrees: string | null;
  readonly limits: Limits;
  /** For a repository that names no network. */
  readonly network: string;
  /** A user namespace to ask for, where the runtime's choice would not work; null: none. */
  readonly userns: string | null;
  /** Environment of the container, besides the repository's own. */
  readonly env: Readonly<Record<string, string>>;
}

export interface Merged {
  readonly config: JsonObject;
  /** The end of `runArgs`: ours. */
  readonly ownRunArgs: readonly string[];
  readonly notes: readonly Note[];
}

/** @param repo the repository's devcontainer.json, or the default one */
export function mergeConfig(repo: JsonObject, additions: Additions): Merged {
  const notes: Note[] = [];
  const config: Record<string, Json | undefined> = {};
  for (const [key, value] of Object.entries(repo)) {
    if (KNOWN_PROPERTIES.includes(key)) config[key] = value;
    else notes.push({ path: key, text: 'Not a property known here; left out.' });
  }
  if (Array.isArray(repo.mounts)) config.mounts = ownMounts(repo.mounts, additions.volumes, notes);
  if (typeof repo.workspaceMount === 'string') {
    [config.workspaceMount] = ownMounts([repo.workspaceMount], additions.volumes, notes, 'workspaceMount');
  }
  for (const key of START_COMMANDS) {
    const command = repo[key];
    if (typeof command === 'string') config[key] = withoutWaiting(command, key, notes);
    else if (isObject(command)) {
      config[key] = Object.fromEntries(
        Object.entries(command).map(([name, part]) => [
          name,
          typeof part === 'string' ? withoutWaiting(part, `${key}.${name}`, notes) : part,
        ]),
      );
    }
  }
  if (repo.postAttachCommand !== undefined) {
    notes.push({ path: 'postAttachCommand', text: 'Not run: no editor is attached.' });
  }
  config.containerEnv = { ...(isObject(repo.containerEnv) ? repo.containerEnv : {}), ...additions.env };
  if (repo.dockerComposeFile !== undefined) return { config, ownRunArgs: [], notes };
  const kept = keptRunArgs(repo.runArgs, additions, notes);
  const ownRunArgs = [
    ...(kept.hasNetwork ? [] : [`--network=${additions.network}`]),
    ...ourRunArgs(additions, kept.limits),
  ];
  config.runArgs =
    Array.isArray(repo.runArgs) || repo.runArgs === undefined ? [...kept.words, ...ownRunArgs] : repo.runArgs;
  return { config, ownRunArgs, notes };
}

function isObject(value: Json | undefined): value is JsonObject {
  return isData(value);
}

const START_COMMANDS = ['onCreateCommand', 'updateContentCommand', 'postCreateCommand', 'postStartCommand'];

/**
 * What a command leaves running in the background (`server &`) keeps the pipe of `devcontainer up`. Some runtimes wait until
 * nobody can print into it any more, so `up` would never end; others close it, and the server ends with its next line. Such a
 * command prints into a file, which is shown when the command itself is done.
 */
function withoutWaiting(command: string, path: string, notes: Note[]): string {
  if (!/(^|[^&><|])&(?![&>])/.test(command)) return command;
  notes.push({ path, text: 'What it leaves running in the background prints into a file in /tmp of the container.' });
  const log = `/tmp/csm-${path.replace(/[^A-Za-z0-9]/g, '-')}.log`;
  return `(\n${command}\n) </dev/null >${log} 2>&1; code=$?; cat ${log}; exit $code`;
}

/**
 * Named volumes become the repository's own, so that no repository reads another one's; a volume for the agent's
 * configuration becomes the home of this container.
 */
function ownMounts(
  mounts: readonly Json[],
  volumes: OwnVolumes,
  notes: Note[],
  path: string | null = null,
): readonly Json[] {
  return mounts.map((item, index) => {
    const mount = parseMount(item);
    if ('problem' in mount || mount.type !== 'volume') return item;
    const source = ownSource(mount, volumes, notes, path ?? `mounts[${index}]`);
    return source === undefined ? item : replaceSource(item, source);
  });
}

/** Undefined: it stays as it is. */
function ownSource(mount: Mount, volumes: OwnVolumes, notes: Note[], path: string): string | undefined {
  const { source, target } = mount;
  if (source === '' || source.includes('/') || source.startsWith(volumes.prefix) || source === volumes.home)
    return undefined;
  const isAgentHome = posix.basename(target) === '.claude';
  const words = isAgentHome ? "this container's own volume for the agent" : 'a volume of this repository alone';
  notes.push({ path, text: `The volume ${source} is replaced by ${words}.` });
  return isAgentHome ? volumes.home : `${volumes.prefix}${source}`;
}

function replaceSource(item: Json, source: string): Json {
  if (typeof item === 'string')
    return item.replace(/((?:^|,)\s*(?:source|src)=)[^,]*/i, (_, key: string) => `${key}${source}`);
  return isObject(item) ? { ...item, source } : item;
}

interface Kept {
  readonly words: readonly string[];
  readonly hasNetwork: boolean;
  readonly limits: Limits;
}

/** The repository's arguments without those that are ours to decide. Its limits count if they are lower than ours. */
function keptRunArgs(runArgs: Json | undefined, { limits, volumes }: Additions, notes: Note[]): Kept {
  const given = Array.isArray(runArgs) ? runArgs.filter((word): word is string => typeof word === 'string') : [];
  const words: string[] = [];
  let { memoryBytes, cpus, pids } = limits;
  let hasNetwork = false;
  const parsed = parseRunArgs(given);
  for (const option of parsed) {
    if (option.kind === 'option' && ['network', 'net'].includes(option.flag.name)) hasNetwork = true;
    if (option.kind === 'option' && option.flag.rule === 'ours') {
      const { name } = option.flag;
      if (name === 'memory') memoryBytes = lower(memoryBytes, bytesOf(option.value));
      else if (name === 'cpus') cpus = lower(cpus, Number(option.value));
      else if (name === 'pids-limit') pids = lower(pids, Number(option.value));
      if (!['memory', 'cpus', 'pids-limit'].includes(name) || isRaised(name, option.value, limits)) {
        notes.push({ path: `runArgs[${option.at}]`, text: `--${name} is decided by the session manager; left out.` });
      }
      continue;
    }
    words.push(...ownVolumeWords(option, parsed, volumes, notes));
  }
  return { words, hasNetwork, limits: { memoryBytes, cpus, pids } };
}

/** As written, but with volumes that are the repository's own, and short switches that share a word spelt out. */
function ownVolumeWords(option: Option, all: readonly Option[], volumes: OwnVolumes, notes: Note[]): readonly string[] {
  if (option.kind === 'unknown') return option.words;
  const { name, takesValue } = option.flag;
  const path = `runArgs[${option.at}]`;
  if (name === 'mount') {
    const [text] = ownMounts([option.value], volumes, notes, path);
    if (text !== option.value) return [`--mount=${String(text)}`];
  }
  if (name === 'volume') {
    const mount = parseVolumeText(option.value);
    const source = 'problem' in mount || mount.type !== 'volume' ? undefined : ownSource(mount, volumes, notes, path);
    if (source !== undefined && !('problem' in mount))
      return [`--volume=${source}${option.value.slice(mount.source.length)}`];
  }
  if (all.filter((other) => other.at === option.at).length === 1) return option.words;
  return [takesValue ? `--${name}=${option.value}` : `--${name}`];
}

function isRaised(name: string, value: string, limits: Limits): boolean {
  if (name === 'memory') return lower(limits.memoryBytes, bytesOf(value)) !== bytesOf(value);
  return lower(name === 'cpus' ? limits.cpus : limits.pids, Number(value)) !== Number(value);
}

/** Zero, and what is no number, is no limit. */
function lower(ours: number, theirs: number): number {
  if (!(theirs > 0)) return ours;
  return ours === 0 ? theirs : Math.min(ours, theirs);
}

/** `512m`, `2g`, `1024`: as container runtimes read sizes. NaN if it is none. */
export function bytesOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?$/i.exec(text.trim());
  if (!match) return Number.NaN;
  const power = 'bkmgt'.indexOf((match[2] ?? '').toLowerCase() || 'b');
  return Math.floor(Number(match[1]) * 1024 ** power);
}

function ourRunArgs(additions: Additions, limits: Limits): readonly string[] {
  const { labels, publish, volumes, workerMount, worktrees, userns } = additions;
  return [
    ...(publish === null ? [] : [`--publish=${publish.address}:${publish.hostPort}:${publish.containerPort}`]),
    ...Object.entries(labels).map(([name, value]) => `--label=${name}=${value}`),
    `--mount=type=volume,source=${volumes.home},target=${HOME_FOLDER}`,
    ...(worktrees === null ? [] : [`--mount=type=bind,source=${worktrees},target=${WORKTREES_FOLDER}`]),
    ...(workerMount === null ? [] : [`--mount=type=bind,source=${workerMount},target=${WORKER_FOLDER},readonly`]),
    ...(limits.memoryBytes > 0 ? [`--memory=${limits.memoryBytes}`] : []),
    ...(limits.cpus > 0 ? [`--cpus=${limits.cpus}`] : []),
    ...(limits.pids > 0 ? [`--pids-limit=${limits.pids}`] : []),
    ...(userns === null ? [] : [`--userns=${userns}`]),
    NO_FORGING,
  ];
}

/** Ways out belong to addresses, so nobody may send in the name of another one. Podman's default set does not have it, Docker's has. */
const FORGING = 'NET_RAW';
const NO_FORGING = `--cap-drop=${FORGING}`;

/**
 * What a compose project gets on top of its own files: a further compose file (JSON is YAML). Ports, labels and mounts for
 * the service of the devcontainer; labels and limits for every service, so that all of them are found and bounded. The
 * other services' images must not say by a label of their own that they are some devcontainer: `csm.id` is how it is found.
 * @param version the first file's `version`, which older programs want to be the same in all
 */
export function composeAdditions(
  project: {
    readonly service: string;
    readonly services: readonly string[];
    /** Of these the ones whose image is built: what they build gets a name of its own. */
    readonly built: readonly string[];
    /** Those with limits below `deploy`, which must not say anything else than ours: compose refuses the file then. */
    readonly deployed: readonly string[];
    /** Compose 1 knows no `pids` there and refuses it; later ones refuse a file without. */
    readonly isCompose1: boolean;
    readonly version: string | null;
  },
  additions: Additions,
): JsonObject {
  const { labels, publish, volumes, workerMount, worktrees, limits } = additions;
  const bounds = {
    labels,
    cap_drop: [FORGING],
    // A daemon that brings it up by itself at boot asks nobody whether walls stand.
    restart: 'no',
    ...(limits.memoryBytes > 0 ? { mem_limit: limits.memoryBytes } : {}),
    ...(limits.cpus > 0 ? { cpus: limits.cpus } : {}),
    ...(limits.pids > 0 ? { pids_limit: limits.pids } : {}),
  };
  const deploy = {
    restart_policy: { condition: 'none' },
    resources: {
      limits: {
        ...(limits.memoryBytes > 0 ? { memory: String(limits.memoryBytes) } : {}),
        ...(limits.cpus > 0 ? { cpus: String(limits.cpus) } : {}),
        ...(limits.pids > 0 && !project.isCompose1 ? { pids: limits.pids } : {}),
      },
    },
  };
  const main = {
    ...(publish === null ? {} : { ports: [`${publish.address}:${publish.hostPort}:${publish.containerPort}`] }),
    volumes: [
      `csm-home:${HOME_FOLDER}`,
      ...(worktrees === null ? [] : [`${worktrees}:${WORKTREES_FOLDER}`]),
      ...(workerMount === null ? [] : [`${workerMount}:${WORKER_FOLDER}:ro`]),
    ],
  };
  const services = Object.fromEntries(
    [...new Set([...project.services, project.service])].map((name) => [
      name,
      {
        ...bounds,
        ...(name === project.service ? main : { labels: { ...labels, 'csm.id': '' } }),
        ...(project.deployed.includes(name) ? { deploy } : {}),
        ...(project.built.includes(name) ? { image: ownImage(labels['csm.key'] ?? '', name) } : {}),
      },
    ]),
  );
  return {
    ...(project.version === null ? {} : { version: project.version }),
    services,
    volumes: { 'csm-home': { name: volumes.home } },
  };
}
