/** Which host key the VM must show: pinned, or the one it showed first if that was asked for. */
import { createHash, createHmac } from 'node:crypto';
import type { ServerHostKeyAlgorithm } from 'ssh2';
import { HostKeyError } from './errors.ts';

/** A key to expect: by its fingerprint (`SHA256:...`), or whole with the hosts it is for (a line of known_hosts). */
export type HostPin =
  | { readonly fingerprint: string }
  | { readonly type: string; readonly key: string; readonly hosts: readonly string[] };

/** Where the first key that was trusted is kept, as `type base64`. */
export interface HostKeyMemory {
  /** Undefined if none was ever saved. */
  load(): Promise<string | undefined>;
  /** Keeps the key unless there is one already. @returns the one that is kept: the first ever saved wins. */
  save(key: string): Promise<string>;
}

export interface HostKeyPolicy {
  readonly pins: readonly HostPin[];
  /** Only if this is given is an unpinned key accepted at all. */
  readonly trustOnFirstUse?: HostKeyMemory;
}

/**
 * Reads fingerprints and lines of known_hosts, one a line (fingerprints may be separated by commas as well).
 * @returns the pins, or what is wrong, to complete "SM_VM_HOST_KEY ..."
 */
export function parseHostPins(text: string): { readonly pins: readonly HostPin[] } | { readonly problem: string } {
  const pins: HostPin[] = [];
  const lines = text.split('\n').flatMap((line) => (line.includes(' ') ? [line] : line.split(',')));
  for (const line of lines.map((item) => item.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('@')) return { problem: 'must not use the markers of known_hosts (@cert-authority, @revoked)' };
    if (/^SHA256:[A-Za-z0-9+/]{43}=?$/.test(line)) {
      pins.push({ fingerprint: line.replace(/=$/, '') });
      continue;
    }
    const match = /^(?:(\S+)\s+)?((?:ssh|ecdsa)-\S+)\s+(AAAA[A-Za-z0-9+/]+={0,2})(?:\s|$)/.exec(line);
    const [, hosts = '', type = '', key = ''] = match ?? [];
    if (!match || !SIGNATURES.has(type) || typeOf(Buffer.from(key, 'base64')) !== type) {
      return { problem: 'must be a fingerprint like SHA256:... or lines of known_hosts' };
    }
    pins.push({ type, key, hosts: hosts === '' ? [] : hosts.split(',') });
  }
  return pins.length > 0 ? { pins } : { problem: 'holds no key' };
}

const RSA: readonly ServerHostKeyAlgorithm[] = ['rsa-sha2-512', 'rsa-sha2-256'];
const ECDSA: readonly ServerHostKeyAlgorithm[] = ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'];

/** The signatures that go with each type of key; other types are not taken. */
const SIGNATURES: ReadonlyMap<string, readonly ServerHostKeyAlgorithm[]> = new Map([
  ['ssh-ed25519', ['ssh-ed25519']],
  ...ECDSA.map((type): [string, ServerHostKeyAlgorithm[]] => [type, [type]]),
  ['ssh-rsa', RSA],
]);

/** As `ssh-keygen -lf` prints it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** `type base64`, as in an authorized_keys or known_hosts file. */
export function keyText(key: Buffer): string {
  return `${typeOf(key)} ${key.toString('base64')}`;
}

/** The algorithm name at the start of an SSH public key blob (RFC 4253, 6.6). */
function typeOf(key: Buffer): string {
  if (key.length < 4) return '';
  return key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1');
}

/**
 * What to ask the server for, one list per attempt. A server has keys of several types and shows one: where we know the
 * whole key we ask for its type; a fingerprint does not tell its type, so each is tried.
 */
export function hostKeyAttempts(
  policy: HostKeyPolicy,
  stored: string | undefined,
  { host, port }: { readonly host: string; readonly port: number },
): readonly (readonly ServerHostKeyAlgorithm[])[] {
  const each = [SIGNATURES.get('ssh-ed25519') ?? [], ECDSA, RSA];
  // A whole known_hosts may be given: other hosts' keys say nothing about this one's.
  const pins = policy.pins.filter((pin) => !('type' in pin) || isFor(pin.hosts, host, port));
  const whole = pins.flatMap((pin) => ('type' in pin ? [pin.type] : []));
  if (policy.pins.length === 0) return [SIGNATURES.get(stored?.split(' ')[0] ?? '') ?? each.flat()];
  if (pins.length === 0 || whole.length < pins.length) return each;
  return [[...new Set(whole.flatMap((type) => SIGNATURES.get(type) ?? []))]];
}

/** @returns nothing if the key is the expected one. @throws HostKeyError, or what the memory throws */
export async function checkHostKey(
  policy: HostKeyPolicy,
  key: Buffer,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  const shown = fingerprintOf(key);
  const described = `${shown} (${typeOf(key)})`;
  if (policy.pins.length > 0) {
    if (policy.pins.some((pin) => fits(pin, key, shown, host, port))) return;
    throw new HostKeyError(
      `${host}:${port} shows the host key ${described}, which is not pinned`,
      `The VM shows another host key (${described}) than SM_VM_HOST_KEY says: either it was set up anew, or something stands between. Nothing was sent. Compare it with \`ssh-keygen -lf\` of the key on the VM, then correct SM_VM_HOST_KEY.`,
      [shown],
    );
  }
  if (!policy.trustOnFirstUse) {
    throw new HostKeyError(
      `${host}:${port} shows the host key ${described}, and none is pinned`,
      `No host key of the VM is known. It shows ${described}: compare it with \`ssh-keygen -lf\` of the key on the VM, then set SM_VM_HOST_KEY=${shown} (or SM_VM_TRUST_ON_FIRST_USE=true to accept it unseen).`,
      [shown],
    );
  }
  const trusted = await policy.trustOnFirstUse.save(keyText(key));
  if (trusted === keyText(key)) return;
  const before = fingerprintOf(Buffer.from(trusted.split(' ')[1] ?? '', 'base64'));
  throw new HostKeyError(
    `${host}:${port} shows the host key ${described}, but showed ${before} first`,
    `The VM's host key has changed from ${before} to ${described}: either it was set up anew, or something stands between. Nothing was sent. If it is right, set SM_VM_HOST_KEY=${shown}.`,
    [shown],
  );
}

function fits(pin: HostPin, key: Buffer, shown: string, host: string, port: number): boolean {
  if ('fingerprint' in pin) return pin.fingerprint === shown;
  return keyText(key) === `${pin.type} ${pin.key}` && isFor(pin.hosts, host, port);
}

/**
 * The host field of known_hosts (sshd(8)): names with `*` and `?`, `!` to exclude, `[name]:port`, or hashed. ssh hashes
 * names in small letters.
 */
function isFor(hosts: readonly string[], host: string, port: number): boolean {
  if (hosts.length === 0) return true;
  const name = (port === 22 ? host : `[${host}]:${port}`).toLowerCase();
  const matches = (pattern: string): boolean => {
    const [, hash, salt = '', digest] = pattern.split('|');
    if (pattern.startsWith('|') && hash === '1') {
      return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === digest;
    }
    const glob = pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    return new RegExp(`^${glob}$`, 'i').test(name);
  };
  if (hosts.some((pattern) => pattern.startsWith('!') && matches(pattern.slice(1)))) return false;
  return hosts.some((pattern) => !pattern.startsWith('!') && matches(pattern));
}
