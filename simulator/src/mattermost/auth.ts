import type { IncomingHttpHeaders } from 'node:http';

/**
 * The token of a request: cookie MMAUTHTOKEN, which wins, or `Authorization: Bearer|Token <token>` with the scheme in
 * any case. A token in the query is for OAuth sessions only and therefore never looked at.
 */
export function headerToken(headers: IncomingHttpHeaders): string | undefined {
  return cookieToken(headers) ?? schemeToken(headers);
}

export function cookieToken(headers: IncomingHttpHeaders): string | undefined {
  return /(?:^|;\s*)MMAUTHTOKEN=([^;]+)/.exec(headers.cookie ?? '')?.[1];
}

function schemeToken(headers: IncomingHttpHeaders): string | undefined {
  return /^(?:bearer|token)\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1];
}
