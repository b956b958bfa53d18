/** Names on the VM: labels, volumes and keys of what belongs to a repository's branch. */
import { createHash } from 'node:crypto';

/** Whose container it is. */
export interface Owner {
  /** This installation; two of them may share a VM. */
  readonly instance: string;
  /** `org/name`. */
  readonly repo: string;
  readonly branch: string;
  /** Counts the containers of this branch; one of an earlier generation is not ours to use any more. */
  readonly generation: number;
}

/** The same for all that belongs to one container: `0123456789ab-3`. Safe in labels, file names and filters. */
export function keyOf(owner: Owner): string {
  return `${hash(owner.instance, owner.repo, owner.branch)}-${owner.generation}`;
}

/** On every container of ours, those of a compose project's other services too. */
export function labelsOf(owner: Owner): Readonly<Record<string, string>> {
  return {
    'csm.managed': 'true',
    'csm.instance': owner.instance,
    'csm.repo': owner.repo,
    'csm.branch': owner.branch,
    'csm.generation': String(owner.generation),
    'csm.key': keyOf(owner),
  };
}

/** What the devcontainer CLI finds the container by, instead of by the folder. Only the devcontainer itself has it. */
export function idLabelOf(owner: Owner): string {
  return `csm.id=${keyOf(owner)}`;
}

/** A compose project by folder name alone would be shared by repositories of the same name. */
export function projectOf(owner: Owner): string {
  return `csm-${keyOf(owner)}`;
}

export function volumesOf({ instance, repo, branch }: Owner): { readonly prefix: string; readonly home: string } {
  return { prefix: `csm-${hash(instance, repo)}-`, home: `csm-home-${hash(instance, repo, branch)}` };
}

function hash(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12);
}
