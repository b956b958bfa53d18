/**
 * Vets everything that decides what a devcontainer may do, before `devcontainer up`: devcontainer.json as it will be used,
 * what images and Features add to it, the Dockerfile, and compose files. Pure. What is not understood is refused.
 *
 * Not covered: what runs inside the container, and what an image contains. The container is the wall for those.
 */

import { vetDockerfile } from './build.ts';
import { buildArgsOf } from './buildArgs.ts';
import { type ComposeFile, vetComposeFiles } from './compose.ts';
import { vetConfig } from './config.ts';
import { vetFeature, vetMerged, vetMetadataLabel } from './metadata.ts';
import type { Checkout, OwnVolumes, Vetting } from './places.ts';
import { isData } from './shape.ts';
import { createFindings, type DevcontainerRules, type Verdict } from './verdict.ts';

export interface DevcontainerInput {
  /** devcontainer.json as it will be used, variables not substituted. */
  readonly config: unknown;
  /** The arguments at the end of its `runArgs` that the session manager added. */
  readonly ownRunArgs: readonly string[];
  readonly volumes: OwnVolumes;
  /** Values of the label `devcontainer.metadata`, as they stand in the image. */
  readonly imageLabels: readonly { readonly image: string; readonly label: string }[];
  /** devcontainer-feature.json of each Feature. */
  readonly features: readonly { readonly id: string; readonly feature: unknown }[];
  /** Compose files in their order, with those they take in. */
  readonly compose: readonly ComposeFile[];
  readonly dockerfiles: readonly { readonly file: string; readonly text: string }[];
  /** What the devcontainer CLI makes of all that, variables substituted; a net beneath the rest. */
  readonly merged?: unknown;
  readonly checkout: Checkout;
}

export function vetDevcontainer(input: DevcontainerInput, rules: DevcontainerRules): Verdict {
  const found = createFindings(rules);
  const buildArgs = buildArgsOf(input.config, input.compose);
  const vetting: Vetting = { rules, found, checkout: input.checkout, volumes: input.volumes, buildArgs };
  if (isData(input.config)) vetConfig(input.config, input.ownRunArgs, vetting);
  else found.refuse('devcontainer.json', 'unreadable', 'is not an object');
  for (const { image, label } of input.imageLabels)
    vetMetadataLabel(label, `image ${image}: devcontainer.metadata`, vetting);
  for (const { id, feature } of input.features) vetFeature(feature, `Feature ${id}`, vetting);
  for (const { file, text } of input.dockerfiles) vetDockerfile(text, file, vetting);
  vetComposeFiles(input.compose, vetting);
  if (found.refusals.length === 0 && isData(input.merged)) vetMerged(input.merged, vetting);
  return { refusals: unique(found.refusals), notes: unique(found.notes) };
}

/** Every place of the VM whose links must be followed before the verdict can be given. */
export function placesToLookUp(
  input: Omit<DevcontainerInput, 'checkout'>,
  checkout: Omit<Checkout, 'realPath'>,
): string[] {
  const places = new Set<string>();
  const realPath = (path: string): string => {
    places.add(path);
    return path;
  };
  const rules = {
    allowHostCommands: true,
    allowPrivileged: true,
    allowedLocalEnv: [],
    allowedNetworks: [],
    unwalledNetworks: '',
    allowedMounts: ['/'],
    workerPorts: { first: 1, last: 1 },
  };
  vetDevcontainer({ ...input, checkout: { ...checkout, realPath } }, rules);
  return [...places].sort();
}

function unique<Item>(items: readonly Item[]): readonly Item[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
