/**
 * Characters that nobody sees and that change what is seen: direction marks reorder a line, zero-width ones hide in a name,
 * a carriage return overwrites in a terminal. Whoever decides must see that they are there.
 */
const UNSEEN = /(?!\n|\t|\ufe0f)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** The text with each of them as its number, like `⟦U+202E⟧`. Line breaks, tabs and the look of emoji stay. */
export function visible(text: string): string {
  return text.replace(
    UNSEEN,
    (char) => `⟦U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟧`,
  );
}
