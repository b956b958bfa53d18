/**
 * The certificate of a worker that is reached without SSH. It is derived like its token, so that the gateway can pin it
 * without having stored it; the worker gets it with its key over SSH. X.509 v3 in DER (RFC 5280), Ed25519 (RFC 8410).
 */
import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign } from 'node:crypto';

/** The only name in it. */
export const CERTIFICATE_NAME = 'agent-worker';

export interface WorkerCertificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

const ED25519 = sequence(Buffer.from('06032b6570', 'hex'));
/** Of a PKCS #8 key, before its 32 bytes. */
const KEY_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
/** It is pinned, so no date decides anything; the last is RFC 5280's "no end". */
const VALIDITY = sequence(tagged(0x17, Buffer.from('250101000000Z')), tagged(0x18, Buffer.from('99991231235959Z')));

/** The same for the same arguments. Says nothing about the token or the secret. */
export function workerCertificate(secret: string, container: string, generation: number): WorkerCertificate {
  const derive = (what: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, '', `claude-session-manager/${what}/${container}/${generation}`, bytes));
  const key = createPrivateKey({
    key: Buffer.concat([KEY_PREFIX, derive('worker-tls', 32)]),
    format: 'der',
    type: 'pkcs8',
  });
  // Positive and of full length.
  const serial = derive('worker-tls-serial', 16);
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f);
  return {
    certificate: pem('CERTIFICATE', selfSigned(key, serial)),
    key: key.export({ format: 'pem', type: 'pkcs8' }).toString(),
  };
}

function selfSigned(key: KeyObject, serial: Buffer): Buffer {
  const commonName = sequence(Buffer.from('0603550403', 'hex'), tagged(0x0c, Buffer.from(CERTIFICATE_NAME)));
  const name = sequence(tagged(0x31, commonName));
  const alternativeName = sequence(
    Buffer.from('0603551d11', 'hex'),
    tagged(0x04, sequence(tagged(0x82, Buffer.from(CERTIFICATE_NAME)))),
  );
  const body = sequence(
    tagged(0xa0, Buffer.from('020102', 'hex')),
    tagged(0x02, serial),
    ED25519,
    name,
    VALIDITY,
    name,
    createPublicKey(key).export({ format: 'der', type: 'spki' }),
    tagged(0xa3, sequence(alternativeName)),
  );
  return sequence(body, ED25519, tagged(0x03, Buffer.concat([Buffer.from([0]), sign(null, body, key)])));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

/** A DER value: tag, length, content. */
function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
