/**
 * Who may look. On loopback everybody on the machine, unless a token is set; anywhere else only with the token. A browser
 * trades the token for a cookie once; programs send it as `Authorization: Bearer`.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

export interface AccessOptions {
  readonly host: string;
  readonly token: string | undefined;
  readonly now?: () => number;
}

export interface Refusal {
  readonly status: 401 | 403 | 429;
  readonly error: string;
}

export interface Access {
  /** A name that leads here. Foreign names pointed at loopback are an attack on the browser (DNS rebinding). */
  checkHost(headers: IncomingHttpHeaders): Refusal | undefined;
  /** Comes from our own page, or from no page at all. */
  checkOrigin(headers: IncomingHttpHeaders): Refusal | undefined;
  /** For whatever shows or changes something. */
  checkToken(headers: IncomingHttpHeaders): Refusal | undefined;
  /** The header that gives a browser its cookie, for the right token. */
  login(token: string): { readonly cookie: string } | Refusal;
}

const COOKIE = 'csm_inspector';
const COOKIE_SECONDS = 12 * 3600;
/** Wrong tokens per minute, from all sides together. */
const WRONG_PER_MINUTE = 10;
/** A page of another origin cannot send it without asking first, and is never allowed to. */
export const PAGE_HEADER = 'x-csm-inspector';

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

export function createAccess({ host, token, now = Date.now }: AccessOptions): Access {
  let wrong: number[] = [];

  const seal = (expires: string): string =>
    createHmac('sha256', token ?? '')
      .update(`cookie ${expires}`)
      .digest('hex');
  const holdsCookie = (header: string | undefined): boolean => {
    const value = new RegExp(`(?:^|;\\s*)${COOKIE}=(\\d{1,15})\\.([0-9a-f]{64})(?:;|$)`).exec(header ?? '');
    const [, expires = '', mac = ''] = value ?? [];
    return same(mac, seal(expires)) && Number(expires) > now();
  };

  return {
    checkHost({ host: given = '' }) {
      if (!isLoopback(host)) return undefined;
      const name = given
        .replace(/:\d+$/, '')
        .replace(/^\[(.*)\]$/, '$1')
        .toLowerCase();
      if (isLoopback(name)) return undefined;
      return { status: 403, error: 'Open the inspector by its own address, such as 127.0.0.1.' };
    },
    checkOrigin(headers) {
      const site = headers['sec-fetch-site'];
      const { origin, host: own = '' } = headers;
      const foreign =
        (site !== undefined && site !== 'same-origin' && site !== 'none') ||
        (origin !== undefined && origin !== `http://${own}` && origin !== `https://${own}`);
      return foreign ? { status: 403, error: 'This request came from another page.' } : undefined;
    },
    checkToken({ authorization, cookie }) {
      if (token === undefined) return undefined;
      const bearer = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1];
      if (bearer !== undefined && same(bearer, token)) return undefined;
      if (holdsCookie(cookie)) return undefined;
      return { status: 401, error: 'Sign in with the token of the inspector (SM_INSPECTOR_TOKEN).' };
    },
    login(given) {
      const since = now() - 60_000;
      wrong = wrong.filter((at) => at > since);
      if (wrong.length >= WRONG_PER_MINUTE) {
        return { status: 429, error: 'Too many wrong tokens. Try again in a minute.' };
      }
      if (token === undefined || !same(given, token)) {
        wrong.push(now());
        return { status: 401, error: 'That is not the token of the inspector (SM_INSPECTOR_TOKEN).' };
      }
      const expires = String(now() + COOKIE_SECONDS * 1000);
      const value = `${expires}.${seal(expires)}`;
      return { cookie: `${COOKIE}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${COOKIE_SECONDS}` };
    },
  };
}

/** Compares fingerprints, so that the time taken says nothing about the text. */
function same(given: string, wanted: string): boolean {
  const fingerprint = (text: string) => createHmac('sha256', 'compare').update(text).digest();
  return timingSafeEqual(fingerprint(given), fingerprint(wanted));
}
