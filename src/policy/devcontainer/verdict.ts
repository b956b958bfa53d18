/** What vetting says: refusals for the thread, and notes about what is ignored, replaced or allowed by a setting. */
import { assertNever } from '../../machines/json.ts';

export interface DevcontainerRules {
  /** SM_ALLOW_HOST_COMMANDS */
  readonly allowHostCommands: boolean;
  /** SM_ALLOW_PRIVILEGED */
  readonly allowPrivileged: boolean;
  /** SM_ALLOWED_LOCAL_ENV: variables of the VM that a repository may read. */
  readonly allowedLocalEnv: readonly string[];
  /** SM_CONTAINER_NETWORK and SM_ALLOWED_NETWORKS. `none` is always allowed. */
  readonly allowedNetworks: readonly string[];
  /** Bridges of the networks that compose projects make, where no walls stand there; else empty. */
  readonly unwalledNetworks: string;
  /** SM_ALLOWED_MOUNTS: folders of the VM, absolute. What is below them is allowed too. */
  readonly allowedMounts: readonly string[];
  /** Host ports that are for agent workers. */
  readonly workerPorts: { readonly first: number; readonly last: number };
}

/** Why something is refused. Each has its words and the setting that allows it. */
export type Reason =
  | 'hostCommand'
  | 'privilege'
  | 'hostMount'
  | 'network'
  | 'published'
  | 'localEnv'
  | 'outside'
  | 'ours'
  | 'unreadable';

export interface Refusal {
  /** Where it stands: `runArgs[2]`, `docker-compose.yml: services.db.volumes[0]`. */
  readonly path: string;
  /** What it would do; completes "It ...". */
  readonly does: string;
  readonly why: string;
  /** What the operator would set to allow it; empty if nothing allows it. */
  readonly setting: string;
  readonly reason: Reason;
}

export interface Note {
  readonly path: string;
  readonly text: string;
}

export interface Verdict {
  readonly refusals: readonly Refusal[];
  readonly notes: readonly Note[];
}

export interface Findings extends Verdict {
  /** @param setting more exact than the reason's own, where there is one */
  refuse(path: string, reason: Reason, does: string, setting?: string): void;
  note(path: string, text: string): void;
}

/** Collects findings. What the rules allow becomes a note, so that the thread still tells of it. */
export function createFindings(rules: DevcontainerRules): Findings {
  const refusals: Refusal[] = [];
  const notes: Note[] = [];
  return {
    refusals,
    notes,
    refuse: (path, reason, does, setting) => {
      const words = wordsOf(reason);
      if (isAllowed(reason, rules)) notes.push({ path, text: `It ${does}. Allowed by ${words.setting}.` });
      else refusals.push({ path, does, reason, why: words.why, setting: setting ?? words.setting });
    },
    note: (path, text) => notes.push({ path, text }),
  };
}

function isAllowed(reason: Reason, rules: DevcontainerRules): boolean {
  switch (reason) {
    case 'hostCommand':
      return rules.allowHostCommands;
    case 'privilege':
    case 'hostMount':
    case 'network':
    case 'published':
      return rules.allowPrivileged;
    case 'localEnv':
    case 'outside':
    case 'ours':
    case 'unreadable':
      return false;
    default:
      return assertNever(reason);
  }
}

function wordsOf(reason: Reason): { readonly why: string; readonly setting: string } {
  switch (reason) {
    case 'hostCommand':
      return { why: 'that runs on the VM itself, with the rights of its user', setting: 'SM_ALLOW_HOST_COMMANDS=true' };
    case 'privilege':
      return { why: 'that weakens the walls between the container and the VM', setting: 'SM_ALLOW_PRIVILEGED=true' };
    case 'hostMount':
      return { why: 'a container sees its checkout and nothing else of the VM', setting: 'SM_ALLOW_PRIVILEGED=true' };
    case 'network':
      return {
        why: 'only listed networks are known to stand behind the firewall',
        setting: 'SM_ALLOW_PRIVILEGED=true',
      };
    case 'published':
      return { why: 'others on the network could then reach the container', setting: 'SM_ALLOW_PRIVILEGED=true' };
    case 'localEnv':
      return { why: 'variables of the VM may be secrets that are not for this repository', setting: '' };
    case 'outside':
      return { why: 'only files of the checkout may be used', setting: '' };
    case 'ours':
      return { why: 'that name or place belongs to the session manager', setting: '' };
    case 'unreadable':
      return { why: 'what is not understood cannot be checked', setting: '' };
    default:
      return assertNever(reason);
  }
}

/** One Markdown line per refusal, for the thread. Text from the repository is shown as code. */
export function refusalText(refusals: readonly Refusal[]): string {
  const lines = refusals.map(({ path, does, why, setting }) => {
    const allow = setting === '' ? '' : ` To allow it, whoever runs this bot sets \`${asCode(setting)}\`.`;
    return `- \`${asCode(path)}\`: it ${does}; ${why}.${allow}`;
  });
  return ['This devcontainer configuration is not allowed here. Nothing was started.', ...lines].join('\n');
}

/** Text of a repository, quoted so that it stays what it is and stays short. */
export function quoted(text: string): string {
  return `\`${asCode(text)}\``;
}

function asCode(text: string): string {
  const flat = text.replace(/[\u0000-\u001f\u007f`]/g, ' ').trim();
  return flat.length > 120 ? `${flat.slice(0, 117)}...` : flat;
}
