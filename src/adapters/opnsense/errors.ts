/** What can go wrong with the firewall's API, in this program's words, and what a person can do about it. */
import { RetryableError, TerminalError } from '../../actors/index.ts';

/** What was asked, for the log: `POST alias/setItem`. Holds no key and no body. */
export type Asked = string;

const CERTIFICATE_PROBLEMS: ReadonlySet<string> = new Set([
  ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ...['UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'],
  ...['ERR_TLS_CERT_ALTNAME_INVALID', 'CERT_UNTRUSTED', 'CERT_SIGNATURE_FAILURE'],
]);

/** An answer that is no success. */
export function refusedError(asked: Asked, status: number, body: string): TerminalError | RetryableError {
  const message = `${asked}: ${status} ${wordsOf(body)}`.trim();
  if (status === 401) {
    return new TerminalError('OPNSENSE_AUTH', message, {
      human: 'OPNsense does not accept the API key. Check SM_OPNSENSE_KEY and SM_OPNSENSE_SECRET.',
    });
  }
  if (status === 403) {
    const table = asked.includes('alias_util/');
    return new TerminalError('OPNSENSE_FORBIDDEN', message, {
      human: `The OPNsense API user lacks the privilege "${table ? 'Diagnostics: PF Table IP addresses' : 'Firewall: Alias: Edit'}".`,
    });
  }
  if (status === 404 || (status >= 300 && status < 400)) {
    return new TerminalError('OPNSENSE_ADDRESS', message, {
      human:
        'SM_OPNSENSE_URL does not lead to the API of an OPNsense firewall. Set it to the address of its web interface.',
    });
  }
  if (status >= 500) {
    return new RetryableError('OPNSENSE_SERVER', message, {
      human: `OPNsense reports a problem of its own${humanPart(body)}. If it stays, check that the API user may change the configuration.`,
    });
  }
  if (status === 429) return new RetryableError('OPNSENSE_BUSY', message, { human: 'OPNsense asks us to slow down.' });
  return new TerminalError('OPNSENSE_REQUEST', message, { human: 'OPNsense did not understand the request.' });
}

/** No answer at all. Whether the request was carried out is then unknown. */
export function transportError(asked: Asked, cause: unknown, gaveUp: boolean): TerminalError | RetryableError {
  const code = codeOf(cause);
  if (CERTIFICATE_PROBLEMS.has(code)) {
    return new TerminalError('OPNSENSE_TLS', `${asked}: ${code}`, {
      cause,
      human: `The certificate of OPNsense is not trusted (${code}). Set SM_OPNSENSE_CA_FILE to the certificate of its authority, or to its own if it is self-signed.`,
    });
  }
  if (gaveUp || code.includes('TIMEOUT')) {
    return new RetryableError('OPNSENSE_TIMEOUT', `${asked}: no answer in time`, {
      cause,
      human: 'OPNsense did not answer in time. It will be tried again.',
    });
  }
  return new RetryableError('OPNSENSE_UNREACHABLE', `${asked}: ${code || String(cause)}`, {
    cause,
    human: `OPNsense cannot be reached${code === '' ? '' : ` (${code})`}. It will be tried again.`,
  });
}

/** Not what the API promises: a proxy's page, a cut body, another version. Nothing is ever written on the strength of it. */
export function garbledError(asked: Asked, what: string): RetryableError {
  return new RetryableError('OPNSENSE_GARBLED', `${asked}: ${what}`, {
    human: 'OPNsense gave an answer that cannot be understood. Nothing was changed.',
  });
}

export function noAlias(alias: string): TerminalError {
  return new TerminalError('OPNSENSE_NO_ALIAS', `there is no alias ${alias}`, {
    human: `There is no alias ${alias} in OPNsense. Create it (type Host(s)) with a rule that uses it, or let \`csm doctor firewall --create-alias\` create it.`,
  });
}

export function wrongAlias(alias: string, why: string): TerminalError {
  return new TerminalError('OPNSENSE_WRONG_ALIAS', `alias ${alias}: ${why}`, {
    human: `The alias ${alias} in OPNsense cannot be used: ${why}. Nothing was changed.`,
  });
}

export function refusedContent(alias: string, words: string): TerminalError {
  return new TerminalError('OPNSENSE_REFUSED', `alias ${alias}: ${words}`, {
    human: `OPNsense refused the change of alias ${alias}. Nothing was changed.`,
  });
}

export function overwritten(alias: string): RetryableError {
  return new RetryableError('OPNSENSE_OVERWRITTEN', `alias ${alias}: another writer is at work`, {
    human: `Somebody else is changing the alias ${alias} at the same time. It will be tried again.`,
  });
}

function codeOf(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null) return '';
  const code: unknown = Reflect.get(cause, 'code');
  if (typeof code === 'string') return code;
  return 'cause' in cause ? codeOf(cause.cause) : '';
}

/** `errorMessage` or `message` of an error's body; bounded, on one line. */
function wordsOf(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== 'object' || parsed === null) return '';
    const words: unknown = Reflect.get(parsed, 'errorMessage') ?? Reflect.get(parsed, 'message');
    return typeof words === 'string' ? words.replace(/\s+/g, ' ').slice(0, 200) : '';
  } catch {
    return '';
  }
}

function humanPart(body: string): string {
  const words = wordsOf(body).replace(/[^\w .,:-]/g, '');
  return words === '' ? '' : ` ("${words.slice(0, 100).replace(/\.$/, '')}")`;
}
