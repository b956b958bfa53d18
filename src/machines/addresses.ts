/**
 * Addresses of actors: `kind/key`, flat, stable for the life of what they stand for.
 *
 * | address | stands for |
 * |---|---|
 * | `gateway/root` | the process family as a whole; exactly one |
 * | `container/<repo>@<branch>` | the machine side of a repository's branch; outlives every container it makes |
 * | `session/<post id>` | the conversation asked for by that post |
 * | `approval/<session key>/<request id>` | one question to people |
 */
export type ActorKind = 'gateway' | 'container' | 'session' | 'approval';
export type Address = `${ActorKind}/${string}`;

export const GATEWAY: Address = 'gateway/root';

export function sessionAddress(postId: string): Address {
  return `session/${postId}`;
}

/** @param repo `org/name`, or the local path's slug. @param branch empty for the repository's default branch. */
export function containerAddress(repo: string, branch: string): Address {
  return `container/${repo}@${branch}`;
}

/** The repository a container belongs to. Its name has no `@`, a branch's may. */
export function repoOfContainer(container: Address): string {
  const key = keyOf(container);
  return key.slice(0, key.indexOf('@'));
}

export function approvalAddress(session: Address, requestId: string): Address {
  return `approval/${keyOf(session)}/${requestId}`;
}

/** The session an approval belongs to. */
export function sessionOfApproval(approval: Address): Address {
  const key = keyOf(approval);
  return `session/${key.slice(0, key.indexOf('/'))}`;
}

export function kindOf(address: Address): ActorKind {
  return address.slice(0, address.indexOf('/')) as ActorKind;
}

export function keyOf(address: Address): string {
  return address.slice(address.indexOf('/') + 1);
}
