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
  /** Whether the session's container can connect to the host now; false if that cannot be found out. */
  readonly reaches: (session: Address, host: string) => Promise<boolean>;
}

interface Asked {
  readonly hosts: readonly string[];
  readonly session: Address;
  readonly repo: string;
  /** In the words of an answer: nothing waits, so it can be left to another card. */
  readonly written: boolean;
}

/** Cards that one session may have open by its own words; more are noise for those who are asked. */
const OPEN_LIMIT = 3;

/** @param approval the request itself */
export async function checkRequest(ports: CheckPorts, approval: Address, asked: Asked): Promise<Checked> {
  const { policy, grants, store } = ports;
  const { session, repo } = asked;
  const known = policy.allow.map(({ host }) => host.replace(/^\*\./, ''));
  const verdict = checkHosts(asked.hosts, known);
  if (!verdict.ok) return { standing: 'refused', hosts: [], warnings: [], words: verdict.human };
  const hosts = verdict.hosts.map(({ host }) => host);
  const warningsOf = (some: readonly string[]) =>
    verdict.hosts.flatMap(({ host, warning }) =>
      warning === '' || !some.includes(host) ? [] : [`${host}: ${warning}`],
    );
  const answer = (standing: Checked['standing'], words: string): Checked => ({
    standing,
    hosts,
    warnings: warningsOf(hosts),
    words,
  });

  const standings = hosts.map((host) => ({ host, standing: standingOf(host, repo, policy) }));
  const never = standings.flatMap(({ host, standing }) =>
    standing.kind === 'never' ? [`${host} is never opened${standing.why === '' ? '' : ` (${standing.why})`}`] : [],
  );
  if (never.length > 0) return answer('refused', `Nobody was asked. By the network policy, ${never.join('; ')}.`);

  const granted = (await grants.active()).filter((grant) => profits(grant, session, repo)).map(({ host }) => host);
  const open = await openOf(ports, asked.session, hosts, granted);
  if (hosts.every((host) => open.includes(host))) return answer('granted', OPEN_ALREADY);
  if (standings.every(({ host, standing }) => standing.kind === 'always' || open.includes(host))) {
    return answer('always', 'The network policy allows it.');
  }

  // Only what is closed needs an answer.
  const closed = hosts.filter((host) => !open.includes(host));
  if (!asked.written) {
    const denied = await deniedBefore(store, session, closed);
    return { standing: 'ask', hosts: closed, warnings: [...warningsOf(closed), ...denied], words: '' };
  }
  const others = await askedBefore(store, approval, session);
  const left = closed.filter((host) => !others.some((other) => other.hosts.includes(host)));
  if (left.length === 0) return answer('asked', '');
  if (others.length >= OPEN_LIMIT) {
    return answer('refused', `Nobody was asked: ${others.length} network requests are waiting already.`);
  }
  const denied = await deniedBefore(store, session, left);
  return { standing: 'ask', hosts: left, warnings: [...warningsOf(left), ...denied], words: '' };
}

/** Agents take every refusal for the firewall's, also that of a server that answers. */
const OPEN_ALREADY =
  'It is open already, and nothing was changed. A refusal such as 401 or 403 comes from the server itself; asking for network access again does not change it.';

/** Open by a grant, or seen to be open: somebody may have entered it by hand, or it belongs to what every agent needs. */
async function openOf(
  { grants, reaches }: CheckPorts,
  session: Address,
  hosts: readonly string[],
  granted: readonly string[],
): Promise<readonly string[]> {
  // Without a firewall all is open, and people are asked all the same.
  if (grants.enforcer.kind === 'none') return granted;
  const seen = await Promise.all(hosts.map(async (host) => granted.includes(host) || (await reaches(session, host))));
  return hosts.filter((_, index) => seen[index]);
}

/** Requests of the session that came before this one and still wait. */
async function askedBefore(
  store: Pick<StorePorts, 'listActors'>,
  approval: Address,
  session: Address,
): Promise<readonly ApprovalContext[]> {
  const found = await store.listActors({ kind: 'approval', keyPrefix: `${keyOf(session)}/`, states: WAITING });
  const isOf = (each: ApprovalContext) => each.kind === 'network';
  const all = found.map(({ context }) => context as ApprovalContext).filter(isOf);
  const own = all.find(({ address }) => address === approval);
  const isBefore = ({ askedAt, address }: ApprovalContext) =>
    own === undefined || askedAt < own.askedAt || (askedAt === own.askedAt && address < own.address);
  return all.filter((each) => each.address !== approval && isBefore(each));
}

const WAITING = ['checking', 'posting', 'unposted', 'pending', 'failed', 'applying', 'verifying', 'unreached'] as const;

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
