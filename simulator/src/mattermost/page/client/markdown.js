import { h } from './dom.js';
import { inline } from './inline.js';

/**
 * Markdown as elements: paragraphs, headings, lists, quotes, tables, rules and fenced code. Everything else stays text.
 * Never builds HTML from strings, and never loads anything.
 *
 * @param {string} source
 * @returns {DocumentFragment}
 */
export function markdown(source) {
  const fragment = document.createDocumentFragment();
  fragment.append(...blocks(source.replace(/\r\n?/g, '\n').split('\n'), 0));
  return fragment;
}

const FENCE = /^\s{0,3}(`{3,}|~{3,})\s*([\w+#.-]*)/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^\s{0,3}([-*_])(\s*\1){2,}\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const TABLE_LINE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
const DEEPEST = 8;

/**
 * @param {string[]} lines
 * @param {number} depth how far inside quotes and lists; too deep is shown as text
 * @returns {HTMLElement[]}
 */
function blocks(lines, depth) {
  const made = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    if (line.trim() === '') at += 1;
    else if (FENCE.test(line)) at = fence(lines, at, made);
    else if (HEADING.test(line)) {
      const [, marks, text] = HEADING.exec(line);
      made.push(h(`h${Math.min(6, marks.length + 2)}`, {}, ...inline(text)));
      at += 1;
    } else if (RULE.test(line)) {
      made.push(h('hr'));
      at += 1;
    } else if (depth < DEEPEST && /^\s{0,3}>/.test(line)) at = quote(lines, at, made, depth);
    else if (depth < DEEPEST && ITEM.test(line)) at = list(lines, at, made, depth);
    else if (line.includes('|') && TABLE_LINE.test(lines[at + 1] ?? '') && (lines[at + 1] ?? '').includes('-'))
      at = table(lines, at, made);
    else at = paragraph(lines, at, made);
  }
  return made;
}

function fence(lines, start, made) {
  const [, marks, language] = FENCE.exec(lines[start]);
  let end = start + 1;
  while (end < lines.length && !isClosing(lines[end], marks)) end += 1;
  const code = h('code', {}, lines.slice(start + 1, end).join('\n'));
  made.push(h('pre', { tabindex: '0', 'data-language': language || undefined }, code));
  return end + 1;
}

/** A fence is closed by a line of at least as many of the same marks, and nothing else. */
function isClosing(line, marks) {
  const text = line.trim();
  return text.length >= marks.length && [...text].every((mark) => mark === marks[0]);
}

function quote(lines, start, made, depth) {
  let end = start;
  const inner = [];
  while (end < lines.length && /^\s{0,3}>/.test(lines[end])) {
    inner.push(lines[end].replace(/^\s{0,3}>\s?/, ''));
    end += 1;
  }
  made.push(h('blockquote', {}, ...blocks(inner, depth + 1)));
  return end;
}

/** Items of one indentation; what is indented deeper belongs to the item before it. */
function list(lines, start, made, depth) {
  const [, indent, mark] = ITEM.exec(lines[start]);
  const ordered = /\d/.test(mark);
  const items = [];
  let at = start;
  while (at < lines.length) {
    const item = ITEM.exec(lines[at]);
    if (!item || item[1].length > indent.length + 1 || item[1].length < indent.length || /\d/.test(item[2]) !== ordered)
      break;
    const inner = [item[3]];
    at += 1;
    while (at < lines.length && isInside(lines, at, indent.length)) {
      inner.push(lines[at].replace(new RegExp(`^\\s{0,${indent.length + (ordered ? 3 : 2)}}`), ''));
      at += 1;
    }
    items.push(h('li', {}, ...tight(blocks(inner, depth + 1))));
  }
  made.push(h(ordered ? 'ol' : 'ul', ordered ? { start: Number.parseInt(mark, 10) } : {}, ...items));
  return at;
}

function isInside(lines, at, indent) {
  if (lines[at].trim() === '') return /^\s/.test(lines[at + 1] ?? '') && (lines[at + 1] ?? '').trim() !== '';
  return /^\s*/.exec(lines[at])[0].length > indent + 1;
}

/** A single paragraph in a list item needs no box of its own. */
function tight(elements) {
  const [first, ...rest] = elements;
  return first?.tagName === 'P' ? [...first.childNodes, ...rest] : elements;
}

function table(lines, start, made) {
  const aligns = cells(lines[start + 1]).map(
    (cell) => `${cell.startsWith(':') ? 'l' : ''}${cell.endsWith(':') ? 'r' : ''}`,
  );
  const row = (line, tag) =>
    h(
      'tr',
      {},
      ...cells(line).map((cell, i) => h(tag, { class: { r: 'right', lr: 'center' }[aligns[i]] }, ...inline(cell))),
    );
  let end = start + 2;
  while (end < lines.length && lines[end].includes('|')) end += 1;
  const body = lines.slice(start + 2, end).map((line) => row(line, 'td'));
  const made_table = h('table', {}, h('thead', {}, row(lines[start], 'th')), h('tbody', {}, ...body));
  made.push(h('div', { class: 'scroll', tabindex: '0' }, made_table));
  return end;
}

function cells(line) {
  const trimmed = line.trim().replace(/^\|/, '').replace(/\|$/, '');
  return trimmed.split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, '|'));
}

function paragraph(lines, start, made) {
  let end = start + 1;
  while (end < lines.length && lines[end].trim() !== '' && !startsBlock(lines[end])) end += 1;
  const parts = lines.slice(start, end).flatMap((line, i) => [...(i > 0 ? [h('br')] : []), ...inline(line)]);
  made.push(h('p', {}, ...parts));
  return end;
}

function startsBlock(line) {
  return FENCE.test(line) || HEADING.test(line) || RULE.test(line) || ITEM.test(line) || /^\s{0,3}>/.test(line);
}
