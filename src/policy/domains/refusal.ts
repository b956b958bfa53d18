/**
 * Why a requested domain is not put before anybody. Each reason has a sentence for the agent that says what to do instead;
 * none repeats what was asked for, which may hold anything.
 */
import { assertNever } from '../../machines/json.ts';

export type Refusal =
  | 'empty'
  | 'tooLong'
  | 'control'
  | 'wildcard'
  | 'url'
  | 'port'
  | 'address'
  | 'notAscii'
  | 'malformed'
  | 'singleLabel'
  | 'internal'
  | 'punycode'
  | 'lookalike'
  | 'publicSuffix'
  | 'notPublic';

export function refusalWords(refusal: Refusal): string {
  switch (refusal) {
    case 'empty':
      return 'Name a host, as in `pypi.org`.';
    case 'tooLong':
      return 'A host name has at most 253 characters, and 63 between two dots.';
    case 'control':
      return 'A host name has no spaces, line breaks or invisible characters.';
    case 'wildcard':
      return 'Wildcards cannot be opened. Ask for each host by its full name.';
    case 'url':
      return 'Give the host name alone, without scheme, user, path or query.';
    case 'port':
      return 'Give the host name without a port: approved hosts are opened for HTTPS (443) only.';
    case 'address':
      return 'Addresses cannot be opened, in whatever notation. Ask for the host by its name.';
    case 'notAscii':
      return 'Write the name in its ASCII form, the one that begins with `xn--`.';
    case 'malformed':
      return 'This is no host name: it has letters a-z, digits and hyphens between single dots, and no dot at the end.';
    case 'singleLabel':
      return 'A name of one word cannot be opened. Give the full name with its domain.';
    case 'internal':
      return 'Names of internal networks cannot be opened, nor names that stand for an address.';
    case 'punycode':
      return 'The part that begins with `xn--` is not a valid international name.';
    case 'lookalike':
      return 'This name imitates another one with letters of a different script. Check which host you mean.';
    case 'publicSuffix':
      return 'This is an ending under which many owners have their domains. Give the full name of the host.';
    case 'notPublic':
      return 'This ending does not exist on the public internet. Check the name.';
    default:
      return assertNever(refusal);
  }
}
