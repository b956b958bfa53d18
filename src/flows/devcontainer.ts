/**
 * A repository's devcontainer, from its files to something that may be brought up: found, merged with what is ours, vetted
 * before anything of it is used, and vetted again with what images and Features add. No container is made here.
 *
 * The vetted text is what is used (`--override-config`), whatever becomes of the checkout in the meantime. Not covered by
 * that: compose files, Dockerfiles and local Features, which are read from the checkout once more when the container is built.
 * So nobody may be able to change the checkout from then on, and the hash must still be the one that was vetted.
 */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { TerminalError } from '../actors/index.ts';
import {
  baseImages,
  type CliCall,
  findConfig,
  followLinks,
  type Host,
  idLabelOf,
  labelsOf,
  type Owner,
  readComposeFiles,
  readConfiguration,
  readDockerfiles,
  readImageLabels,
  volumesOf,
} from '../adapters/devcontainer/index.ts';
import type { JsonObject } from '../machines/json.ts';
import {
  type Additions,
  builtServices,
  type ComposeFile,
  composeAdditions,
  type DevcontainerInput,
  type DevcontainerRules,
  mergeConfig,
  type Note,
  placesToLookUp,
  refusalText,
  type Verdict,
  vetDevcontainer,
} from '../policy/devcontainer/index.ts';

export interface PrepareRequest {
  readonly owner: Owner;
  /** Absolute, without links. */
  readonly checkout: string;
  /** A folder outside every checkout, there already, for this container alone. */
  readonly stateFolder: string;
  /** Which of several configurations; empty: nobody chose. */
  readonly choice: string;
  /** For a repository that has no configuration. */
  readonly fallback: JsonObject;
  readonly rules: DevcontainerRules;
  readonly additions: Omit<Additions, 'labels' | 'volumes'>;
  readonly composePath: string | null;
  /** Variables that the configuration may read with `${localEnv:...}`. */
  readonly localEnv: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (sentence: string) => void;
}

export interface PreparedDevcontainer {
  /** For `devcontainerUp`. */
  readonly call: CliCall;
  /** What was ignored, replaced or allowed by a setting; for the thread. */
  readonly notes: readonly Note[];
  /** Whether the repository has a configuration of its own. */
  readonly own: boolean;
  /** Of the configuration and the files it names. */
  readonly hash: string;
}

/** Where a configuration comes from, and what it is merged with. */
type Sources = Pick<PrepareRequest, 'owner' | 'checkout' | 'choice' | 'fallback' | 'additions' | 'signal'>;

/** The configuration and every file of the checkout that it names. */
async function readSources({ shell }: Host, request: Sources) {
  const { owner, checkout, signal } = request;
  const found = await findConfig(shell, { checkout, choice: request.choice, fallback: request.fallback }, signal);
  const additions = { ...request.additions, labels: labelsOf(owner), volumes: volumesOf(owner) };
  const merged = mergeConfig(found.config, additions);
  const place = { checkout, configFile: found.file, config: merged.config };
  const compose = await readComposeFiles(shell, place, signal);
  const dockerfiles = await readDockerfiles(shell, { ...place, compose }, signal);
  const hash = createHash('sha256')
    .update(JSON.stringify([found.config, compose, dockerfiles]))
    .digest('hex');
  return { found, additions, merged, compose, dockerfiles, hash };
}

/** To tell whether a container was, or would be, made from what the repository says now. Nothing is vetted. */
export async function hashOfDevcontainer(host: Host, request: Sources): Promise<string> {
  return (await readSources(host, request)).hash;
}

