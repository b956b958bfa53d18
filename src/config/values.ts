/**
 * The kinds of values a variable can hold. Each reads the raw text of an environment variable and says in plain words
 * what is wrong with it. Issues never repeat the value: it may be a secret in the wrong place.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { type HostPin, parseHostPins } from '../adapters/ssh/hostKey.ts';
import { branchProblem, checkRepoPart } from '../chat/names.ts';
import { parseQuietHours, type QuietHours } from '../policy/quietHours.ts';
import { createSecret, type Secret } from './secret.ts';

export type Value<Out> = z.ZodType<Out, string>;
type Read<Out> = { readonly value: Out } | { readonly problem: string };

function reading<Out>(read: (raw: string) => Read<Out>): Value<Out> {
  return z.string().transform((raw, context) => {
    const result = read(raw);
    if ('value' in result) return result.value;
    context.addIssue({ code: 'custom', message: result.problem });
    return z.NEVER;
  });
}

export const text: Value<string> = z.string();

export const secretText: Value<Secret> = z.string().transform(createSecret);

/** A key for signatures: short ones can be guessed. */
export const signingSecret: Value<Secret> = reading((raw) =>
  [...raw].length >= 16 ? { value: createSecret(raw) } : { problem: 'must have at least 16 characters' },
);

/** A part of an address that nobody can guess, and that every proxy on the way leaves as it is. */
export const pathSecret: Value<Secret> = reading((raw) => {
  if (!/^[A-Za-z0-9_-]*$/.test(raw)) return { problem: 'must be made of letters, digits, - and _ only' };
  if (raw.length < 20 || raw.length > 200) return { problem: 'must have 20 to 200 characters' };
  return new Set(raw).size >= 8
    ? { value: createSecret(raw) }
    : { problem: 'must be random: it has too few different characters' };
});

/** @param says what the value must be, to complete "must be ...". */
export function matching(pattern: RegExp, says: string): Value<string> {
  return reading((raw) => (pattern.test(raw) ? { value: raw } : { problem: `must be ${says}` }));
}

export function oneOf<const Choice extends string>(...choices: readonly Choice[]): Value<Choice> {
  return reading((raw) => {
    const found = choices.find((choice) => choice === raw.toLowerCase());
    return found === undefined ? { problem: `must be one of ${choices.join(', ')}` } : { value: found };
  });
}

export function integer(min: number, max: number): Value<number> {
  return reading((raw) => {
    const value = /^\d{1,15}$/.test(raw) ? Number(raw) : Number.NaN;
    if (value >= min && value <= max) return { value };
    return { problem: `must be a whole number from ${min} to ${max}` };
  });
}

/** Bytes; 0 where nothing is bounded. */
export const size: Value<number> = reading((raw) => {
  const match = /^(\d{1,9})([kmgt]?)b?$/i.exec(raw);
  if (!match) return { problem: 'must be a size like 512m or 8g, or 0' };
  return { value: Number(match[1]) * 1024 ** 'bkmgt'.indexOf((match[2] ?? '').toLowerCase() || 'b') };
});

/** Longest time that a timer of the runtime can wait, in seconds. */
export const MAX_SECS = 2_147_483;

/** @param min 0 where zero has a meaning of its own. */
export function seconds(min: 0 | 1, max = MAX_SECS): Value<number> {
  return reading((raw) => {
    const value = /^\d{1,15}$/.test(raw) ? Number(raw) : Number.NaN;
    if (value >= min && value <= max) return { value };
    return { problem: `must be a whole number of seconds from ${min} to ${max}, without a unit` };
  });
}

export const positiveNumber: Value<number> = reading((raw) => {
  const value = /^\d{1,9}(\.\d{1,9})?$/.test(raw) ? Number(raw) : Number.NaN;
  return value > 0 ? { value } : { problem: 'must be a number above 0' };
});

export const positiveOrZero: Value<number> = reading((raw) => {
  const value = /^\d{1,9}(\.\d{1,9})?$/.test(raw) ? Number(raw) : Number.NaN;
  return value >= 0 ? { value } : { problem: 'must be a number, or 0' };
});

const TRUE = ['true', '1', 'yes'];
const FALSE = ['false', '0', 'no'];

export const flag: Value<boolean> = reading((raw) => {
  const word = raw.toLowerCase();
  if (TRUE.includes(word)) return { value: true };
  if (FALSE.includes(word)) return { value: false };
  return { problem: 'must be true or false (1, 0, yes and no work too)' };
});

/** An http or https address without user, query or fragment; a slash at its end is dropped. */
export const webAddress: Value<string> = reading((raw) => {
  const address = URL.canParse(raw) ? new URL(raw) : null;
  if (address === null || !['http:', 'https:'].includes(address.protocol)) {
    return { problem: 'must be an address that starts with http:// or https://' };
  }
  if (address.username !== '' || address.password !== '') return { problem: 'must not contain a user or a password' };
  if (address.search !== '' || address.hash !== '') return { problem: 'must end with the path (no ? and no #)' };
  return { value: address.href.replace(/\/+$/, '') };
});

export const postgresAddress: Value<Secret> = reading((raw) => {
  const address = URL.canParse(raw) ? new URL(raw) : null;
  if (address === null || !['postgres:', 'postgresql:'].includes(address.protocol)) {
    return { problem: 'must be an address that starts with postgres://' };
  }
  return { value: createSecret(raw) };
});

/** `22:00-07:00 Europe/Berlin` */
export const quietHours: Value<QuietHours> = reading((raw) => {
  const parsed = parseQuietHours(raw);
  return 'problem' in parsed ? parsed : { value: parsed.hours };
});

