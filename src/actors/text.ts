/**
 * Text that PostgreSQL's jsonb refuses, made acceptable: U+0000 and lone surrogates become U+FFFD. Everything from outside
 * passes here once, so that no person's odd character can poison an actor.
 */
const REFUSED = /[\u0000\p{Surrogate}]/gu;

export function cleanText(text: string): string {
  // With the u flag a surrogate matches only where its other half is missing.
  return text.replace(REFUSED, '\ufffd');
}

/** Plain JSON with every string in it cleaned, keys too. Returns the same object when nothing had to change. */
export function cleanJson<Value>(value: Value): Value {
  return clean(value) as Value;
}

function clean(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) {
    const items = value.map(clean);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (typeof value === 'object' && value !== null) {
    let changed = false;
    const entries = Object.entries(value).map(([key, item]) => {
      const entry: [string, unknown] = [cleanText(key), clean(item)];
      changed ||= entry[0] !== key || entry[1] !== item;
      return entry;
    });
    return changed ? Object.fromEntries(entries) : value;
  }
  return value;
}

/** How JSON writes U+0000 and lone surrogates. */
const ESCAPED = /\\u(?:0000|d[89a-f])/;

/** A value as jsonb will give it back: plain, without undefined, its text cleaned if it has to be. */
export function toPlain<Value>(value: unknown): { json: Value; cleaned: boolean } {
  const text = JSON.stringify(value);
  const json = JSON.parse(text) as Value;
  return ESCAPED.test(text) ? { json: cleanJson(json), cleaned: true } : { json, cleaned: false };
}
