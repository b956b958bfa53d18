/** Takes secrets out of what programs print: their command lines hold the values of the container's environment. */
const TOKENS = [
  /\b(?:gh[opsu]|github_pat|glpat|xox[abp]|sk-ant|sk)[-_][A-Za-z0-9_-]{10,}/g,
  /\bAKIA[0-9A-Z]{16}\b/g,
  /(?<=\/\/)[^/\s:@]+:[^/\s@]+(?=@)/g,
  /(?<=\b[Bb]earer )[A-Za-z0-9._~+/=-]{8,}/g,
  /(?<=\b[A-Z0-9_]*(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD)[A-Z0-9_]*=)[^\s"']+/g,
];

/** Values as short as this would blot out ordinary text. */
const SHORTEST_SECRET = 5;

/** @param secrets values that must not show, besides what looks like a token */
export function createScrub(secrets: readonly string[]): (text: string) => string {
  const values = [...new Set(secrets)].filter((value) => value.length >= SHORTEST_SECRET);
  values.sort((left, right) => right.length - left.length);
  return (text) => {
    const plain = values.reduce((rest, value) => rest.replaceAll(value, '***'), text);
    return TOKENS.reduce((rest, pattern) => rest.replace(pattern, '***'), plain);
  };
}
