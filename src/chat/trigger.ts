/**
 * How the bot is called. Charts and adapters know no settings, so what they advise names the default; where it is shown, it is
 * named as people have to write it here.
 */
const DEFAULT_TRIGGER = '@claude';

/** @param text of our own: in anybody else's words nothing is changed */
export function asCalled(text: string, trigger: string): string {
  if (trigger === DEFAULT_TRIGGER) return text;
  return text.replace(/`@claude(?=[\s`,])/g, () => `\`${trigger}`);
}
