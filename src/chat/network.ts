/** What `network` answers. */
import { codeSpan, plainWords } from './render/lines.ts';

export interface GrantLine {
  readonly host: string;
  readonly scope: string;
  readonly by: string;
  readonly openedAt: number;
  /** Epoch milliseconds; undefined: not by itself. */
  readonly expiresAt: number | undefined;
}

/** @param reach what a grant of this firewall opens for whom, as a sentence */
export function networkText(grants: readonly GrantLine[], reach: string, now: number, trigger: string): string {
  if (grants.length === 0) return `Nothing has been opened for this session. ${reach}`;
  const lines = grants.map(({ host, scope, by, expiresAt }) => {
    const who = by === '' ? 'by the network policy' : `by ${plainWords(by, 64)}`;
    return `- ${codeSpan(host, 260)} for ${scopeWords(scope)}, ${who}, ${untilWords(scope, expiresAt, now)}`;
  });
  return ['Open for this session:', ...lines, reach, `Close one with \`${trigger} network revoke <host>\`.`].join('\n');
}

export function revokedText(host: string, count: number): string {
  return count === 0
    ? `${codeSpan(host, 260)} was not opened for this session, so there is nothing to close.`
    : `${codeSpan(host, 260)} is being closed.`;
}

function scopeWords(scope: string): string {
  return scope === 'session' ? 'this session' : scope === 'repo' ? 'this repository' : 'everybody';
}

function untilWords(scope: string, expiresAt: number | undefined, now: number): string {
  if (expiresAt !== undefined) {
    const minutes = Math.max(0, Math.round((expiresAt - now) / 60_000));
    return minutes < 90 ? `for ${minutes} more minutes` : `for ${Math.round(minutes / 60)} more hours`;
  }
  return scope === 'session' ? 'until the session ends' : 'until it is revoked';
}
