/** What a tool was called with. */

export function parseInput(inputJson: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(inputJson);
  } catch {
    // A call whose arguments cannot be read is shown by its name alone.
    return {};
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
