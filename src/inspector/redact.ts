/**
 * Takes secrets out of what is shown: known values wherever they stand, texts that look like credentials, and every text
 * under a name that says so. Charts keep no secrets by design; this is for what people and tools put into events.
 *
 * Not guaranteed: a secret that is neither known, nor shaped like one, nor under a telling name.
 */

const SHOWN = '[redacted]';
/** Shorter ones would take words out of ordinary text. */
const SHORTEST_SECRET = 8;

const TELLING_WORDS = new Set([
  'token',
  'tokens',
  'secret',
  'secrets',
  'password',
  'passwd',
  'passphrase',
  'authorization',
  'cookie',
  'cookies',
  'credential',
  'credentials',
  'bearer',
  'apikey',
  'privatekey',
  'mac',
  'hmac',
]);
const TELLING_PAIRS = new Set(['api key', 'private key', 'access key', 'ssh key', 'secret key', 'signing key']);

const CREDENTIALS: readonly RegExp[] = [
  /\bsk-ant-[A-Za-z0-9_-]{8,}/g,
  /\bsk-[A-Za-z0-9_-]{20,}/g,
  /\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})/g,
  /\bglpat-[A-Za-z0-9_-]{16,}/g,
  /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/g,
  /\b(AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+/g,
  /(?<=\bBearer )[A-Za-z0-9._~+/=-]{8,}/gi,
  /(?<=:\/\/[^\s:/@]*:)[^\s:/@]+(?=@)/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g,
];

export type Redact = <Value>(value: Value) => Value;

/** @param secrets values that must never be shown, such as the configured tokens. */
export function createRedact(secrets: readonly string[]): Redact {
  const known = [...new Set(secrets.flatMap((secret) => [secret, encodeURIComponent(secret)]))]
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .sort((left, right) => right.length - left.length);

  const text = (value: string): string => {
    let shown = value;
    for (const secret of known) shown = shown.replaceAll(secret, SHOWN);
    for (const pattern of CREDENTIALS) shown = shown.replace(pattern, SHOWN);
    return shown;
  };
  const walk = (value: unknown, hidden: boolean): unknown => {
    if (typeof value === 'string') return hidden && value !== '' ? SHOWN : text(value);
    if (Array.isArray(value)) return value.map((item) => walk(item, hidden));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [text(name), walk(item, hidden || isTelling(name))]),
    );
  };
  return <Value>(value: Value) => walk(value, false) as Value;
}

/** `apiKey`, `API_KEY` and `x-api-key` are all "api key". */
function isTelling(name: string): boolean {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
  return words.some((word, index) => TELLING_WORDS.has(word) || TELLING_PAIRS.has(`${word} ${words[index + 1] ?? ''}`));
}
