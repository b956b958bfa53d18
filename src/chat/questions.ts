/** The questions of an AskUserQuestion call, read from its arguments. */

export interface Question {
  readonly text: string;
  readonly options: readonly { readonly label: string; readonly description: string }[];
  /** More than one option may be chosen. */
  readonly several: boolean;
}

/** What cannot be read as a question is left out. */
export function questionsOf(inputJson: string): Question[] {
  const input: unknown = JSON.parse(inputJson);
  const list = isRecord(input) && Array.isArray(input.questions) ? input.questions : [];
  return list.flatMap((each: unknown): Question[] => {
    if (!isRecord(each) || typeof each.question !== 'string') return [];
    const options = Array.isArray(each.options) ? each.options : [];
    return [{ text: each.question, options: options.flatMap(optionOf), several: each.multiSelect === true }];
  });
}

export function firstQuestion(inputJson: string): Question | undefined {
  return questionsOf(inputJson)[0];
}

function optionOf(option: unknown): { label: string; description: string }[] {
  if (!isRecord(option) || typeof option.label !== 'string') return [];
  return [{ label: option.label, description: typeof option.description === 'string' ? option.description : '' }];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