/** @throws TerminalError DEVCONTAINER_REFUSED with every refusal in words, and what reading and asking throw */
export async function prepareDevcontainer(host: Host, request: PrepareRequest): Promise<PreparedDevcontainer> {
  const { checkout, stateFolder, signal, rules } = request;
  const { shell, runtime } = host;
  const { found, additions, merged, compose, dockerfiles, hash } = await readSources(host, request);
  const files = {
    config: merged.config,
    ownRunArgs: merged.ownRunArgs,
    volumes: additions.volumes,
    compose,
    dockerfiles,
  };
  const vet = async (more: Pick<DevcontainerInput, 'features' | 'imageLabels' | 'merged'>): Promise<Verdict> => {
    const input = { ...files, ...more };
    const where = { folder: checkout, configFile: found.file };
    const links = await followLinks(shell, placesToLookUp(input, where), signal);
    const verdict = vetDevcontainer({ ...input, checkout: { ...where, realPath: (path) => links.get(path) } }, rules);
    if (verdict.refusals.length === 0) return verdict;
    const words = verdict.refusals.map(({ path, does }) => `${path}: ${does}`).join('; ');
    throw new TerminalError('DEVCONTAINER_REFUSED', words, { human: refusalText(verdict.refusals) });
  };
  await vet({ features: [], imageLabels: [] });

  const config = { ...merged.config };
  if (config.dockerComposeFile !== undefined) {
    const file = posix.join(stateFolder, 'compose.json');
    const shape = projectShape(config, compose);
    const isCompose1 = isFirst(await composeProgram(host, request));
    const ours = composeAdditions({ ...shape, isCompose1 }, additions);
    await shell.writeFile(file, JSON.stringify(ours), 0o600, signal);
    config.dockerComposeFile = [...listOf(config.dockerComposeFile), file];
  }
  await shell.writeFile(overrideIn(stateFolder), JSON.stringify(config, null, 2), 0o600, signal);
  const call = cliCall({ ...request, runtime, configFile: found.own ? found.file : null });
  const { localEnv, timeoutMs, onProgress } = request;
  const asking = { ...call, localEnv, timeoutMs, signal, ...(onProgress ? { onProgress } : {}) };
  const contributions = await readConfiguration(host, asking);
  const imageLabels = await readImageLabels(host, imagesOf(files), signal);
  const verdict = await vet({ ...contributions, imageLabels });
  return { call, notes: [...merged.notes, ...verdict.notes], own: found.own, hash };
}

/** How the CLI is asked about a container whose configuration was prepared in its state folder. */
export function cliCall(
  place: Pick<PrepareRequest, 'owner' | 'checkout' | 'stateFolder' | 'composePath'> &
    Pick<CliCall, 'runtime' | 'configFile'>,
): CliCall {
  const { owner, checkout, stateFolder, composePath, runtime, configFile } = place;
  return {
    runtime,
    checkout,
    configFile,
    overrideFile: overrideIn(stateFolder),
    userData: stateFolder,
    idLabel: idLabelOf(owner),
    composePath,
  };
}

/** What the program that the CLI will use says of itself; empty if there is none. $1: the one that was chosen, or nothing; $2: the runtime. */
const COMPOSE_VERSION = `
if [ -n "$1" ]; then exec "$1" version; fi
"$2" compose version 2>&1 || docker-compose version 2>/dev/null || true`;

/** @throws TerminalError COMPOSE_PROGRAM for one that takes more from a repository than is vetted */
async function composeProgram(
  { shell, runtime }: Host,
  { composePath, signal }: Pick<PrepareRequest, 'composePath' | 'signal'>,
): Promise<string> {
  const command = { script: COMPOSE_VERSION, args: [composePath ?? '', runtime] };
  const { stdout } = await shell.exec(command, { signal });
  if (!/podman-compose/i.test(stdout)) return stdout;
  throw new TerminalError('COMPOSE_PROGRAM', stdout.trim().slice(0, 200), {
    human:
      "Compose projects are brought up by podman-compose on this VM, which takes options for podman from a repository's variables, where they are not vetted. Install docker-compose there, which podman then uses.",
  });
}

function isFirst(program: string): boolean {
  return /version:? v?1\./i.test(program);
}

function overrideIn(stateFolder: string): string {
  return posix.join(stateFolder, 'devcontainer.json');
}

function listOf(value: JsonObject[string]): readonly string[] {
  const items = Array.isArray(value) ? value : [value];
  return items.filter((item): item is string => typeof item === 'string');
}

function projectShape(config: JsonObject, compose: readonly ComposeFile[]) {
  const documents = compose.map(({ document }) => objectOf(document));
  const version = documents[0]?.version;
  const services = documents.flatMap((document) => Object.entries(objectOf(document.services)));
  return {
    service: typeof config.service === 'string' ? config.service : '',
    services: services.map(([name]) => name),
    built: builtServices(compose),
    deployed: services.flatMap(([name, service]) => (isDeployed(objectOf(objectOf(service).deploy)) ? [name] : [])),
    version: version === undefined ? null : String(version),
  };
}

function isDeployed({ resources, restart_policy: restarts }: Readonly<Record<string, unknown>>): boolean {
  return objectOf(resources).limits !== undefined || restarts !== undefined;
}

function imagesOf(
  files: Pick<DevcontainerInput, 'compose' | 'dockerfiles'> & { readonly config: JsonObject },
): string[] {
  const services = files.compose.flatMap(({ document }) => Object.values(objectOf(objectOf(document).services)));
  const images = [files.config.image, ...services.map((service) => objectOf(service).image)];
  return [
    ...images.filter((image): image is string => typeof image === 'string' && !image.includes('$')),
    ...files.dockerfiles.flatMap(({ text }) => baseImages(text)),
  ];
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
