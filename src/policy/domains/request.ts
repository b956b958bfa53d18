/** One request of an agent: up to five hosts on one card, and the reason it gives. */
import { checkDomain } from './check.ts';

export const MAX_HOSTS = 5;

export type RequestVerdict =
  | { readonly ok: true; readonly hosts: readonly { readonly host: string; readonly warning: string }[] }
  | { readonly ok: false; readonly human: string };

/**
 * All or nothing: a card shows what was asked for, or the agent is told what is wrong with it and asks again.
 * @param asked the hosts as the agent wrote them; repeated ones count once
 * @param known names to compare with besides the well-known ones
 */
export function checkHosts(asked: readonly string[], known: readonly string[] = []): RequestVerdict {
  if (asked.length === 0) return { ok: false, human: 'Name at least one host, as in `pypi.org`.' };
  const verdicts = asked.slice(0, 50).map((raw) => ({ raw, verdict: checkDomain(raw, known) }));
  const problems = verdicts.flatMap(({ raw, verdict }, index) =>
    verdict.ok ? [] : [`${nameFor(raw, index)}: ${verdict.human}`],
  );
  if (problems.length > 0) {
    return { ok: false, human: `Nobody was asked. ${problems.slice(0, MAX_HOSTS).join(' ')}` };
  }
  const hosts = new Map(verdicts.flatMap(({ verdict }) => (verdict.ok ? [[verdict.host, verdict.warning]] : [])));
  if (hosts.size > MAX_HOSTS || asked.length > 50) {
    return { ok: false, human: `Nobody was asked. Ask for at most ${MAX_HOSTS} hosts at once.` };
  }
  return { ok: true, hosts: [...hosts].map(([host = '', warning = '']) => ({ host, warning })) };
}

/** A plain host-like text can be repeated; anything else is named by its place. */
function nameFor(raw: string, index: number): string {
  return /^[A-Za-z0-9.:_-]{1,100}$/.test(raw) ? `\`${raw}\`` : `Host ${index + 1}`;
}
