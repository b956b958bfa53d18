/** One service of a compose file: everything it asks of the VM. What is not known here is refused. */
import { vetDockerfile, vetImage } from './build.ts';
import { type ComposeVetting, vetOtherFile } from './composeFile.ts';
import { vetBuildValue, vetComposeImage, vetForeign } from './imageNames.ts';
import { type Mount, parseVolumeText, vetMount } from './mounts.ts';
import { vetFile } from './places.ts';
import { type Data, isData, isPlainWord, isRemark, splitAtEquals, textOrTexts } from './shape.ts';
import { vetHostVariable } from './variables.ts';
import { quoted } from './verdict.ts';
import {
  isOwnName,
  type Namespace,
  vetCapability,
  vetLabel,
  vetLogDriver,
  vetLogOption,
  vetNamespace,
  vetNetwork,
  vetPublished,
  vetSecurityOption,
} from './walls.ts';

const FINE =
  `attach cap_drop command cpu_count cpu_percent cpu_period cpu_quota cpu_shares cpus cpuset depends_on develop dns
  dns_opt dns_search domainname entrypoint expose extra_hosts healthcheck hostname init links mem_limit mem_reservation
  mem_swappiness memswap_limit pids_limit platform profiles pull_policy read_only restart scale shm_size stdin_open
  stop_grace_period stop_signal tmpfs tty ulimits user working_dir configs secrets`.split(/\s+/);

const NAMESPACES: Readonly<Record<string, Namespace>> = {
  pid: 'pid',
  ipc: 'ipc',
  uts: 'uts',
  userns_mode: 'userns',
  cgroup: 'cgroupns',
};

type Vet = (value: unknown, path: string, vetting: ComposeVetting) => void;

/** For a text or a list of them, none of which may contain a variable. */
function eachPlain(vet: (text: string, path: string, vetting: ComposeVetting) => void): Vet {
  return (value, path, vetting) => {
    for (const { path: at, text } of textOrTexts(value, path, vetting.found)) {
      if (text.includes('$')) refuseVariable(text, at, vetting);
      else vet(text, at, vetting);
    }
  };
}

function refuseVariable(text: string, path: string, { found }: ComposeVetting): void {
  found.refuse(path, 'unreadable', `has a value that is known only when it runs (${quoted(text)}); write it out`);
}

const CHECKED: Readonly<Record<string, Vet>> = {
  image: (value, path, vetting) => {
    if (typeof value !== 'string') return vetImage(value, path, vetting);
    vetComposeImage(value, path, vetting.found);
    vetImage(value.replace(/\$\{?\w+(:?-[\w./-]*)?\}?/g, 'v'), path, vetting);
  },
  privileged: (value, path, { found }) => {
    if (value !== false) found.refuse(path, 'privilege', 'asks for a privileged container');
  },
  cap_add: eachPlain(vetCapability),
  security_opt: eachPlain(vetSecurityOption),
  build: vetServiceBuild,
  volumes: vetVolumes,
  ports: vetPorts,
  env_file: vetEnvFiles,
  environment: vetEnvironment,
  extends: (value, path, vetting) => {
    const file = isData(value) ? value.file : undefined;
    if (typeof value !== 'string' && !isData(value)) vetting.found.refuse(path, 'unreadable', 'is not understood');
    for (const { text } of textOrTexts(file, path, vetting.found)) vetOtherFile(text, path, vetting);
  },
  // `service:db` is another container of the same project.
  network_mode: eachPlain((text, path, vetting) => {
    if (!/^service:[\w.-]+$/.test(text) && text !== 'bridge') vetNetwork(text, path, vetting);
  }),
  networks: vetServiceNetworks,
  labels: vetLabels,
  container_name: eachPlain((text, path, { found }) => {
    if (isOwnName(text)) found.refuse(path, 'ours', `uses the name ${quoted(text)}`);
    else found.note(path, 'A fixed name: a second branch of this repository cannot run at the same time.');
  }),
  group_add: (value, path, { found }) => {
    const items: unknown[] = Array.isArray(value) ? value : [value];
    for (const item of items) {
      if (!/^[A-Za-z0-9_-]+$/.test(String(item)) || item === 'keep-groups') {
        found.refuse(path, 'privilege', "keeps groups of the VM's user");
      }
    }
  },
  logging: (value, path, vetting) => {
    const { driver = 'local', options = {} } = isData(value) ? value : { driver: 'unknown' };
    vetLogDriver(String(driver), path, vetting);
    for (const key of Object.keys(isData(options) ? options : {})) vetLogOption(key, path, vetting);
  },
  deploy: (value, path, { found }) => {
    if (/"(devices|generic_resources)":/.test(JSON.stringify(value) ?? '')) {
      found.refuse(path, 'privilege', 'asks for devices of the VM');
    }
  },
};

