/**
 * Addresses in what agents write. A chat server fetches the first one that stands bare in a post, to show a preview of the
 * page: whoever makes an agent name an address would get a message out past its firewall, and its pictures in. Of links with a
 * text of their own it fetches nothing (`getFirstLinkAndImages` in the server's `app/post_metadata.go`), so bare addresses
 * become such links: they can be clicked as before. Inside square brackets that are open it sees no address.
 */

export const ZERO_WIDTH = '\u200b';

/** Of one line: how many square brackets are open, over the code that stands between. */
export interface Brackets {
  open: number;
}

/** Code points of an address that are shown. */
const SHOWN = 80;
/** What linking an address adds to it, at most: what is shown of it, each sign escaped, and the signs of a link. */
export const LINK_WEIGHT = 2 * SHOWN + 16;

const ADDRESS = String.raw`(?<![a-z0-9])(?:https?:\/\/|www\d{0,3}\.)[^\s<>|"\`]+`;
/** As in `](https://example.com/a_(b) "title")`: up to one pair of brackets deep. */
const TARGET = String.raw`\]\(\s*(?:[^\s()<>]|\([^\s()<>]*\))+(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)`;
/** Code is left as it is. */
const PARTS = new RegExp(String.raw`\\[\s\S]|\`[^\`]*\`|\[|${TARGET}|\]|<?${ADDRESS}>?`, 'gi');

const BARE = new RegExp(ADDRESS, 'i');

/** @param brackets of the line, brought up to date */
export function linkAddresses(text: string, brackets: Brackets): string {
  return text.replace(PARTS, (part) => {
    if (part.startsWith('\\') || part.startsWith('`')) return part;
    if (part === '[') {
      brackets.open += 1;
      return part;
    }
    if (part.startsWith(']')) {
      const isLink = part.length > 1 && brackets.open > 0;
      brackets.open = Math.max(0, brackets.open - 1);
      // Not the end of a link after all.
      return isLink || part.length === 1 ? part.replaceAll('@', '%40') : `]${linkAddresses(part.slice(1), brackets)}`;
    }
    // A link in the text of a link is none, and would end the outer one.
    if (brackets.open > 0) return unlinked(part);
    return part.startsWith('<') && part.endsWith('>') ? linked(part.slice(1, -1)) : part.replace(BARE, linked);
  });
}

/** The address as a link that shows it: its beginning says where it leads. */
export function linked(address: string): string {
  const end = endOf(address);
  const bare = address.slice(0, end).replace(/\\(?=[`*_~|[\]<>\\])/g, '');
  const points = [...bare];
  const shown = points.length <= SHOWN ? bare : `${points.slice(0, SHOWN - 1).join('')}…`;
  const target = bare.replace(/[()@\\]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  const label = shown.replace(/[`*_~|[\]\\]/g, (sign) => `\\${sign}`);
  return `[${label}](${/^www/i.test(target) ? 'http://' : ''}${target})${address.slice(end)}`;
}

/** The same words for the text of a link: in it an address is none, and would end the link. */
export function unlinked(text: string): string {
  return text.replace(/https?:|www/gi, (start) => `${start}${ZERO_WIDTH}`);
}

/** Signs of the sentence that it stands in are not the address's, nor is a bracket that was opened before it. */
function endOf(address: string): number {
  let unopened = address.split(')').length - address.split('(').length;
  let end = address.length;
  for (; end > 0; end -= 1) {
    const last = address.charAt(end - 1);
    if (last === ')' && unopened > 0) unopened -= 1;
    else if (!/[.,:;!?'*_~\]}\\]/.test(last)) break;
  }
  return end;
}
