import { BlockList, isIP } from 'node:net';

/** Tells whose request it is, behind proxies that are trusted to say so. */
export type ClientAddress = (peer: string | undefined, forwardedFor: string | string[] | undefined) => string;

/**
 * @param trustedProxies addresses and CIDR ranges. Anyone can send `X-Forwarded-For`, so it counts only from these, and
 * of its entries only the right-most that is not itself a trusted proxy: what stands left of it was written by strangers.
 * @throws Error naming an entry that is neither
 */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  const isTrusted = createAddressList(trustedProxies);

  return (peer, forwardedFor) => {
    let client = plain(peer ?? '');
    const hops = [forwardedFor ?? []].flat().join(',').split(',').map(plain);
    while (isTrusted(client)) {
      const next = hops.pop();
      // The end of the list, or something that is no address: the last one we can vouch for it is.
      if (next === undefined || !familyOf(next)) break;
      client = next;
    }
    return client || 'unknown';
  };
}

/** @param entries addresses and CIDR ranges. @throws Error naming an entry that is neither */
export function createAddressList(entries: readonly string[]): (address: string) => boolean {
  const listed = new BlockList();
  for (const entry of entries) {
    const [address = '', bits, ...rest] = entry.trim().split('/');
    const family = familyOf(address);
    const prefix = Number(bits);
    if (!family || rest.length > 0) throw new Error(`not an address or CIDR range: '${entry}'`);
    if (bits === undefined) listed.addAddress(address, family);
    else if (/^\d+$/.test(bits) && prefix <= (family === 'ipv4' ? 32 : 128)) listed.addSubnet(address, prefix, family);
    else throw new Error(`not an address or CIDR range: '${entry}'`);
  }
  return (address) => {
    const family = familyOf(address);
    return family !== undefined && listed.check(address, family);
  };
}

/** What a limit counts by: an IPv6 customer has a whole /64 to send from. */
export function limitKey(address: string): string {
  if (familyOf(address) !== 'ipv6') return address;
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return `${[...left, ...zeros, ...right]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  const version = isIP(address);
  return version === 4 ? 'ipv4' : version === 6 ? 'ipv6' : undefined;
}

/** Without the dress an IPv4 address wears on an IPv6 socket, without a zone, brackets or port. */
function plain(text: string): string {
  const address = text
    .trim()
    .replace(/^\[([^\]]*)\](?::\d+)?$/, '$1')
    .replace(/%.*$/, '')
    .toLowerCase();
  const withPort = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(address);
  return (withPort?.[1] ?? address).replace(/^::ffff:(?=\d+\.)/, '');
}
