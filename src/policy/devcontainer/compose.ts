/**
 * Compose files, each as its YAML says it. Merging several only puts together what stands in them, so each must be all
 * right by itself. A checked value may not contain `$`: what it becomes is known only when it runs.
 */
import { posix } from 'node:path';
import { type ComposeVetting, vetOtherFile } from './composeFile.ts';
import { vetService } from './composeService.ts';
import { vetPartOfCheckout } from './mounts.ts';
import { type Vetting, vetFile } from './places.ts';
import { type Data, isData, isRemark, textOrTexts } from './shape.ts';
import { vetHostVariable } from './variables.ts';
import { quoted } from './verdict.ts';
import { isOwnName, vetNetwork } from './walls.ts';

export interface ComposeFile {
  /** Absolute. */
  readonly file: string;
  /** The YAML as plain data. */
  readonly document: unknown;
}

const SECTIONS = ['version', 'name', 'services', 'volumes', 'networks', 'configs', 'secrets', 'include'];

export function vetComposeFiles(files: readonly ComposeFile[], vetting: Vetting): void {
  const read = new Set(files.map(({ file }) => file));
  const first = files[0]?.file ?? vetting.checkout.configFile;
  for (const { file, document } of files) {
    const bases = [...new Set([posix.dirname(first), posix.dirname(file)])];
    const name = posix.relative(vetting.checkout.folder, file);
    vetDocument(document, name, { ...vetting, bases, read });
  }
}

function vetDocument(document: unknown, name: string, vetting: ComposeVetting): void {
  const { found } = vetting;
  if (!isData(document)) {
    found.refuse(name, 'unreadable', 'is not a compose file');
    return;
  }
  for (const base of vetting.bases) vetFile('.env', base, `${name}: .env`, 'a file of variables', vetting);
  for (const key of Object.keys(document)) {
    if (!SECTIONS.includes(key) && !isRemark(key)) {
      found.refuse(`${name}: ${key}`, 'unreadable', 'is a section that is not known here');
    }
  }
  const each = (section: string, vet: (value: Data, path: string, key: string) => void): void => {
    const items = document[section] ?? {};
    if (!isData(items)) return found.refuse(`${name}: ${section}`, 'unreadable', 'is not an object');
    for (const [key, value] of Object.entries(items)) {
      const path = `${name}: ${section}.${key}`;
      if (value === null) vet({}, path, key);
      else if (isData(value)) vet(value, path, key);
      else found.refuse(path, 'unreadable', 'is not an object');
    }
  };
  each('services', (value, path) => vetService(value, path, vetting));
  each('volumes', (value, path) => vetVolume(value, path, vetting));
  each('networks', (value, path) => vetComposeNetwork(value, path, vetting));
  each('secrets', (value, path) => vetFileSource(value, path, vetting));
  each('configs', (value, path) => vetFileSource(value, path, vetting));
  vetInclude(document.include, `${name}: include`, vetting);
}

function vetInclude(include: unknown, path: string, vetting: ComposeVetting): void {
  if (include === undefined || include === null) return;
  const items: unknown[] = Array.isArray(include) ? include : [include];
  for (const [index, item] of items.entries()) {
    const at = `${path}[${index}]`;
    const { path: file = item, env_file: envFile, ...rest } = isData(item) ? item : {};
    for (const { path: place, text } of textOrTexts(file, at, vetting.found)) vetOtherFile(text, place, vetting);
    for (const { path: place, text } of textOrTexts(envFile, `${at}.env_file`, vetting.found)) {
      for (const base of vetting.bases) vetFile(text, base, place, 'a file of variables', vetting);
    }
    for (const key of Object.keys(rest)) vetting.found.refuse(`${at}.${key}`, 'unreadable', 'is not known here');
  }
}

function vetVolume(volume: Data, path: string, { found }: ComposeVetting): void {
  const { driver = 'local', driver_opts: options, external = false, name, labels: _labels, ...rest } = volume;
  if (driver !== 'local') found.refuse(`${path}.driver`, 'privilege', 'uses a volume driver of the VM');
  if (options !== undefined && options !== null && !(isData(options) && Object.keys(options).length === 0)) {
    found.refuse(`${path}.driver_opts`, 'hostMount', 'may mount a place of the VM through a volume');
  }
  if (external !== false) found.refuse(`${path}.external`, 'privilege', 'uses a volume that is not its own');
  if (name !== undefined) vetVolumeName(name, `${path}.name`, found);
  for (const key of Object.keys(rest)) unknown(`${path}.${key}`, key, found);
}

/** Without a name of its own a volume belongs to the project. */
function vetVolumeName(name: unknown, path: string, found: ComposeVetting['found']): void {
  if (typeof name !== 'string' || name.includes('$')) found.refuse(path, 'unreadable', 'is not a plain name');
  else if (isOwnName(name)) found.refuse(path, 'ours', `uses the name ${quoted(name)}`);
  else {
    const does = `uses a volume by the fixed name ${quoted(name)}, as any other repository could (without \`name\` it is its own)`;
    found.refuse(path, 'privilege', does);
  }
}

function vetComposeNetwork(network: Data, path: string, vetting: ComposeVetting): void {
  const { found } = vetting;
  const {
    driver,
    external = false,
    name,
    internal: _internal,
    attachable: _attachable,
    labels: _labels,
    ...rest
  } = network;
  if (driver !== undefined && driver !== null && driver !== 'bridge') {
    found.refuse(`${path}.driver`, 'privilege', 'uses another kind of network than a bridge');
  }
  if (name !== undefined || external !== false) {
    const outer = isData(external) ? external.name : undefined;
    vetNetwork(String(name ?? outer ?? path.split('.').at(-1)), path, vetting);
  }
  for (const key of Object.keys(rest)) unknown(`${path}.${key}`, key, found);
}

function vetFileSource(source: Data, path: string, vetting: ComposeVetting): void {
  const { found, rules } = vetting;
  const { file, environment, content: _content, name: _name, ...rest } = source;
  if (file !== undefined) {
    for (const { text } of textOrTexts(file, `${path}.file`, found)) {
      for (const base of vetting.bases) {
        vetFile(text, base, `${path}.file`, 'a file', vetting);
        // It is mounted.
        vetPartOfCheckout(posix.resolve(base, text), `${path}.file`, vetting);
      }
    }
  }
  if (environment !== undefined) vetHostVariable(String(environment), `${path}.environment`, rules, found);
  for (const key of Object.keys(rest)) unknown(`${path}.${key}`, key, found);
}

function unknown(path: string, key: string, found: ComposeVetting['found']): void {
  if (!isRemark(key)) found.refuse(path, 'privilege', `sets ${quoted(key)}, which is not known to be harmless`);
}
