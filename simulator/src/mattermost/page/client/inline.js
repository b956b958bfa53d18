import { h } from './dom.js';
import { PICTURES } from './emoji.js';

/** What may stand inside a line. Tried at each position, in this order; each pattern is anchored and bounded. */
const RULES = [
  { pattern: /\\([\\`*_{}[\]()#+.!|~<>-])/y, make: ([, mark]) => mark },
  { pattern: /(`+)([^`]|[^`][\s\S]{0,4000}?[^`])\1(?!`)/y, make: ([, , code]) => h('code', {}, code) },
  {
    pattern: /!\[([^\]]{0,400})\]\(([^()\s]{1,2000})[^)]{0,200}\)/y,
    make: ([, text, url]) => link(url, [`image: ${text || url}`]),
  },
  {
    pattern: /\[([^\]]{1,400})\]\(([^()\s]{1,2000}(?:\([^()\s]{0,200}\))?)\)/y,
    make: ([, text, url], depth) => link(url, inline(text, depth + 1)),
  },
  { pattern: /<(https?:\/\/[^<>\s]{1,2000})>/y, make: ([, url]) => link(url, [url]) },
  {
    pattern: /\*\*(?=\S)([\s\S]{1,2000}?\S)\*\*/y,
    make: ([, text], depth) => h('strong', {}, ...inline(text, depth + 1)),
  },
  {
    pattern: /(?<!\w)__(?=\S)([\s\S]{1,2000}?\S)__(?!\w)/y,
    make: ([, text], depth) => h('strong', {}, ...inline(text, depth + 1)),
  },
  {
    pattern: /\*(?=[^\s*])([^*]{1,2000}?)(?<=\S)\*(?!\*)/y,
    make: ([, text], depth) => h('em', {}, ...inline(text, depth + 1)),
  },
  {
    pattern: /(?<!\w)_(?=[^\s_])([^_]{1,2000}?)(?<=\S)_(?!\w)/y,
    make: ([, text], depth) => h('em', {}, ...inline(text, depth + 1)),
  },
  { pattern: /~~(?=\S)([^~]{1,2000}?)~~/y, make: ([, text], depth) => h('del', {}, ...inline(text, depth + 1)) },
  { pattern: /(?<![\w/])https?:\/\/[^\s<>"'`]{1,2000}[^\s<>"'`.,:;!?)\]}*_]/y, make: ([url]) => link(url, [url]) },
  {
    pattern: /(?<![\w@])@[a-z0-9][a-z0-9._-]{0,62}[a-z0-9]/iy,
    make: ([name]) => h('span', { class: 'mention' }, name),
  },
  {
    pattern: /:([a-z0-9_+-]{1,40}):/y,
    make: ([whole, name]) => (PICTURES[name] ? h('span', { title: whole }, PICTURES[name]) : whole),
  },
];

/**
 * The inline part of Markdown. Unknown or unbalanced marks stay text.
 *
 * @param {string} source
 * @param {number} [depth]
 * @returns {(Node | string)[]}
 */
export function inline(source, depth = 0) {
  if (depth > 6) return [source];
  const made = [];
  let plain = '';
  let at = 0;
  while (at < source.length) {
    const found = match(source, at);
    if (found) {
      if (plain !== '') made.push(plain);
      plain = '';
      made.push(found.rule.make(found.groups, depth));
      at += found.groups[0].length;
    } else {
      plain += source[at];
      at += 1;
    }
  }
  if (plain !== '') made.push(plain);
  return made;
}

/** Characters a rule can start with; at any other there is nothing to try. */
const STARTS = /[\\`![<*_~h@:]/;

function match(source, at) {
  if (!STARTS.test(source[at])) return undefined;
  for (const rule of RULES) {
    rule.pattern.lastIndex = at;
    const groups = rule.pattern.exec(source);
    if (groups) return { rule, groups };
  }
  return undefined;
}

/** A link, if its address is one of the web or of mail; otherwise just its text. */
function link(url, children) {
  const target = URL.canParse(url) ? new URL(url) : undefined;
  if (!target || !['http:', 'https:', 'mailto:'].includes(target.protocol))
    return h('span', { title: url }, ...children);
  return h('a', { href: target.href, target: '_blank', rel: 'noopener noreferrer' }, ...children);
}
