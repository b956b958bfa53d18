/** Files of a checkout that decide what its containers may do. Links that lead out of the checkout are not followed. */
import { posix } from 'node:path';
import { parseDocument } from 'yaml';
import { TerminalError } from '../../actors/index.ts';
import type { JsonObject } from '../../machines/json.ts';
import type { Shell } from './shell.ts';

const FILE_LIMIT_BYTES = 1024 * 1024;
/** A project of more compose files than this is a mistake, or a trap. */
const COMPOSE_LIMIT_FILES = 30;

export interface ComposeText {
  /** Absolute. */
  readonly file: string;
  /** The YAML as plain data; undefined if it cannot be read. */
  readonly document: unknown;
}

/** Where paths really lead (`realpath -m`): every link followed, whether or not something is there. */
export async function followLinks(
  shell: Shell,
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const plain = paths.filter((path) => path.startsWith('/') && !path.includes('\0'));
  if (plain.length === 0) return new Map();
  const { code, stdout, stderr } = await shell.exec(
    { script: 'xargs -0 realpath -m -z --' },
    { stdin: plain.map((path) => `${path}\0`).join(''), signal, maxOutputBytes: 4 << 20 },
  );
  const found = stdout.split('\0');
  // Without an answer for each of them the answers could not be told apart.
  if (found.length !== plain.length + 1) {
    throw new TerminalError('CHECKOUT_UNREADABLE', `realpath: exit code ${code}: ${stderr.trim()}`, {
      human: 'The VM cannot say where the paths of the devcontainer configuration lead.',
    });
  }
  return new Map(plain.map((path, index) => [path, found[index] ?? '']));
}

const NOT_INSIDE = 66;

/** Opened once, and then asked where it is: nobody can put another file in its place in between. $1 file, $2 checkout. */
const READ_INSIDE = `
[ -f "$1" ] || exit ${NOT_INSIDE}
exec 3<"$1" || exit 1
case $(readlink /proc/self/fd/3) in "$2"/*) ;; *) exit ${NOT_INSIDE} ;; esac
[ -f /proc/self/fd/3 ] || exit ${NOT_INSIDE}
exec head -c ${FILE_LIMIT_BYTES + 1} <&3
`;

/** Undefined if there is none, or if it is not inside the checkout. @throws TerminalError if it cannot be read */
export async function readInside(
  shell: Shell,
  checkout: string,
  file: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { code, stdout, stderr } = await shell.exec(
    { script: READ_INSIDE, args: [file, checkout] },
    { signal, maxOutputBytes: 2 * FILE_LIMIT_BYTES },
  );
  if (code === NOT_INSIDE) return undefined;
  const name = posix.relative(checkout, file);
  if (code !== 0) {
    throw new TerminalError('CHECKOUT_UNREADABLE', `${file}: exit code ${code}: ${stderr.trim()}`, {
      human: `\`${name}\` of the checkout cannot be read on the VM.`,
    });
  }
  if (Buffer.byteLength(stdout) <= FILE_LIMIT_BYTES) return stdout;
  throw new TerminalError('CHECKOUT_UNREADABLE', `${file} is larger than ${FILE_LIMIT_BYTES} bytes`, {
    human: `\`${name}\` is larger than 1 MiB.`,
  });
}

/** The Dockerfiles of a devcontainer.json and of its compose services, read as text. */
export async function readDockerfiles(
  shell: Shell,
  place: {
    readonly checkout: string;
    readonly configFile: string;
    readonly config: JsonObject;
    readonly compose: readonly ComposeText[];
  },
  signal?: AbortSignal,
): Promise<readonly { readonly file: string; readonly text: string }[]> {
  const { config, checkout, configFile, compose } = place;
  const name = config.dockerFile ?? objectOf(config.build).dockerfile;
  const own = typeof name === 'string' ? [posix.resolve(posix.dirname(configFile), name)] : [];
  const read: { file: string; text: string }[] = [];
  for (const file of new Set([...own, ...composeDockerfiles(compose)])) {
    const text = await readInside(shell, checkout, file, signal);
    if (text !== undefined) read.push({ file: posix.relative(checkout, file), text });
  }
  return read;
}

