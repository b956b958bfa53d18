/**
 * What a person's words or sign mean as the answer to a request that waits. Only a question and a plan take whatever is said;
 * the other requests take a decision that cannot be meant otherwise, so that nobody allows something in passing.
 */
import type { ApprovalContext, Verdict } from '../machines/approval/context.ts';
import { assertNever } from '../machines/json.ts';
import type { Person } from '../machines/session/context.ts';
import { adviceOf, FOR_GOOD, FOR_REPO, verdictOf } from './cards.ts';
import { type Question, questionsOf } from './questions.ts';

export type Answer =
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  /** It is meant as an answer and cannot be one as it is. */
  | { readonly kind: 'unclear'; readonly human: string };

const YES = ['approve', 'approved', 'allow', 'yes'];
const NO = ['deny', 'denied', 'reject', 'no'];
/** To a plan. Anything else is what should be changed in it. */
const GO = [...YES, 'ok', 'okay', 'lgtm', 'go', 'go ahead', 'looks good'];
const STAY = ['keep planning', 'not yet', ...NO];
const SKIP = ['skip', 'skip it'];

/** @returns undefined for words that are not meant for this request */
export function answerInWords(context: ApprovalContext, text: string, by: Person, at: number): Answer | undefined {
  const word = bare(text);
  // A post without words, e.g. with a picture alone, answers nothing.
  if (text.trim() === '') return undefined;
  switch (context.kind) {
    case 'question':
      return SKIP.includes(word) ? pressed(context, 'deny', by, at) : answerQuestions(context, text, by, at);
    case 'plan':
      if (GO.includes(word)) return pressed(context, 'approve', by, at);
      if (STAY.includes(word)) return pressed(context, 'deny', by, at);
      return { kind: 'verdict', verdict: { outcome: 'denied', by, at, words: text.trim(), answers: {} } };
    case 'tool':
    case 'network': {
      const decision = decisionIn(text);
      const answer = decision && pressed(context, decision.action, by, at);
      if (answer?.kind !== 'verdict' || decision?.words === undefined) return answer;
      return { kind: 'verdict', verdict: { ...answer.verdict, words: decision.words } };
    }
    default:
      return assertNever(context.kind);
  }
}

/** Whether the words alone decide something, whatever is asked. */
export function isDecision(text: string): boolean {
  return decisionIn(text) !== undefined;
}

const APPROVE = '(?:approved?|allow|yes),? (?:it )?';
/** How far a yes reaches. */
const REACHES: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`^${APPROVE}(?:for )?(?:this |the )?session$`), 'approve'],
  [new RegExp(`^${APPROVE}(?:for )?(?:this |the )?(?:repo|repository)$`), FOR_REPO],
  [new RegExp(`^(?:${APPROVE}(?:always|for good|for everybody|for everyone)|always (?:approve|allow))$`), FOR_GOOD],
];
/** A no with what is to be done instead. */
const NO_WITH_WORDS = /^\s*(?:(?:deny|denied|reject)\s*[:,]|no\s*:)\s*(\S.*)$/isu;

/** @returns the button that the words stand for, and what else they say; undefined if they are none of that */
function decisionIn(text: string): { readonly action: string; readonly words?: string } | undefined {
  const word = bare(text);
  if (YES.includes(word)) return { action: 'approve' };
  if (NO.includes(word)) return { action: 'deny' };
  const reach = REACHES.find(([pattern]) => pattern.test(word));
  if (reach) return { action: reach[1] };
  const words = NO_WITH_WORDS.exec(text)?.[1]?.trim();
  return words === undefined ? undefined : { action: 'deny', words };
}

const SIGNS: Readonly<Record<string, string>> = {
  white_check_mark: 'approve',
  heavy_check_mark: 'approve',
  '+1': 'approve',
  thumbsup: 'approve',
  x: 'deny',
  heavy_multiplication_x: 'deny',
  no_entry: 'deny',
  no_entry_sign: 'deny',
  '-1': 'deny',
  thumbsdown: 'deny',
  package: FOR_REPO,
  infinity: FOR_GOOD,
};
const DIGITS = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'keycap_ten'];

const CHANGE_SIGNS = ['pencil', 'pencil2', 'memo'];

/** What there is to say to a sign that alone decides nothing; undefined for every other. */
export function adviceBySign(context: ApprovalContext, emoji: string): string | undefined {
  return CHANGE_SIGNS.includes(emoji) ? adviceOf(context, 'change') : undefined;
}

/** What the button that the sign stands for would do. @param emoji a name without colons */
export function answerBySign(context: ApprovalContext, emoji: string, by: Person, at: number): Verdict | undefined {
  const name = emoji.replace(/_(?:light|medium_light|medium|medium_dark|dark)_skin_tone$/, '');
  const digit = DIGITS.indexOf(name);
  const action = digit >= 0 ? `answer${digit}` : Object.hasOwn(SIGNS, name) ? SIGNS[name] : undefined;
  return action === undefined ? undefined : verdictOf(context, action, by, at);
}

function pressed(context: ApprovalContext, action: string, by: Person, at: number): Answer | undefined {
  const verdict = verdictOf(context, action, by, at);
  return verdict && { kind: 'verdict', verdict };
}

function answerQuestions(context: ApprovalContext, text: string, by: Person, at: number): Answer | undefined {
  const questions = questionsOf(context.inputJson);
  const [only, ...more] = questions;
  if (!only) return undefined;
  const answered = (answers: Record<string, string>): Answer => ({
    kind: 'verdict',
    verdict: { outcome: 'approved', by, at, words: '', answers },
  });
  if (more.length === 0) return answered({ [only.text]: answerOne(only, text) });
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length !== questions.length) {
    const human = `There are ${questions.length} questions. Answer each on a line of its own, in their order, or write \`skip\`.`;
    return { kind: 'unclear', human };
  }
  const said = lines.map((line) => line.trim());
  const numbered = said.every((line, index) => new RegExp(`^${index + 1}[.):]\\s+\\S`).test(line));
  const plain = numbered ? said.map((line) => line.replace(/^\d+[.):]\s+/, '')) : said;
  return answered(
    Object.fromEntries(questions.map((question, index) => [question.text, answerOne(question, plain[index] ?? '')])),
  );
}

/** The options that are named, by number or by words; otherwise the words as they are. */
function answerOne(question: Question, text: string): string {
  const whole = optionNamed(question, text);
  if (whole !== undefined) return whole;
  if (question.several) {
    const parts = text.split(/\s*(?:[,;\n]|\band\b)\s*/u).filter((part) => part.trim() !== '');
    const labels = parts.map((part) => optionNamed(question, part));
    if (labels.length > 0 && labels.every((label) => label !== undefined)) return [...new Set(labels)].join(', ');
  }
  return text.trim();
}

function optionNamed({ options }: Question, text: string): string | undefined {
  const said = bare(text);
  const number = /^(\d{1,2})[.)]?$/.exec(said)?.[1];
  // A label that is a number itself is meant by it.
  const byWords = options.find(({ label }) => bare(label) === said);
  return (byWords ?? (number === undefined ? undefined : options[Number(number) - 1]))?.label;
}

/** Without what people put around a word. */
function bare(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/^["'`*_]+|["'`*_.!]+$/g, '')
    .replace(/\s+/g, ' ');
}
