/** How the image comes about: name, Dockerfile, build arguments, Features. */
import { posix } from 'node:path';
import { type ValuesOf, vetBuildValue, vetForeign, vetImageName } from './imageNames.ts';
import { vetTextMap } from './metadata.ts';
import { isInside, type Vetting, vetFile } from './places.ts';
import { type Data, isData, isPlainWord, splitAtEquals, textOrTexts } from './shape.ts';
import { quoted } from './verdict.ts';

const BUILD_PROPERTIES = ['dockerfile', 'context', 'args', 'target', 'cacheFrom', 'options'];

/** Options of `docker build` and `podman build` that stay within the build. */
const BUILD_SWITCHES = ['--no-cache', '--pull', '--quiet'];
const BUILD_OPTIONS = ['--build-arg', '--label', '--platform', '--progress', '--shm-size', '--target', '--pull'];

export function vetImage(image: unknown, path: string, { found }: Vetting): void {
  if (image === undefined) return;
  if (typeof image !== 'string' || !isPlainWord(image)) found.refuse(path, 'unreadable', 'is not the name of an image');
  else vetImageName(image, path, found);
}

/** `build`, and its older spelling `dockerFile` and `context`. */
export function vetBuild(config: Data, vetting: Vetting): void {
  const { found, checkout } = vetting;
  const base = posix.dirname(checkout.configFile);
  for (const key of ['dockerFile', 'context']) {
    if (config[key] !== undefined) vetPlace(config[key], base, key, vetting);
  }
  const { build } = config;
  if (build === undefined) return;
  if (!isData(build)) {
    found.refuse('build', 'unreadable', 'is not an object');
    return;
  }
  for (const key of Object.keys(build)) {
    if (!BUILD_PROPERTIES.includes(key)) found.refuse(`build.${key}`, 'unreadable', 'is not a known property');
  }
  if (build.dockerfile !== undefined) vetPlace(build.dockerfile, base, 'build.dockerfile', vetting);
  if (build.context !== undefined) vetPlace(build.context, base, 'build.context', vetting);
  vetTextMap(build.args, 'build.args', vetting);
  for (const [key, value] of Object.entries(isData(build.args) ? build.args : {})) {
    vetBuildValue(String(value), `build.args.${key}`, found);
  }
  if (build.target !== undefined && !(typeof build.target === 'string' && isPlainWord(build.target))) {
    found.refuse('build.target', 'unreadable', 'is not the name of a build stage');
  }
  for (const { path, text } of textOrTexts(build.cacheFrom, 'build.cacheFrom', found)) {
    if (!isPlainWord(text))
      found.refuse(path, 'outside', `takes a cache from a place that is no image (${quoted(text)})`);
    else vetForeign(text, path, found);
  }
  const options = textOrTexts(build.options, 'build.options', found);
  for (let index = 0; index < options.length; index += 1) {
    const { path, text } = options[index] ?? { path: '', text: '' };
    const [name = '', value] = splitAtEquals(text);
    if (BUILD_SWITCHES.includes(text)) continue;
    const given = value ?? (BUILD_OPTIONS.includes(name) ? options[++index]?.text : undefined);
    // A build argument without a value takes the VM's.
    const argument = name === '--build-arg' ? splitAtEquals(given ?? '')[1] : '';
    if (BUILD_OPTIONS.includes(name) && given !== undefined && argument !== undefined) {
      vetBuildValue(argument, path, found);
      continue;
    }
    found.refuse(path, 'privilege', `passes ${quoted(text)} to the build, which is not understood`);
  }
}

function vetPlace(value: unknown, base: string, path: string, vetting: Vetting): void {
  if (typeof value === 'string' && value !== '') vetFile(value, base, path, 'a file or folder', vetting);
  else vetting.found.refuse(path, 'unreadable', 'is not a path');
}

