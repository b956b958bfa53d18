/** Why a command was not taken: one text for the log, one for the person, who is also told the next step. */
export interface CommandError {
  readonly technical: string;
  readonly human: string;
}

export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: CommandError };

export function accept<Value>(value: Value): Parsed<Value> {
  return { ok: true, value };
}

export function refuse(technical: string, human: string): { readonly ok: false; readonly error: CommandError } {
  return { ok: false, error: { technical, human } };
}

/** What a person typed, fit to be shown inside a sentence: one line, no backticks, not longer than 60 characters. */
export function quoteInput(input: string): string {
  const line = input.replace(/[\u0000-\u0020\u007f`]+/g, ' ').trim();
  const points = [...line];
  return `\`${points.length > 60 ? `${points.slice(0, 60).join('')}…` : line}\``;
}
