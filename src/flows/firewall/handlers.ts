/** The effects that concern the firewall. Keyed and idempotent: the grants are stored under the effect's key. */
import {
  type EffectHandlers,
  type GrantRow,
  RetryableError,
  type Runtime,
  type StorePorts,
  TerminalError,
} from '../../actors/index.ts';
import { networkText, revokedText } from '../../chat/network.ts';
import { type Address, keyOf } from '../../machines/addresses.ts';
import type { ApprovalContext } from '../../machines/approval/context.ts';
import type { Person, SessionContext } from '../../machines/session/context.ts';
import type { DomainPolicy } from '../../policy/domains/index.ts';
import type { Reply } from '../reply.ts';
import { checkRequest, profits } from './check.ts';
import type { Grants } from './grants.ts';
import { reachOf } from './words.ts';

export interface FirewallPorts {
  readonly grants: Grants;
  readonly policy: DomainPolicy;
  readonly store: Pick<StorePorts, 'listActors' | 'appendAudit'>;
  readonly runtime: Pick<Runtime, 'read' | 'deliver'>;
  /** Whether the session's container can connect to the host now; false if that cannot be found out. */
  readonly reaches: (session: Address, host: string) => Promise<boolean>;
  readonly reply: Reply;
  readonly trigger: string;
  readonly now: () => number;
}

/**
 * States of an approval in which something is opened for it, or may be about to be: a decision that is still in its inbox
 * is taken before the end of the session is read there.
 */
const OPENING = [
  'posting',
  'unposted',
  'pending',
  'failed',
  'applying',
  'verifying',
  'unreached',
  'telling',
  'active',
] as const;

export function firewallHandlers(ports: FirewallPorts) {
  const { grants, store, runtime, reply, now } = ports;
  const { enforcer } = grants;

  async function close(
    approvals: readonly Address[],
    key: string,
    { reason, by }: { readonly reason: string; readonly by?: Person },
  ): Promise<void> {
    const event = { type: 'REVOKE', at: now(), reason, ...(by ? { by } : {}) };
    await runtime.deliver(approvals.map((to) => ({ to, event, dedupKey: `revoke/${key}/${to}` })));
  }

  return {
    'firewall.check': ({ actor, params }) => checkRequest(ports, actor, params),
    'firewall.allow': async ({ key, actor, params }, { signal }) => {
      // Nothing is stored that nobody would ever take out.
      if (enforcer.kind === 'none') return { enforced: false, late: [] };
      const session = await runtime.read(params.session);
      if (!session)
        throw new TerminalError('NO_SESSION', `${params.session} is gone`, { human: 'The session is gone.' });
      const { container } = session.context as SessionContext;
      const { hosts, repo, scope, by } = params;
      const expiresAt = params.expiresAt > 0 ? params.expiresAt : undefined;
      const wish = { key, approval: actor, session: params.session, container, hosts, repo, scope, by, expiresAt };
      const { late } = await grants.open(wish, signal);
      return { enforced: true, late };
    },
    'firewall.revoke': async ({ params: { approval } }, { signal }) => {
      await grants.close((grant) => grant.approval === approval, signal);
    },
    'firewall.endSession': async ({ key, params: { session } }) => {
      const found = await store.listActors({ kind: 'approval', keyPrefix: `${keyOf(session)}/`, states: OPENING });
      const own = found.filter(({ context }) => isForSession(context as ApprovalContext)).map(({ address }) => address);
      await close(own, key, { reason: 'The session ended.' });
    },
    'chat.network': async ({ key, actor, params }) => {
      const { repo } = await sessionOf(params.session);
      const lines = (await grants.active())
        .filter((grant) => profits(grant, params.session, repo))
        .map(({ host, scope, detail, openedAt, expiresAt }) => {
          return { host, scope, by: typeof detail.by === 'string' ? detail.by : '', openedAt, expiresAt };
        });
      await reply(key, actor, params, networkText(lines, reachOf(enforcer.kind), now(), ports.trigger));
    },
    'chat.revoke': async ({ key, actor, params }, { signal }) => {
      const { host, userId, userName } = params;
      const reason = `Revoked by ${userName}.`;
      const { repo } = await sessionOf(params.session);
      const ended = await grants.end(key, (grant) => grant.host === host && profits(grant, params.session, repo));
      const left = (await grants.active()).map(({ approval }) => approval);
      const isWhole = ({ approval }: GrantRow) => !left.includes(approval);
      const whole = [...new Set(ended.filter(isWhole).map(({ approval }) => approval))];
      await close(whole, key, { reason, by: { id: userId, name: userName } });
      // An approval with other hosts goes on for those.
      for (const { id, approval } of ended.filter((grant) => !isWhole(grant))) {
        const detail = { userId, hosts: [host], repo, reason, at: now() };
        const entry = { key: `closed/${id}`, at: now(), action: 'grant.closed', who: userName, subject: approval };
        await store.appendAudit({ ...entry, detail });
      }
      // The chat and the firewall may be away, each for itself.
      const bringing = ended.length > 0 ? grants.bring(signal) : Promise.resolve();
      const answering = reply(key, actor, params, revokedText(host, ended.length));
      for (const outcome of await Promise.allSettled([bringing, answering]))
        if (outcome.status === 'rejected') throw outcome.reason;
    },
  } satisfies EffectHandlers;

  async function sessionOf(session: Address): Promise<{ readonly repo: string }> {
    const view = await runtime.read(session);
    if (!view) throw new RetryableError('NO_SESSION', `${session} cannot be read`);
    return { repo: (view.context as SessionContext).request.repo.repo };
  }
}

function isForSession({ kind, verdict }: ApprovalContext): boolean {
  return kind === 'network' && (verdict?.scope ?? 'session') === 'session';
}