/** A name or address to connect to; never something a command line could take for an option. */
export const hostName: Value<string> = reading((raw) => {
  const isName = /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?)*$/;
  if (isIP(raw) !== 0 || isName.test(raw)) return { value: raw };
  return { problem: 'must be a host name or an IP address, without scheme and port' };
});

/** Fingerprints or lines of known_hosts. */
export const hostKeys: Value<readonly HostPin[]> = reading((raw) => {
  const parsed = parseHostPins(raw);
  return 'problem' in parsed ? parsed : { value: parsed.pins };
});

export interface ListenAddress {
  readonly host: string;
  /** 0: the system chooses. */
  readonly port: number;
}

export const listenAddress: Value<ListenAddress> = reading((raw) => {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:\s]+)):(\d{1,5})$/.exec(raw);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host !== undefined && port <= 65_535 && (match?.[1] === undefined || isIP(host) === 6)) {
    return { value: { host, port } };
  }
  return { problem: 'must be host:port (an IPv6 address in brackets)' };
});

/** A listener that can be left out: null. */
export const listenAddressOrOff: Value<ListenAddress | null> = reading((raw) => {
  if (raw.toLowerCase() === 'off') return { value: null };
  const result = listenAddress.safeParse(raw);
  return result.success
    ? { value: result.data }
    : { problem: 'must be host:port (an IPv6 address in brackets), or off' };
});

/** Only this machine can connect to it. */
export function isLoopback({ host }: ListenAddress): boolean {
  return host.toLowerCase() === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

export const absolutePath: Value<string> = reading((raw) => {
  if (raw.startsWith('/') && !/[\u0000-\u001f\u007f]/.test(raw) && !raw.split('/').includes('..')) {
    return { value: raw.length > 1 ? raw.replace(/\/+$/, '') : raw };
  }
  return { problem: 'must be an absolute path without ..' };
});

/** Items separated by commas, or a JSON array of texts. Duplicates count once. */
export function list(item: (raw: string) => Read<string>): Value<readonly string[]> {
  return reading((raw) => {
    const parts = raw.startsWith('[') ? jsonTexts(raw) : raw.split(',');
    if (parts === null) return { problem: 'starts with [ but is not a JSON array of texts' };
    const values = new Set<string>();
    for (const part of parts) {
      const trimmed = part.trim();
      if (trimmed === '') continue;
      const result = item(trimmed);
      if ('problem' in result) return { problem: `item ${values.size + 1} ${result.problem}` };
      values.add(result.value);
    }
    return { value: [...values] };
  });
}

function jsonTexts(raw: string): string[] | null {
  const result = z.array(z.string()).safeParse(parseJson(raw));
  return result.success ? result.data : null;
}

function parseJson(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    // The caller says in words what was expected; the parser's message would repeat the value.
    return undefined;
  }
}

export const people = list((raw) => {
  const name = raw.replace(/^@/, '');
  return /^[A-Za-z0-9._-]{1,64}$/.test(name) ? { value: name } : { problem: 'is not a user name or a user id' };
});

export const repoPatterns = list((raw) =>
  /^(\*|[A-Za-z0-9_*-][A-Za-z0-9_.*-]*\/[A-Za-z0-9_*-][A-Za-z0-9_.*-]*)$/.test(raw)
    ? { value: raw }
    : { problem: 'is not of the form org/repo or org/*' },
);

export const networks = list((raw) => {
  const [address = '', prefix, ...more] = raw.split('/');
  const version = isIP(address);
  const fits = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 6 ? 128 : 32));
  return version !== 0 && fits && more.length === 0 ? { value: raw } : { problem: 'is not an IP address or a network' };
});

/** Names of environment variables to pass on. Our own are refused: they hold the gateway's secrets. */
export const environmentNames = list((raw) => {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(raw)) return { problem: 'is not the name of an environment variable' };
  if (raw.startsWith('SM_')) return { problem: "must not be one of the gateway's own variables" };
  return { value: raw };
});

export const repoOwner: Value<string> = reading((raw) =>
  checkRepoPart(raw, 'an organisation').ok && branchProblem(raw) === null
    ? { value: raw }
    : { problem: "must be an organisation's name as on GitHub" },
);

/** `name=/path,other=/path`, or a JSON object. */
export const namedPaths: Value<Readonly<Record<string, string>>> = reading((raw) => {
  const pairs = raw.startsWith('{') ? jsonPairs(raw) : commaPairs(raw);
  if (pairs === null) return { problem: 'must be name=/path,other=/path or a JSON object of texts' };
  const value: Record<string, string> = {};
  for (const [name, path] of pairs) {
    if (!checkRepoPart(name, 'a repository').ok) return { problem: 'has a name that cannot be a repository name' };
    const checked = absolutePath.safeParse(path);
    if (!checked.success) return { problem: `has a path that is not absolute (for ${name})` };
    value[name] = checked.data;
  }
  return { value };
});

function jsonPairs(raw: string): [string, string][] | null {
  const result = z.record(z.string(), z.string()).safeParse(parseJson(raw));
  return result.success ? Object.entries(result.data) : null;
}

function commaPairs(raw: string): [string, string][] | null {
  const pairs: [string, string][] = [];
  for (const part of raw.split(',')) {
    const at = part.indexOf('=');
    if (part.trim() === '') continue;
    if (at < 0) return null;
    pairs.push([part.slice(0, at).trim(), part.slice(at + 1).trim()]);
  }
  return pairs;
}
