import { stripIndent, takeQuoted, unquote } from './quotes.ts';
import { FAIL_STATUSES, type FailKind, type Question, type Step } from './steps.ts';

/**
 * Splits a person's words into steps. Pure and total: whatever is not understood becomes a `remark`, so every text
 * has a meaning and an empty text has no steps.
 *
 * A leading speaker's name (`[alice] ...`, `alice: ...`) is dropped if what follows it is a step.
 */
export function parseScript(text: string): Step[] {
  if (text.startsWith('<task-notification>')) return [{ kind: 'remark', text }];
  const steps: Step[] = [];
  let rest = stripSpeaker(text.trim());
  while (rest !== '') {
    const { step, tail } = takeStep(rest);
    const last = steps.at(-1);
    if (step.kind === 'remark' && last?.kind === 'remark') last.text += `\n${step.text}`;
    else steps.push(step);
    rest = tail;
  }
  return steps;
}

/** A longer answer would not fit into the model's output limit (128,000 tokens). */
const LONGEST_KILOBYTES = 400;

interface Taken {
  step: Step;
  tail: string;
}

/** Separators between ordinary steps, and between steps whose text is free (a command may hold a semicolon). */
const ANY_SEPARATOR = /^(?:\s*,?\s+(?:and\s+)?then\s+|\s*;\s*|\s*\n\s*)/i;
const FREE_SEPARATOR = /^(?:\s*,\s*(?:and\s+)?then\s+|\s*\n\s*)/i;

function takeStep(text: string): Taken {
  const opening = text.replace(/^(?:(?:please|now|first|finally|and|then|also|can you|could you)\b[,:]?\s+)+/i, '');
  return takeFenced(opening) ?? takeFree(opening) ?? takeOrdinary(opening);
}

/** `write FILE:` or `run:` with a fenced block, whose lines are taken as they are. */
function takeFenced(text: string): Taken | undefined {
  const match = /^(write|create|run)\b([^\n:]*):\s*```[^\n]*\n([\s\S]*?)\n?```[ \t]*/i.exec(text);
  if (!match) return undefined;
  const [whole, verb = '', name = '', body = ''] = match;
  const tail = afterSeparator(text.slice(whole.length), FREE_SEPARATOR);
  if (verb.toLowerCase() === 'run') return { step: { kind: 'run', command: body, background: false }, tail };
  return { step: { kind: 'create', file: fileName(name), content: `${stripIndent(body)}\n` }, tail };
}

const FREE_FORMS: [RegExp, (head: RegExpExecArray, body: string) => Step | undefined][] = [
  [/^(?:run|execute|bash)(\s+in\s+(?:the\s+)?background)?\s*:\s*/i, runStep],
  [/^(?:write|put)\s+(\S+?)\s*:[ \t]*/i, (head, body) => createStep(head[1] ?? '', body)],
  [/^ask\s+(any)\b\s*:?\s*/i, (_, body) => askStep(body, true)],
  [/^ask\b\s*:?\s*/i, (_, body) => askStep(body, false)],
  [/^plan\b\s*:?\s*/i, (_, body) => ({ kind: 'plan', text: unquote(body) })],
  [/^(?:agent|subagent)\s+([\w-]+)(\s+in\s+(?:the\s+)?background)?\s*:\s*/i, agentStep],
  [/^think\b\s*:?\s*/i, (_, body) => ({ kind: 'think', text: unquote(body) })],
  [/^say\b\s*:?\s*/i, (_, body) => ({ kind: 'say', text: unquote(body) })],
];

function takeFree(text: string): Taken | undefined {
  for (const [opening, build] of FREE_FORMS) {
    const head = opening.exec(text);
    if (!head) continue;
    const { body, tail } = takeBody(text.slice(head[0].length), FREE_SEPARATOR);
    const step = body === '' ? undefined : build(head, body);
    if (step) return { step, tail };
  }
  return undefined;
}

function takeOrdinary(text: string): Taken {
  const { body, tail } = takeBody(text, ANY_SEPARATOR);
  const step = ordinaryStep(body);
  if (step) return { step, tail };
  // Prose is not cut at its semicolons and "then"s, or a sentence would be answered in pieces.
  const prose = takeBody(text, FREE_SEPARATOR);
  return { step: { kind: 'remark', text: prose.body }, tail: prose.tail };
}