/** Paths begin at the file's own folder or at the first file's: where nothing is, nothing is read. */
function composeDockerfiles(compose: readonly ComposeText[]): readonly string[] {
  const first = posix.dirname(compose[0]?.file ?? '/');
  return compose.flatMap(({ file, document }) =>
    Object.values(objectOf(objectOf(document).services)).flatMap((service) => {
      const { build } = objectOf(service);
      if (build === undefined || build === null) return [];
      const { context = '.', dockerfile = 'Dockerfile' } =
        typeof build === 'string' ? { context: build } : objectOf(build);
      if (typeof context !== 'string' || typeof dockerfile !== 'string') return [];
      return [posix.dirname(file), first].map((base) => posix.resolve(base, context, dockerfile));
    }),
  );
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** The compose files of a devcontainer.json in their order, then those they take in by `extends` and `include`. */
export async function readComposeFiles(
  shell: Shell,
  place: { readonly checkout: string; readonly configFile: string; readonly config: JsonObject },
  signal?: AbortSignal,
): Promise<readonly ComposeText[]> {
  const named = textsOf(place.config.dockerComposeFile);
  const folder = posix.dirname(place.configFile);
  const waiting = named.map((name) => posix.resolve(folder, name));
  const read = new Map<string, ComposeText>();
  const first = posix.dirname(waiting[0] ?? folder);
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    if (read.has(file)) continue;
    if (read.size >= COMPOSE_LIMIT_FILES) throw new TerminalError('COMPOSE_TOO_MANY', 'Too many compose files');
    const text = await readInside(shell, place.checkout, file, signal);
    const document = text === undefined ? undefined : parseYaml(text);
    read.set(file, { file, document });
    for (const name of takenIn(document)) {
      waiting.push(...new Set([posix.resolve(posix.dirname(file), name), posix.resolve(first, name)]));
    }
  }
  // A relative name stands for one of two places; where nothing is, nothing is taken in.
  return [...read.values()].filter(({ file, document }) => document !== undefined || isNamed(file, named, folder));
}

function isNamed(file: string, named: readonly string[], folder: string): boolean {
  return named.some((name) => posix.resolve(folder, name) === file);
}

/**
 * `!reset` and `!override` only take away, so what they stand at counts as if they were not there; other tags, several
 * documents and too many aliases are not understood.
 */
export function parseYaml(text: string): unknown {
  const plain = text.replace(/(^|[\s[{,:-])!(?:reset|override)(?=\s|$)/gm, '$1');
  const document = parseDocument(plain, { merge: true });
  if (document.errors.length > 0 || document.warnings.length > 0) return undefined;
  try {
    return document.toJS({ maxAliasCount: 200 });
  } catch {
    // An alias that leads nowhere, or one that multiplies. Vetting refuses what is not there.
    return undefined;
  }
}

function takenIn(document: unknown): readonly string[] {
  if (typeof document !== 'object' || document === null) return [];
  const { services, include }: Record<string, unknown> = { ...document };
  const all = typeof services === 'object' && services !== null ? Object.values(services) : [];
  const extended = all.flatMap((service: unknown) => {
    const { extends: from }: Record<string, unknown> =
      typeof service === 'object' && service !== null ? { ...service } : {};
    return typeof from === 'object' && from !== null && 'file' in from ? textsOf(from.file) : [];
  });
  const items: readonly unknown[] = Array.isArray(include) ? include : include === undefined ? [] : [include];
  const included = items.flatMap((item) =>
    typeof item === 'object' && item !== null && 'path' in item ? textsOf(item.path) : textsOf(item),
  );
  return [...extended, ...included];
}

function textsOf(value: unknown): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.filter((item): item is string => typeof item === 'string');
}
