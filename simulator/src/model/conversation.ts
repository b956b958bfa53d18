import { blocksOf, type ContentBlock, type CountTokensBody, type Message, type ToolResult } from './schema.ts';

/** A tool call of the turn that is being answered, with what came back. */
export interface Call {
  id: string;
  name: string;
  input: Record<string, unknown>;
  result: string;
  failed: boolean;
}

/** What the model can know of a conversation; derived from the request alone. */
export interface Conversation {
  /** The person's messages that wait for an answer, oldest first; usually one. */
  asked: string[];
  /** Messages the person sent while this turn was running. */
  steered: string[];
  /** Where in the request's messages the first of `asked` stands: tells equal texts of different turns apart. */
  askedAt: number;
  calls: Call[];
  /** Notes of the CLI (environment, reminders, plan mode), in order. */
  notes: string[];
  /** The last text of the role `user`, as it is, reminders included. */
  lastUserText: string;
  /** Everything the person said in the conversation, oldest first. */
  said: string[];
  /** What the gateway quoted of earlier conversations, and its notices. */
  quoted: string[];
}

/** Parts of user messages that Claude Code or the gateway writes, not the person. */
const NOT_SPOKEN =
  /<(thread-history|chat-notice|system-reminder|local-command-caveat|command-name|command-message|command-args|local-command-stdout|local-command-stderr)>[\s\S]*?<\/\1>/g;
const REMINDER = /\n*<system-reminder>[\s\S]*?<\/system-reminder>/g;
const CONTINUATIONS = [
  'Your response above was cut off mid-stream.',
  'This session is being continued from a previous conversation',
  'Output token limit hit.',
  'Continue from where you left off.',
  '[Image: source:',
];
const INTERRUPTED = /^\[Request interrupted by user/;
const STEERED =
  /The user sent a new message while you were working:\n([\s\S]*?)(?:\n\n(?:This is how Claude Code|IMPORTANT:)|$)/g;

/** Reads a request's messages. */
export function readConversation(messages: Message[]): Conversation {
  const talk: Conversation = {
    asked: [],
    steered: [],
    askedAt: 0,
    calls: [],
    notes: [],
    lastUserText: '',
    said: [],
    quoted: [],
  };
  let answered = false;
  for (const [index, item] of messages.entries()) {
    const midTurn = blocksOf(item).some(({ type }) => type === 'tool_result');
    for (const block of blocksOf(item)) {
      if (item.role === 'system') note(talk, textOf(block));
      else if (block.type === 'tool_use') {
        answered = true;
        talk.calls.push({ id: block.id, name: block.name, input: block.input, result: '', failed: false });
      } else if (block.type === 'tool_result') {
        const call = talk.calls.find((known) => known.id === block.tool_use_id);
        if (call) Object.assign(call, { result: heardBack(talk, resultText(block)), failed: block.is_error === true });
      } else if (item.role === 'assistant') answered = true;
      else if (block.type === 'text')
        answered = heard(talk, midTurn ? block.text : unwrap(block.text), index, answered);
    }
  }
  return talk;
}

/** The end of a background task starts a turn by itself: its notification, wrapped as a reminder, is to be answered. */
function unwrap(text: string): string {
  return /<task-notification>[\s\S]*<\/task-notification>/.exec(text)?.[0] ?? text;
}

/** Takes in a text of the role `user`; returns whether an answer has begun since the person's last words. */
function heard(talk: Conversation, text: string, index: number, answered: boolean): boolean {
  talk.lastUserText = text;
  for (const part of text.match(NOT_SPOKEN) ?? []) {
    if (/^<(?:thread-history|chat-notice)>/.test(part)) talk.quoted.push(part);
    else note(talk, part);
  }
  const words = text.replace(NOT_SPOKEN, '').trim();
  if (words === '' || words === 'Tool loaded.' || CONTINUATIONS.some((start) => words.startsWith(start)))
    return answered;
  if (INTERRUPTED.test(words)) {
    Object.assign(talk, { asked: [], steered: [], calls: [] });
    return false;
  }
  // Two messages without an answer between them (pushed together, or the first one's call failed) are both open.
  if (answered || talk.asked.length === 0) Object.assign(talk, { asked: [], steered: [], calls: [], askedAt: index });
  talk.asked.push(words);
  talk.said.push(words);
  return false;
}

/** Takes in a tool result; for models without notes inside the conversation Claude Code appends its reminders to it. */
function heardBack(talk: Conversation, result: string): string {
  for (const reminder of result.match(REMINDER) ?? []) note(talk, reminder);
  return result.replace(REMINDER, '');
}

function note(talk: Conversation, text: string): void {
  talk.notes.push(text);
  for (const match of text.matchAll(STEERED)) {
    const words = match[1]?.trim() ?? '';
    if (words === '') continue;
    talk.steered.push(words);
    talk.said.push(words);
  }
}

function textOf(block: ContentBlock): string {
  return block.type === 'text' ? block.text : '';
}

function resultText(result: ToolResult): string {
  if (result.content === undefined) return '';
  if (typeof result.content === 'string') return result.content;
  return result.content
    .map((part) =>
      part.type === 'text' ? part.text : part.type === 'tool_reference' ? part.tool_name : `[${part.type}]`,
    )
    .join('\n');
}

/** What the model may use and where it is: tools, folder, plan mode. */
export interface Scene {
  cwd: string;
  /** Tools whose schema is in the request. */
  loaded: string[];
  /** Tools that ToolSearch can load. */
  deferred: string[];
  planMode: boolean;
  planFile: string | undefined;
  thinking: boolean;
}

/** Reads what a request says about the model's surroundings. */
export function readScene(body: CountTokensBody, talk: Conversation): Scene {
  const system =
    typeof body.system === 'string' ? body.system : (body.system ?? []).map((part) => part.text).join('\n');
  const notes = [system, ...talk.notes];
  const loaded = (body.tools ?? []).map((tool) => tool.name).filter((name) => name !== 'DeferredToolPlaceholder');
  const deferred = notes
    .flatMap((text) => [...text.matchAll(/deferred tools are now available via ToolSearch[^\n]*\n((?:[\w-]+\n?)+)/g)])
    .flatMap((match) => (match[1] ?? '').split('\n'))
    .filter((name) => name !== '');
  return {
    cwd:
      lastMatch(notes, /(?:Primary working directory|Working directory|Current working directory): ([^\n]+)/g) ?? '/',
    loaded,
    deferred: deferred.filter((name) => !loaded.includes(name)),
    ...readPlanMode(notes, talk.calls),
    thinking: body.thinking !== undefined && body.thinking.type !== 'disabled' && body.thinking.display !== 'omitted',
  };
}

function readPlanMode(notes: string[], calls: Call[]): { planMode: boolean; planFile: string | undefined } {
  let planMode = false;
  for (const text of notes) {
    if (/Plan mode (?:is active|still active)|## (?:Re-entering |Entered )?Plan Mode\b/i.test(text)) planMode = true;
    if (/## Exited Plan Mode|You have exited plan mode/.test(text)) planMode = false;
  }
  for (const call of calls) {
    if (call.name === 'EnterPlanMode' && !call.failed) planMode = true;
    if (call.name === 'ExitPlanMode' && !call.failed) planMode = false;
  }
  return { planMode, planFile: lastMatch(notes, /(\/[^\s`"']+\/plans\/[\w.-]+\.md)/g) };
}

function lastMatch(texts: string[], pattern: RegExp): string | undefined {
  return texts
    .flatMap((text) => [...text.matchAll(pattern)])
    .at(-1)?.[1]
    ?.trim();
}
