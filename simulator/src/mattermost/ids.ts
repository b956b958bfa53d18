import { randomBytes } from 'node:crypto';

/** The alphabet of the server's ids (zbase32): no letter that is easily mistaken for another. */
const ALPHABET = 'ybndrfg8ejkmcpqxot1uwisza345h769';

/** A new id in the server's format: 26 characters of zbase32, from 130 random bits. */
export function newId(): string {
  let id = '';
  for (const byte of randomBytes(26)) id += ALPHABET[byte & 31];
  return id;
}

/** True for 26 characters of a-z and 0-9: what the server takes for an id in paths and bodies. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z0-9]{26}$/.test(value);
}
