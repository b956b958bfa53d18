/** Judges a network request before anybody is asked: by its form, by the operator's policy, by what is open or was denied. */
import type { StorePorts } from '../../actors/index.ts';
import { type Address, keyOf } from '../../machines/addresses.ts';
import type { ApprovalContext, Checked } from '../../machines/approval/context.ts';
import { checkHosts, type DomainPolicy, standingOf } from '../../policy/domains/index.ts';
import type { Grants } from './grants.ts';

export interface CheckPorts {
  readonly policy: DomainPolicy;
  readonly grants: Pick<Grants, 'active' | 'enforcer'>;
  readonly store: Pick<StorePorts, 'listActors'>;
}

interface Asked {
  readonly hosts: readonly string[];
  readonly session: Address;
  readonly repo: string;
}

export async function checkRequest({ policy, grants, store }: CheckPorts, asked: Asked): Promise<Checked> {
  const { session, repo } = asked;
  const known = policy.allow.map(({ host }) => host.replace(/^\*\./, ''));
  const verdict = checkHosts(asked.hosts, known);
  if (!verdict.ok) return { standing: 'refused', hosts: [], warnings: [], words: verdict.human };
  const hosts = verdict.hosts.map(({ host }) => host);
  const warnings = verdict.hosts.flatMap(({ host, warning }) => (warning === '' ? [] : [`${host}: ${warning}`]));

  const standings = hosts.map((host) => ({ host, standing: standingOf(host, repo, policy) }));
  const never = standings.flatMap(({ host, standing }) =>
    standing.kind === 'never' ? [`${host} is never opened${standing.why === '' ? '' : ` (${standing.why})`}`] : [],
  );
  if (never.length > 0) {
    return {
      standing: 'refused',
      hosts,
      warnings,
      words: `Nobody was asked. By the network policy, ${never.join('; ')}.`,
    };
  }
  const open = (await grants.active()).filter((grant) => profits(grant, session, repo)).map(({ host }) => host);
  if (hosts.every((host) => open.includes(host))) {
    return { standing: 'granted', hosts, warnings, words: 'It is open already.' };
  }
  if (standings.every(({ host, standing }) => standing.kind === 'always' || open.includes(host))) {
    return { standing: 'always', hosts, warnings, words: 'The network policy allows it.' };
  }
  const denied = await deniedBefore(store, session, hosts);
  return { standing: 'ask', hosts, warnings: [...warnings, ...denied], words: '' };
}

/** Whether a session may use what a grant has opened. */
export function profits(
  grant: { readonly scope: string; readonly session: Address; readonly detail: { readonly [name: string]: unknown } },
  session: Address,
  repo: string,
): boolean {
  return (
    grant.scope === 'always' || grant.session === session || (grant.scope === 'repo' && grant.detail.repo === repo)
  );
}

/** People are told of an earlier no; they may decide otherwise now. */
async function deniedBefore(
  store: Pick<StorePorts, 'listActors'>,
  session: Address,
  hosts: readonly string[],
): Promise<readonly string[]> {
  const settled = await store.listActors({ kind: 'approval', keyPrefix: `${keyOf(session)}/`, states: ['settled'] });
  return settled.flatMap(({ context }) => {
    const { verdict, hosts: asked, silent } = context as ApprovalContext;
    const same = hosts.filter((host) => asked.includes(host));
    const isNo = verdict?.outcome === 'denied' && !silent && same.length > 0;
    return isNo ? [`${same.join(', ')} was denied before in this session, by ${verdict.by.name}.`] : [];
  });
}