function ordinaryStep(text: string): Step | undefined {
  const body = text.replace(/[.!]$/, (end) => (/\w\.\w*$/.test(text) ? '' : end));
  let m =
    /^(?:create|make|write|add)\s+(?:a\s+|the\s+)?(?:file\s+)?(\S+)\s+(?:with|containing|saying)\s+(?:the\s+)?(?:words?|text|content|line)?\s*:?\s*([\s\S]+)$/i.exec(
      body,
    );
  if (m) return createStep(m[1] ?? '', m[2] ?? '');
  m = /^append\s+(?:the\s+)?(?:words?\s+|line\s+|text\s+)?([\s\S]+?)\s+to\s+(\S+)$/i.exec(body);
  if (m) return { kind: 'append', text: unquote(m[1] ?? ''), file: fileName(m[2] ?? '') };
  m = /^(?:replace|change)\s+([\s\S]+?)\s+(?:with|to|by)\s+([\s\S]+?)\s+in\s+(\S+)$/i.exec(body);
  if (m) return { kind: 'replace', from: unquote(m[1] ?? ''), to: unquote(m[2] ?? ''), file: fileName(m[3] ?? '') };
  m = /^(?:read\s+(?:the\s+)?(?:file\s+)?|(?:show|open)\s+(?:the\s+)?file\s+)(\S+)$/i.exec(body);
  if (m) return { kind: 'read', file: fileName(m[1] ?? '') };
  m = /^send\s+(?:the\s+)?(?:file\s+)?(\S+)$/i.exec(body);
  if (m) return { kind: 'send', file: fileName(m[1] ?? '') };
  m = /^(?:network|access)\s+(.+?)(?:\s+because\s+(.+))?$/i.exec(body);
  if (m) return networkStep(m[1] ?? '', m[2]);
  m = /^slow\s+(\d{1,6})(?:\s+words?)?$/i.exec(body);
  if (m) return { kind: 'slow', words: Number(m[1]) };
  m = /^long\s+(\d{1,4})(?:\s*(?:kb|kilobytes?))?$/i.exec(body);
  if (m) return { kind: 'long', kilobytes: Math.min(Number(m[1]), LONGEST_KILOBYTES) };
  m = /^hold\s+([\w-]+)$/i.exec(body);
  if (m) return { kind: 'hold', gate: m[1] ?? '' };
  m = /^fail\s+(\w+)(?:\s+(?:times\s+)?(\d{1,3})(?:\s+times)?)?$/i.exec(body);
  return m ? failStep(m[1] ?? '', m[2]) : undefined;
}

/** Takes text up to a separator; a separator inside a quoted part does not count. */
function takeBody(text: string, separator: RegExp): { body: string; tail: string } {
  let at = 0;
  while (at < text.length) {
    const found = separator.exec(text.slice(at));
    if (found) return { body: text.slice(0, at).trim(), tail: text.slice(at + found[0].length).trim() };
    at += takeQuoted(text, at);
  }
  return { body: text.trim(), tail: '' };
}

function afterSeparator(text: string, separator: RegExp): string {
  const found = separator.exec(text);
  return (found ? text.slice(found[0].length) : text).trim();
}

function runStep(head: RegExpExecArray, body: string): Step {
  const inCode = /^`([^`]+)`$/.exec(body);
  return { kind: 'run', command: inCode?.[1] ?? body, background: head[1] !== undefined };
}

function createStep(file: string, body: string): Step {
  return { kind: 'create', file: fileName(file), content: `${unquote(body)}\n` };
}

function agentStep(head: RegExpExecArray, body: string): Step {
  return { kind: 'agent', name: head[1] ?? '', prompt: unquote(body), background: head[2] !== undefined };
}

function askStep(body: string, multiSelect: boolean): Step | undefined {
  const questions = body.split(/\s+&&\s+/).map((part) => question(part, multiSelect));
  return { kind: 'ask', questions: questions.slice(0, 4) };
}

function question(body: string, multiSelect: boolean): Question {
  const end = body.indexOf('?');
  const text = end < 0 ? `${body}?` : body.slice(0, end + 1);
  const listed = end < 0 ? '' : body.slice(end + 1);
  const separator = listed.includes('|') ? /\s*\|\s*/ : /\s*,\s*(?:or\s+)?|\s+or\s+/i;
  const options = listed
    .split(separator)
    .map((option) => unquote(option.trim()))
    .filter((option) => option !== '');
  return { question: text, options: options.length < 2 ? [...options, 'Yes', 'No'] : options.slice(0, 4), multiSelect };
}

function networkStep(hosts: string, reason: string | undefined): Step | undefined {
  const names = hosts.split(/\s*,\s*|\s+and\s+|\s+/).filter((host) => host !== '');
  if (names.some((host) => !/^[\w*.:-]+$/.test(host))) return undefined;
  return { kind: 'network', hosts: names, reason: reason ?? `The work needs ${names.join(' and ')}.` };
}

function failStep(word: string, times: string | undefined): Step | undefined {
  const how: FailKind | undefined =
    word.toLowerCase() === 'cut' ? 'cut' : FAIL_STATUSES.find((status) => String(status) === word);
  if (how === undefined) return undefined;
  const otherwise = how === 'cut' ? 1 : 'always';
  return { kind: 'fail', how, times: times === undefined ? otherwise : Number(times) };
}

/** A file's name without the quotes, backticks and final punctuation of a sentence. */
function fileName(text: string): string {
  return text
    .trim()
    .replace(/^[`'"]+|[`'"]+$/g, '')
    .replace(/[,;:]$/, '');
}

function stripSpeaker(text: string): string {
  const bracketed = /^\[@?[\w .@-]{1,64}\]:?\s+/.exec(text);
  if (bracketed) return text.slice(bracketed[0].length);
  const named = /^(?:\*\*)?@?[\w.-]{1,64}(?:\*\*)?(?: \([^)\n]{1,64}\))?:\s+/.exec(text);
  if (!named) return text;
  const rest = text.slice(named[0].length);
  return takeStep(text).step.kind === 'remark' && takeStep(rest).step.kind !== 'remark' ? rest : text;
}
