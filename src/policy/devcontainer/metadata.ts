/**
 * What an image (label `devcontainer.metadata`) or a Feature (devcontainer-feature.json) adds to the container, and what
 * devcontainer.json itself says in the same words.
 */
import { type MountPlace, parseMount, vetMount } from './mounts.ts';
import type { Vetting } from './places.ts';
import { type Data, isData, textOrTexts } from './shape.ts';
import { vetVariables } from './variables.ts';
import { quoted } from './verdict.ts';
import { vetCapability, vetSecurityOption } from './walls.ts';

/** Volumes that an image or a Feature may mount: the merge makes devcontainer.json's own, not these. */
const OF_ONE_CONTAINER = /\$\{devcontainerId\}/;
/** The same with the variable put in: SHA-256 in base 32. */
const WITH_CONTAINER_ID = /(?<![0-9a-v])[0-9a-v]{52}(?![0-9a-v])/;

/** What the devcontainer CLI makes of everything, variables put in. */
export function vetMerged(merged: Data, vetting: Vetting): void {
  const { privileged, capAdd, securityOpt, mounts, init } = merged;
  const entry = { privileged, capAdd, securityOpt, mounts, init };
  vetContribution(entry, 'merged configuration', vetting, { ownVolume: WITH_CONTAINER_ID });
}

/** What a Feature adds. */
export function vetFeature(feature: unknown, path: string, vetting: Vetting): void {
  vetContribution(feature, path, vetting, { ownVolume: OF_ONE_CONTAINER });
}

/** @param path prefix for the findings; empty for devcontainer.json itself */
export function vetContribution(entry: unknown, path: string, vetting: Vetting, place: MountPlace = {}): void {
  const { found, rules } = vetting;
  if (!isData(entry)) {
    found.refuse(path, 'unreadable', 'is not an object');
    return;
  }
  const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
  vetVariables(entry, path, rules, found);
  const { privileged = false, capAdd, securityOpt, mounts = [], initializeCommand, init, entrypoint } = entry;
  if (privileged !== false) found.refuse(at('privileged'), 'privilege', 'asks for a privileged container');
  if (initializeCommand !== undefined) {
    found.refuse(at('initializeCommand'), 'hostCommand', `runs a command (${quoted(commandText(initializeCommand))})`);
  }
  for (const { path: place, text } of textOrTexts(capAdd, at('capAdd'), found)) vetCapability(text, place, vetting);
  for (const { path: place, text } of textOrTexts(securityOpt, at('securityOpt'), found)) {
    vetSecurityOption(text, place, vetting);
  }
  if (Array.isArray(mounts)) {
    for (const [index, item] of mounts.entries())
      vetMount(parseMount(item), `${at('mounts')}[${index}]`, vetting, place);
  } else {
    found.refuse(at('mounts'), 'unreadable', 'is not a list');
  }
  if (init !== undefined && typeof init !== 'boolean') found.refuse(at('init'), 'unreadable', 'is not true or false');
  if (entrypoint !== undefined && typeof entrypoint !== 'string') {
    found.refuse(at('entrypoint'), 'unreadable', 'is not a text');
  }
  vetTextMap(entry.containerEnv, at('containerEnv'), vetting);
  // A Feature's variables become lines of a Dockerfile.
  if (path !== '' && /[\r\n]|\\n/.test(Object.values(isData(entry.containerEnv) ? entry.containerEnv : {}).join(''))) {
    found.refuse(at('containerEnv'), 'unreadable', 'has line breaks in a variable');
  }
}

/** The label's value: one entry or a list of them. */
export function vetMetadataLabel(label: string, path: string, vetting: Vetting): void {
  let value: unknown;
  try {
    value = JSON.parse(label);
  } catch {
    vetting.found.refuse(path, 'unreadable', 'is not JSON');
    return;
  }
  const entries = Array.isArray(value) ? value : [value];
  for (const [index, entry] of entries.entries()) {
    vetContribution(entry, `${path}[${index}]`, vetting, { ownVolume: OF_ONE_CONTAINER });
  }
}

/** Names and values: texts, and names that are names. */
export function vetTextMap(value: unknown, path: string, { found }: Vetting): void {
  if (value === undefined || value === null) return;
  if (!isData(value)) {
    found.refuse(path, 'unreadable', 'is not an object');
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    const isPlain = item === null || ['string', 'number', 'boolean'].includes(typeof item);
    if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(key) || !isPlain) {
      found.refuse(`${path}.${key}`, 'unreadable', 'is not a name with a text');
    }
  }
}

function commandText(command: unknown): string {
  return typeof command === 'string' ? command : (JSON.stringify(command) ?? '');
}
