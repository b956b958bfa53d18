/** Names that lead into a network of one's own instead of the public internet. */

/**
 * Endings that are reserved, or in use, inside networks: IANA's special-use names (RFC 6761, 6762, 7686, 8375, 9476),
 * what ICANN has set aside for private use, what home routers and clusters answer for, and the cloud's metadata hosts.
 */
const RESERVED = [
  ...['localhost', 'localdomain', 'local', 'internal', 'intranet', 'private', 'home', 'corp', 'lan', 'mail', 'alt'],
  ...['test', 'example', 'invalid', 'onion', 'arpa', 'router', 'fritz.box', 'cluster.local'],
  ...['example.com', 'example.net', 'example.org', 'home.arpa', 'ts.net', 'svc', 'consul', 'docker', 'podman'],
];

/** Services that answer any address somebody writes into the name, private ones too. */
const ADDRESS_IN_NAME = [
  ...['nip.io', 'sslip.io', 'xip.io', 'localtest.me', 'lvh.me', 'vcap.me', 'lacolhost.com', 'traefik.me'],
  ...['local.gd', 'rbndr.us', '1u.ms', 'backname.io', 'localho.st'],
];

const ENDINGS: ReadonlySet<string> = new Set([...RESERVED, ...ADDRESS_IN_NAME]);

/** @param host lower case, without a dot at the end */
export function isInternal(host: string): boolean {
  const labels = host.split('.');
  return labels.some((_, from) => ENDINGS.has(labels.slice(from).join('.')));
}
