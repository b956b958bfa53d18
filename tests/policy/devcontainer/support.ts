import type { DevcontainerInput, DevcontainerRules, Verdict } from '../../../src/policy/devcontainer/index.ts';
import { vetDevcontainer } from '../../../src/policy/devcontainer/index.ts';

export const CHECKOUT = '/repos/github.com/acme/app';
export const VOLUMES = { prefix: 'csm-0123456789ab-', home: 'csm-home-0123456789ab' };

export const RULES: DevcontainerRules = {
  allowHostCommands: false,
  allowPrivileged: false,
  allowedLocalEnv: ['ANTHROPIC_API_KEY', 'TZ'],
  allowedNetworks: ['isolated'],
  unwalledNetworks: '',
  allowedMounts: [],
  workerPorts: { first: 50_051, last: 50_099 },
};

export interface Files {
  /** Links of the VM: from a path to where it leads. */
  readonly links?: Readonly<Record<string, string>>;
}

export function input(parts: Partial<Omit<DevcontainerInput, 'checkout'>> & Files): DevcontainerInput {
  const { links = {}, ...rest } = parts;
  return {
    config: { image: 'debian:12' },
    ownRunArgs: [],
    volumes: VOLUMES,
    imageLabels: [],
    features: [],
    compose: [],
    dockerfiles: [],
    ...rest,
    checkout: {
      folder: CHECKOUT,
      configFile: `${CHECKOUT}/.devcontainer/devcontainer.json`,
      realPath: (path) => {
        const link = Object.keys(links).find((from) => path === from || path.startsWith(`${from}/`));
        return link === undefined ? path : `${links[link]}${path.slice(link.length)}`;
      },
    },
  };
}

export function vet(parts: Parameters<typeof input>[0], rules: Partial<DevcontainerRules> = {}): Verdict {
  return vetDevcontainer(input(parts), { ...RULES, ...rules });
}

/** The places of the refusals. */
export function refusedAt(verdict: Verdict): readonly string[] {
  return verdict.refusals.map(({ path }) => path);
}