export function vetService(service: Data, path: string, vetting: ComposeVetting): void {
  const { found } = vetting;
  for (const [key, value] of Object.entries(service)) {
    const at = `${path}.${key}`;
    const namespace = Object.hasOwn(NAMESPACES, key) ? NAMESPACES[key] : undefined;
    const vet = Object.hasOwn(CHECKED, key) ? CHECKED[key] : undefined;
    if (value === null || FINE.includes(key) || isRemark(key)) continue;
    if (namespace !== undefined) {
      eachPlain((text, place) => {
        if (!(namespace !== 'userns' && /^service:[\w.-]+$/.test(text))) vetNamespace(namespace, text, place, vetting);
      })(value, at, vetting);
    } else if (vet !== undefined) vet(value, at, vetting);
    else if (key === 'provider') found.refuse(at, 'hostCommand', 'runs a program of the VM');
    else found.refuse(at, 'privilege', `sets ${quoted(key)}, which is not known to be harmless`);
  }
}

const BUILD_FINE = ['args', 'target', 'no_cache', 'pull', 'platforms', 'shm_size', 'isolation'];

function vetLabels(value: unknown, path: string, vetting: ComposeVetting): void {
  if (isData(value)) for (const key of Object.keys(value)) vetLabel(key, path, vetting);
  else for (const { path: at, text } of textOrTexts(value, path, vetting.found)) vetLabel(text, at, vetting);
}

