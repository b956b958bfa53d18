/** Addresses in every notation that a resolver, a browser or a C library takes for one. */
import { isIP } from 'node:net';

/** Decimal, octal and hexadecimal numbers, as `inet_aton` reads the parts of an address. */
const NUMBER = /^(?:0x[0-9a-f]*|[0-9]+)$/;

/**
 * Whether a text is, or is read somewhere as, an IP address. A name whose last label is a number is one to every URL
 * parser (WHATWG URL, "ends in a number"), however the other labels look: `127.1`, `0x7f000001`, `017700000001`,
 * `1.2.3.4.`, `foo.0x1`.
 */
export function isAddress(text: string): boolean {
  const bare = text.toLowerCase().replace(/^\[|\]$/g, '');
  const [address = ''] = bare.split(/[%/]/);
  if (isIP(address) !== 0) return true;
  // No host name has two colons, and none has brackets.
  if (/:[^:]*:/.test(bare) || /[[\]]/.test(text)) return true;
  const [host = ''] = bare.split(':');
  const labels = host.replace(/\.$/, '').split('.');
  return NUMBER.test(labels.at(-1) ?? '');
}
