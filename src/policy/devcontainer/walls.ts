/** What runArgs, image metadata and compose files have in common: capabilities, namespaces, networks, ports, labels. */
import { OWN_PREFIX } from './mounts.ts';
import type { Vetting } from './places.ts';
import { quoted } from './verdict.ts';

/** Podman's default set, which is within Docker's: asking for these adds nothing. */
const DEFAULT_CAPABILITIES = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
];

export function vetCapability(name: string, path: string, { found }: Vetting): void {
  for (const one of name.split(',')) {
    const plain = one.trim().toUpperCase().replace(/^CAP_/, '');
    if (!DEFAULT_CAPABILITIES.includes(plain)) found.refuse(path, 'privilege', `adds the capability ${quoted(one)}`);
  }
}

/** `label=disable` is what the devcontainer CLI itself adds with Podman. */
export function vetSecurityOption(option: string, path: string, { found }: Vetting): void {
  const plain = option.trim().replace(':', '=');
  if (['no-new-privileges', 'no-new-privileges=true', 'label=disable'].includes(plain)) return;
  found.refuse(path, 'privilege', `changes the security options of the container (${quoted(option)})`);
}

export type Namespace = 'pid' | 'ipc' | 'uts' | 'userns' | 'cgroupns';

const OWN_NAMESPACE: Readonly<Record<Namespace, RegExp>> = {
  pid: /^(private)?$/,
  ipc: /^(private|shareable|none)?$/,
  uts: /^(private)?$/,
  userns: /^(private|nomap|auto|keep-id(:(uid|gid)=\d+(,(uid|gid)=\d+)*)?)?$/,
  cgroupns: /^(private)?$/,
};

const NAMESPACE_WORDS: Readonly<Record<Namespace, string>> = {
  pid: 'processes',
  ipc: 'shared memory',
  uts: 'host name',
  userns: 'user ids',
  cgroupns: 'control groups',
};

export function vetNamespace(kind: Namespace, value: string, path: string, { found }: Vetting): void {
  if (OWN_NAMESPACE[kind].test(value)) return;
  found.refuse(
    path,
    'privilege',
    `shares ${NAMESPACE_WORDS[kind]} with the VM or another container (${quoted(value)})`,
  );
}

/** The value of `--network`. */
export function vetNetwork(value: string, path: string, { rules, found }: Vetting): void {
  for (const name of value.split(',')) {
    if (name === 'none' || (rules.allowedNetworks.includes(name) && !/[:=$]/.test(name) && name !== 'host')) continue;
    if (/^(host|container:|ns:|service:)/.test(name)) {
      found.refuse(path, 'privilege', `uses the network of the VM or of another container (${quoted(name)})`);
    } else {
      const plain = name.replace(/[:=].*$/, '');
      found.refuse(path, 'network', `joins the network ${quoted(name)}`, `SM_ALLOWED_NETWORKS=${plain}`);
    }
  }
}

/** The value of `-p`: `[address:][port of the VM:]port[/protocol]`. Only the VM's loopback is private. */
export function vetPublished(value: string, path: string, { rules, found }: Vetting): void {
  const match = /^(?:(\[[0-9A-Fa-f:]+\]|[0-9.]+):)?(?:(\d+)(?:-(\d+))?:)?\d+(?:-\d+)?(?:\/(?:tcp|udp))?$/.exec(value);
  if (!match) {
    found.refuse(path, 'unreadable', `publishes a port in a way that is not understood (${quoted(value)})`);
    return;
  }
  const [, address, first, last] = match;
  if (address !== '127.0.0.1' && address !== '[::1]') {
    found.refuse(
      path,
      'published',
      `publishes a port on all addresses of the VM (${quoted(value)}); write 127.0.0.1: in front`,
    );
    return;
  }
  const from = Number(first ?? 0);
  const to = Number(last ?? first ?? 0);
  if (from === 0) {
    found.refuse(path, 'ours', `takes any port of the VM, which may be one for agent workers (${quoted(value)})`);
  } else if (from <= rules.workerPorts.last && to >= rules.workerPorts.first) {
    found.refuse(path, 'ours', `takes a port of the VM that is for agent workers (${quoted(value)})`);
  } else {
    found.note(path, `Published on the VM's loopback only; a second container with the same port cannot start.`);
  }
}

/** `name=value` or `name`. Ours say whose a container is; a variable could complete the name of one of ours. */
export function vetLabel(label: string, path: string, { found }: Vetting): void {
  if (/^[^=]*\$/.test(label)) {
    found.refuse(path, 'unreadable', `sets a label whose name is known only when it runs (${quoted(label)})`);
  }
  if (/^\s*(csm\.|devcontainer\.|com\.docker\.compose\.|io\.podman\.)/i.test(label)) {
    found.refuse(path, 'ours', `sets the label ${quoted(label)}`);
  }
}

export function vetLogDriver(name: string, path: string, { found }: Vetting): void {
  if (['json-file', 'local', 'journald', 'k8s-file', 'none'].includes(name)) return;
  found.refuse(path, 'privilege', `lets the VM send the container's output elsewhere (${quoted(name)})`);
}

export function vetLogOption(option: string, path: string, { found }: Vetting): void {
  if (/^(max-size|max-file|max-buffer-size|mode|tag|labels|compress)(=|$)/.test(option)) return;
  found.refuse(path, 'privilege', `changes how the VM keeps the container's output (${quoted(option)})`);
}

export function isOwnName(name: string): boolean {
  return name.toLowerCase().startsWith(OWN_PREFIX);
}
