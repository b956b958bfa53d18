/** `runArgs`: handed to the container runtime as they are, so every option must be known. */
import { parseMountText, parseVolumeText, vetMount } from './mounts.ts';
import type { Vetting } from './places.ts';
import { type Option, parseRunArgs } from './runFlags.ts';
import { vetHostVariable } from './variables.ts';
import { quoted } from './verdict.ts';
import {
  vetCapability,
  vetLabel,
  vetLogDriver,
  vetLogOption,
  vetNamespace,
  vetNetwork,
  vetPublished,
  vetSecurityOption,
} from './walls.ts';

export function vetRunArgs(words: readonly string[], path: string, vetting: Vetting): void {
  for (const option of parseRunArgs(words)) {
    const at = `${path}[${option.at}]`;
    if (option.kind === 'option') vetOption(option, at, vetting);
    else {
      vetting.found.refuse(
        at,
        'privilege',
        `passes ${quoted(option.text)} to the container runtime, which is not understood`,
      );
    }
  }
}

function vetOption({ flag, value }: Extract<Option, { kind: 'option' }>, at: string, vetting: Vetting): void {
  switch (flag.rule) {
    case 'fine':
    case 'ours':
      return;
    case 'privilege':
      if (!flag.takesValue && /^(false|f|0)$/i.test(value)) return;
      return vetting.found.refuse(at, 'privilege', `passes ${quoted(`--${flag.name}`)} to the container runtime`);
    case 'checked':
      return vetChecked(flag.name, value, at, vetting);
  }
}

function vetChecked(name: string, value: string, at: string, vetting: Vetting): void {
  switch (name) {
    case 'cap-add':
      return vetCapability(value, at, vetting);
    case 'security-opt':
      return vetSecurityOption(value, at, vetting);
    case 'pid':
    case 'ipc':
    case 'uts':
    case 'userns':
    case 'cgroupns':
      return vetNamespace(name, value, at, vetting);
    case 'net':
    case 'network':
      return vetNetwork(value, at, vetting);
    case 'publish':
      return vetPublished(value, at, vetting);
    case 'label':
      return vetLabel(value, at, vetting);
    case 'log-driver':
      return vetLogDriver(value, at, vetting);
    case 'log-opt':
      return vetLogOption(value, at, vetting);
    case 'mount':
      return vetMount(parseMountText(value), at, vetting);
    case 'volume':
      return vetMount(parseVolumeText(value), at, vetting);
    case 'env':
      // Without a value the runtime takes the VM's.
      return value.includes('=') ? undefined : vetHostVariable(value, at, vetting.rules, vetting.found);
    case 'group-add':
      if (!/^[A-Za-z0-9_-]+$/.test(value) || value === 'keep-groups') {
        vetting.found.refuse(at, 'privilege', `keeps groups of the VM's user (${quoted(value)})`);
      }
      return;
    default:
      return vetting.found.refuse(at, 'unreadable', `passes ${quoted(`--${name}`)} to the container runtime`);
  }
}