function vetServiceBuild(value: unknown, path: string, vetting: ComposeVetting): void {
  const { found, bases, rules } = vetting;
  const build = typeof value === 'string' ? { context: value } : value;
  if (!isData(build)) return found.refuse(path, 'unreadable', 'is not understood');
  const { context = '.', dockerfile, dockerfile_inline: inline, args, cache_from: cacheFrom, labels, ...rest } = build;
  // A container has the labels of its image.
  if (labels !== undefined && labels !== null) vetLabels(labels, `${path}.labels`, vetting);
  for (const { text } of textOrTexts(context, `${path}.context`, found)) {
    if (/:|^github\.com\//i.test(text)) found.refuse(`${path}.context`, 'outside', `builds from ${quoted(text)}`);
    for (const base of bases) {
      vetFile(text, base, `${path}.context`, 'a build context', vetting);
      const inner = typeof dockerfile === 'string' ? dockerfile : 'Dockerfile';
      vetFile(inner.startsWith('/') ? inner : `${text}/${inner}`, base, `${path}.dockerfile`, 'a Dockerfile', vetting);
    }
  }
  if (typeof inline === 'string') {
    const at = `${path}.dockerfile_inline`;
    // Compose puts variables in before it is read; two dollar signs are one.
    if (/\$/.test(inline.replaceAll('$$', ''))) refuseVariable(inline, at, vetting);
    vetDockerfile(inline, at, vetting);
  } else if (inline !== undefined) found.refuse(`${path}.dockerfile_inline`, 'unreadable', 'is not a text');
  for (const { path: at, text } of textOrTexts(cacheFrom, `${path}.cache_from`, found)) {
    if (!isPlainWord(text))
      found.refuse(at, 'outside', `takes a cache from a place that is no image (${quoted(text)})`);
    else vetForeign(text, at, found);
  }
  // An argument without a value takes the VM's.
  if (isData(args)) {
    for (const [key, item] of Object.entries(args)) {
      if (item === null) vetHostVariable(key, `${path}.args.${key}`, rules, found);
      else vetBuildValue(String(item), `${path}.args.${key}`, found);
    }
  } else {
    for (const { path: at, text } of textOrTexts(args, `${path}.args`, found)) {
      const [name, item] = splitAtEquals(text);
      if (item === undefined) vetHostVariable(name, at, rules, found);
      vetBuildValue(item ?? name, at, found);
    }
  }
  for (const key of Object.keys(rest)) {
    if (BUILD_FINE.includes(key) || isRemark(key)) continue;
    found.refuse(`${path}.${key}`, 'privilege', `sets ${quoted(key)} for the build, which is not known to be harmless`);
  }
}

function vetVolumes(value: unknown, path: string, vetting: ComposeVetting): void {
  const items: unknown[] = Array.isArray(value) ? value : [value];
  for (const [index, item] of items.entries()) {
    const at = `${path}[${index}]`;
    const parsed = typeof item === 'string' ? parseVolumeText(item) : parseLongVolume(item);
    if (JSON.stringify(item).includes('$')) refuseVariable(JSON.stringify(item), at, vetting);
    else for (const base of vetting.bases) vetMount(parsed, at, vetting, { base });
  }
}

function parseLongVolume(item: unknown): Mount | { readonly problem: string } {
  if (!isData(item)) return { problem: 'is not understood' };
  const known = ['type', 'source', 'target', 'read_only', 'consistency', 'bind', 'volume', 'tmpfs'];
  const odd = Object.keys(item).find((key) => !known.includes(key));
  if (odd !== undefined) return { problem: `has the option ${quoted(odd)}` };
  const { type = 'volume', source = '', target, bind, volume } = item;
  const options = { ...(isData(bind) ? bind : {}), ...(isData(volume) ? volume : {}) };
  const oddOption = Object.keys(options).find((key) => !['create_host_path', 'selinux', 'nocopy'].includes(key));
  if (oddOption !== undefined) return { problem: `has the option ${quoted(oddOption)}` };
  if (typeof type !== 'string' || typeof source !== 'string' || typeof target !== 'string') {
    return { problem: 'has a type, source or target that is not a text' };
  }
  const isRelative = type === 'bind' && source !== '' && !/^[/.~$]/.test(source);
  return { type, source: isRelative ? `./${source}` : source, target };
}

function vetPorts(value: unknown, path: string, vetting: ComposeVetting): void {
  const items: unknown[] = Array.isArray(value) ? value : [value];
  for (const [index, item] of items.entries()) {
    const at = `${path}[${index}]`;
    if (typeof item === 'string' || typeof item === 'number') vetPublished(String(item), at, vetting);
    else if (isData(item)) {
      const { host_ip: address = '', published = '', target } = item;
      vetPublished(`${address === '' ? '' : `${String(address)}:`}${String(published)}:${String(target)}`, at, vetting);
    } else vetting.found.refuse(at, 'unreadable', 'is not a port');
  }
}

function vetEnvFiles(value: unknown, path: string, vetting: ComposeVetting): void {
  const items: unknown[] = Array.isArray(value) ? value : [value];
  for (const [index, item] of items.entries()) {
    const at = `${path}[${index}]`;
    const file = isData(item) ? item.path : item;
    if (typeof file !== 'string') vetting.found.refuse(at, 'unreadable', 'is not a path');
    else for (const base of vetting.bases) vetFile(file, base, at, 'a file of variables', vetting);
  }
}

function vetEnvironment(value: unknown, path: string, { rules, found }: ComposeVetting): void {
  if (isData(value)) {
    for (const [key, item] of Object.entries(value)) {
      if (item === null) vetHostVariable(key, `${path}.${key}`, rules, found);
    }
    return;
  }
  for (const { path: at, text } of textOrTexts(value, path, found)) {
    if (!text.includes('=')) vetHostVariable(text, at, rules, found);
  }
}

function vetServiceNetworks(value: unknown, path: string, { found }: ComposeVetting): void {
  if (!isData(value)) {
    textOrTexts(value, path, found);
    return;
  }
  for (const [name, options] of Object.entries(value)) {
    const odd = Object.keys(isData(options) ? options : {}).find((key) => key !== 'aliases' && key !== 'priority');
    if (odd !== undefined) found.refuse(`${path}.${name}.${odd}`, 'privilege', 'chooses its own address');
  }
}