/** Flags of RUN that stay within the build. Quotes and backslashes would hide where a flag ends. */
const RUN_FLAG = /^--(?:mount=[^"'`\\]+|network=(?:none|default)|security=sandbox)$/;

/** A Dockerfile's own ways out of the build's walls: flags of RUN that are not known to be harmless. */
export function vetDockerfile(text: string, path: string, { found, buildArgs }: Vetting): void {
  if (/^\s*#\s*escape\s*=\s*[^\\\s]/im.test(text)) {
    found.refuse(path, 'unreadable', 'ends its lines with another sign than a backslash');
  }
  const stages: string[] = [];
  const instructions = instructionsOf(text);
  const defaults = defaultsOf(instructions);
  const valuesOf: ValuesOf = (name) => [...(defaults.get(name) ?? []), ...(buildArgs.get(name) ?? [])];
  for (const instruction of instructions) {
    const [, kind = '', rest = ''] = /^\s*(?:ONBUILD\s+)*(FROM|ARG)\s+(.*)$/is.exec(instruction) ?? [];
    if (kind.toUpperCase() === 'ARG') vetForeign(rest, path, found);
    for (const [, image = ''] of instruction.matchAll(/(?:--|[,=])from=([^\s,]+)/gi)) {
      vetImageName(image, path, found, { valuesOf, stages });
    }
    if (kind.toUpperCase() === 'FROM') {
      const [image = '', as = '', name = ''] = rest
        .split(/\s+/)
        .filter((word) => word !== '' && !word.startsWith('--'));
      vetImageName(image, path, found, { valuesOf, stages });
      stages.push(as.toUpperCase() === 'AS' ? name.toLowerCase() : '');
    }
    const words = /^\s*(?:ONBUILD\s+)*RUN\s+(.*)$/is.exec(instruction)?.[1]?.split(/\s+/) ?? [];
    for (const word of words) {
      if (!word.startsWith('--')) break;
      if (!RUN_FLAG.test(word)) found.refuse(path, 'privilege', `builds with ${quoted(word)}`);
    }
  }
}

/** What its variables stand for, unless they are given otherwise. */
function defaultsOf(instructions: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const all = new Map<string, readonly string[]>();
  for (const instruction of instructions) {
    const [, rest = ''] = /^\s*(?:ONBUILD\s+)*(?:ARG|ENV)\s+(.*)$/is.exec(instruction) ?? [];
    for (const [, name = '', value = ''] of rest.matchAll(/(?:^|\s)(\w+)=("[^"]*"|'[^']*'|\S*)/g)) {
      all.set(name, [...(all.get(name) ?? []), value]);
    }
  }
  return all;
}

/** Lines that a backslash continues are one; comments and empty lines between them do not count. */
function instructionsOf(text: string): readonly string[] {
  const instructions: string[] = [];
  let open: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    // A comment goes on nowhere, whatever it ends in.
    if (/^\s*#/.test(line) || (open !== undefined && line.trim() === '')) continue;
    const whole = `${open ?? ''}${line}`;
    const continued = /\\[ \t]*$/.test(whole);
    if (!continued) instructions.push(whole);
    open = continued ? whole.replace(/\\[ \t]*$/, '') : undefined;
  }
  return open === undefined ? instructions : [...instructions, open];
}

/**
 * Features are allowed from anywhere: they are installed as root, but inside the build, and what they ask of the container
 * is vetted like everything else. People are told of those that are not of the Dev Containers project.
 */
export function vetFeatures(features: unknown, vetting: Vetting): void {
  const { found, checkout } = vetting;
  if (features === undefined) return;
  if (!isData(features)) {
    found.refuse('features', 'unreadable', 'is not an object');
    return;
  }
  for (const id of Object.keys(features)) {
    const path = `features.${id}`;
    if (/^\.{1,2}\//.test(id)) {
      const folder = posix.dirname(checkout.configFile);
      if (isInside(posix.resolve(folder, id), checkout.folder)) vetFile(id, folder, path, 'a Feature', vetting);
      else found.refuse(path, 'outside', 'is a Feature outside the checkout');
    } else if (!/^(https:\/\/)?(?![a-z]+:\/\/)[a-z0-9][A-Za-z0-9._/:@%+-]*$/.test(id)) {
      found.refuse(path, 'unreadable', 'is not the name of a Feature');
    } else if (!id.startsWith('ghcr.io/devcontainers/features/')) {
      found.note(path, 'A Feature from elsewhere: it is installed as root while the image is built.');
    }
  }
}
