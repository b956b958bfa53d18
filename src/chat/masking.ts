/**
 * Takes the secrets that the gateway knows out of what it says, wherever they come from: an answer, a command's output, an
 * error, a file.
 *
 * Guarantees: a known secret of at least eight characters is found as it is, between the signs that make Markdown harmless,
 * in the escapes of JSON and of addresses, and in base64 if it stands at the beginning of what was encoded. Of one that is
 * cut off, no more than its first seven characters stay. A text never grows.
 *
 * Not guaranteed: secrets that are spelled out, encoded in other ways, or that only the agent knows.
 */

/** As long as the shortest secret, and without a meaning in Markdown and JSON. */
export const MASKED = '‹secret›';
/** Shorter ones would take words out of ordinary text. */
const SHORTEST = MASKED.length;
/** Lines of keys; a key's short last line is not worth a mask. */
const SHORTEST_LINE = 16;

export interface Mask {
  /** From now on these are secrets, too. */
  learn(secrets: Iterable<string>): void;
  text(text: string): string;
  /**
   * One text that stands in several places, as the pieces it is in.
   * @param live more is to come: an end that may become a secret is left out until it is known
   */
  pieces(pieces: readonly string[], live: boolean): string[];
  /** Every text in it, names of fields too. */
  json<Value>(value: Value): Value;
}

export function createMask(secrets: Iterable<string> = []): Mask {
  const known = new Set<string>();
  let needles: readonly string[] = [];

  const learn = (more: Iterable<string>): void => {
    const before = known.size;
    for (const secret of more) for (const form of formsOf(secret)) known.add(form);
    if (known.size > before) needles = [...known].sort((a, b) => b.length - a.length);
  };

  const pieces = (parts: readonly string[], live: boolean): string[] => {
    const whole = parts.join('');
    const spans = needles.length === 0 ? [] : findAll(needles, whole, live);
    return spans.length === 0 ? [...parts] : withoutSpans(parts, spans);
  };

  const text = (whole: string): string => pieces([whole], false)[0] ?? '';

  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return text(value);
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [text(name), walk(inner)]));
  };

  learn(secrets);
  return { learn, text, pieces, json: <Value>(value: Value) => walk(value) as Value };
}

/** The ways in which a secret is looked for. Of one with several lines, each line. */
function formsOf(secret: string): string[] {
  const lines = secret.split(/[\r\n]+/).map((line) => line.trim());
  const values = lines.length === 1 ? lines : lines.filter((line) => isKeyLine(line));
  return values
    .flatMap((value) => [value, encodeURIComponent(Buffer.from(value).toString()), base64Of(value)])
    .map((form) => plainly(form).text)
    .filter((form) => form.length >= SHORTEST);
}

function isKeyLine(line: string): boolean {
  return line.length >= SHORTEST_LINE && !line.startsWith('-----');
}

/** Without its end, which depends on what comes after the secret. */
function base64Of(value: string): string {
  const bytes = Buffer.from(value);
  const certain = bytes.subarray(0, bytes.length - (bytes.length % 3)).toString('base64');
  return certain.length >= SHORTEST_LINE ? certain : '';
}

interface Span {
  readonly from: number;
  readonly to: number;
  /** Left out without a sign: it may turn out to be something else. */
  readonly pending: boolean;
}

interface Plain {
  readonly text: string;
  /** Where the character stands in the original. */
  readonly at: (index: number) => number;
}

/** Signs that others put between a secret's characters: escapes, and what breaks mentions. */
const BETWEEN = /[\\\u200b]/g;

function plainly(original: string): Plain {
  if (original.search(BETWEEN) < 0) return { text: original, at: (index) => index };
  const positions: number[] = [];
  let text = '';
  for (let index = 0; index < original.length; index += 1) {
    const unit = original.charAt(index);
    if (unit === '\\' || unit === '\u200b') continue;
    positions.push(index);
    text += unit;
  }
  return { text, at: (index) => positions[index] ?? original.length };
}

function findAll(needles: readonly string[], original: string, live: boolean): Span[] {
  const { text, at } = plainly(original);
  const found: { from: number; to: number; pending: boolean }[] = [];
  for (const needle of needles) {
    for (let from = text.indexOf(needle); from >= 0; from = text.indexOf(needle, from + 1)) {
      found.push({ from, to: from + needle.length, pending: false });
    }
  }
  for (const { index } of text.matchAll(/…/g)) {
    const length = begunBefore(needles, text, index, SHORTEST);
    if (length > 0) found.push({ from: index - length, to: index, pending: false });
  }
  const atEnd = begunBefore(needles, text, text.length, live ? 1 : SHORTEST);
  if (atEnd > 0) found.push({ from: text.length - atEnd, to: text.length, pending: live });
  // The last character's place and one more: an escape before the next character is not the secret's.
  return joined(found).map(({ from, to, pending }) => ({ from: at(from), to: at(to - 1) + 1, pending }));
}

/** How much of a secret's beginning stands right before the place; 0 if it is less than `least`. */
function begunBefore(needles: readonly string[], text: string, end: number, least: number): number {
  let longest = 0;
  for (const needle of needles) {
    for (let length = Math.min(needle.length - 1, end); length >= Math.max(least, longest + 1); length -= 1) {
      if (text.startsWith(needle.slice(0, length), end - length)) longest = length;
    }
  }
  return longest;
}

/** Spans that overlap are one. What may become a secret goes without a sign from where it begins. */
function joined(found: readonly Span[]): Span[] {
  const spans: { from: number; to: number; pending: boolean }[] = [];
  for (const span of [...found].sort((a, b) => a.from - b.from || b.to - a.to)) {
    const last = spans.at(-1);
    if (last && span.from < last.to) last.to = Math.max(last.to, span.to);
    else spans.push({ ...span });
  }
  return spans;
}

/** The sign stands in the piece where the secret begins. */
function withoutSpans(parts: readonly string[], spans: readonly Span[]): string[] {
  let offset = 0;
  return parts.map((part) => {
    const start = offset;
    offset += part.length;
    let shown = '';
    let done = start;
    for (const { from, to, pending } of spans) {
      if (to <= start || from >= offset) continue;
      shown += part.slice(done - start, Math.max(from, start) - start);
      if (from >= start && !pending) shown += MASKED;
      done = Math.min(to, offset);
    }
    return shown + part.slice(done - start);
  });
}
