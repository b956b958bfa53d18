/** Judges one domain an agent asks for, before any person is asked. Pure: no name is resolved here. */
import { domainToASCII, domainToUnicode } from 'node:url';
import { parse } from 'tldts';
import { isInternal } from './internalNames.ts';
import { imitates, isLookalike } from './lookalikes.ts';
import { isAddress } from './notation.ts';
import { type Refusal, refusalWords } from './refusal.ts';

export type DomainVerdict =
  | {
      readonly ok: true;
      /** Lower-case ASCII, with a dot, a public ending and nothing around it. */
      readonly host: string;
      /** What a person should know before opening it; empty: nothing. */
      readonly warning: string;
    }
  | { readonly ok: false; readonly refusal: Refusal; readonly human: string };

const LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** Names people open without a second look, and which are imitated for that. */
export const WELL_KNOWN: readonly string[] = [
  ...['pypi.org', 'pythonhosted.org', 'npmjs.org', 'npmjs.com', 'yarnpkg.com', 'github.com', 'githubusercontent.com'],
  ...['gitlab.com', 'crates.io', 'rubygems.org', 'golang.org', 'docker.io', 'docker.com', 'debian.org', 'ubuntu.com'],
  ...['anthropic.com', 'claude.ai', 'google.com', 'googleapis.com', 'microsoft.com', 'amazonaws.com', 'maven.org'],
];

/**
 * @param raw what was asked for, as it came
 * @param known names to compare with besides the well-known ones
 */
export function checkDomain(raw: string, known: readonly string[] = []): DomainVerdict {
  const host = raw.toLowerCase();
  const refusal = shapeProblem(raw) ?? nameProblem(host) ?? suffixProblem(host);
  if (refusal !== undefined) return { ok: false, refusal, human: refusalWords(refusal) };
  return { ok: true, host, warning: warningOf(host, known) };
}

/** What can be said without knowing names: is this a host name and nothing else? */
function shapeProblem(raw: string): Refusal | undefined {
  if (raw === '') return 'empty';
  if (raw.length > 1_000) return 'tooLong';
  if (/[\p{C}\p{Z}]/u.test(raw)) return 'control';
  if (raw.includes('*')) return 'wildcard';
  if (raw.includes('://')) return 'url';
  if (isAddress(raw)) return 'address';
  if (/[/\\?#@]/.test(raw)) return 'url';
  if (raw.includes(':')) return 'port';
  // Full-width digits and dots are an address to whatever maps them.
  if (/[^\x00-\x7f]/.test(raw)) return isAddress(domainToASCII(raw)) ? 'address' : 'notAscii';
  return undefined;
}

/** @param host lower case */
function nameProblem(host: string): Refusal | undefined {
  const labels = host.split('.');
  if (host.length > 253 || labels.some((label) => label.length > 63)) return 'tooLong';
  if (!labels.every((label) => LABEL.test(label))) return 'malformed';
  if (isInternal(host)) return 'internal';
  if (labels.length === 1) return 'singleLabel';
  return labels.map(internationalProblem).find((problem) => problem !== undefined);
}

/** Hyphens in the third and fourth place mark an encoding; `xn` is the only one there is. */
function internationalProblem(label: string, index: number, labels: readonly string[]): Refusal | undefined {
  if (label.slice(2, 4) !== '--') return undefined;
  if (!label.startsWith('xn--')) return 'malformed';
  const decoded = domainToUnicode(label);
  // What does not come back as it was is not the one spelling a registry would accept.
  if (decoded === '' || decoded === label || domainToASCII(decoded) !== label) return 'punycode';
  if (decoded !== decoded.normalize('NFC')) return 'punycode';
  // Endings are checked against the list of those that exist.
  const isEnding = index === labels.length - 1;
  return !isEnding && isLookalike(decoded) ? 'lookalike' : undefined;
}

/** Public suffix rules: the ending must exist, and there must be a name before it. */
function suffixProblem(host: string): Refusal | undefined {
  const { isIcann, domain } = parse(host, { allowPrivateDomains: false, extractHostname: false });
  if (isIcann !== true) return 'notPublic';
  return domain === null ? 'publicSuffix' : undefined;
}

function warningOf(host: string, known: readonly string[]): string {
  const like = imitates(host, [...WELL_KNOWN, ...known]);
  if (like !== undefined) return `It looks like ${like}, and is not.`;
  if (host.includes('xn--')) return `It is shown in browsers as ${domainToUnicode(host)}.`;
  const { isPrivate, publicSuffix } = parse(host, { allowPrivateDomains: true, extractHostname: false });
  if (isPrivate === true && publicSuffix === host) return 'Many owners have their pages below this name.';
  return '';
}
