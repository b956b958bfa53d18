import { type Conversation, readConversation, readScene, type Scene } from './conversation.ts';
import { parseScript } from './grammar.ts';
import { nextMove, type ToolStep } from './moves.ts';
import { longText, numberedWords } from './prose.ts';
import type { MessagesBody } from './schema.ts';
import { type FailKind, grammarHelp, type Step } from './steps.ts';

/** What is written into a text block, in order. */
export type Piece =
  | { kind: 'text'; text: string }
  /** Words streamed one by one, with a delay after each. */
  | { kind: 'slow'; words: string[] }
  /** The stream stands still until the gate is opened. */
  | { kind: 'hold'; gate: string }
  /** The connection is closed here. */
  | { kind: 'cut'; failure: Failure };

export type Block =
  | { type: 'thinking'; thinking: string }
  | { type: 'text'; pieces: Piece[] }
  | { type: 'tool_use'; name: string; input: Record<string, unknown> };

/** A failure that the script asks for. `key` counts its calls: the same call repeated has the same key. */
export interface Failure {
  key: string;
  how: FailKind;
}

export type Answer = { kind: 'message'; blocks: Block[] } | { kind: 'failure'; failure: Failure };

/** How often a failure was already answered; the only thing the model knows that is not in the request. */
export type FailedSoFar = (key: string) => number;

/**
 * Decides what the model answers. Everything comes from the request; the same request gives the same answer, but for
 * failures that are to happen a limited number of times.
 */
export function answer(body: MessagesBody, failedSoFar: FailedSoFar): Answer {
  const talk = readConversation(body.messages);
  const auxiliary = answerAuxiliary(body, talk);
  if (auxiliary !== undefined) return prose(auxiliary);
  return followScript(talk, readScene(body, talk), failedSoFar);
}

/** Calls that no person's words stand behind: a compaction, a title, the check of a model. */
function answerAuxiliary(body: MessagesBody, talk: Conversation): string | undefined {
  const last = talk.lastUserText;
  if (last.includes('create a detailed summary of') && last.includes('<summary>')) return summary(talk);
  const hasTools = (body.tools ?? []).length > 0;
  if (body.max_tokens === 1) return 'ok';
  if (!hasTools && /<session>|\btitle\b/i.test(last)) return 'Simulated session';
  if (talk.asked.length === 0) return 'I go on from here.';
  return undefined;
}

function summary(talk: Conversation): string {
  const said = talk.said.filter((text) => text !== talk.lastUserText).slice(-20);
  const list = said.map((text, index) => `${index + 1}. ${JSON.stringify(text.slice(0, 300))}`).join('\n');
  return `<analysis>The person sent ${said.length} messages, which are listed in the summary.</analysis>\n<summary>Messages of the person:\n${list || 'none'}\nNext step: wait for the next message.</summary>`;
}

interface Pending {
  blocks: Block[];
  /** Failures asked for before the next tool call, in order. */
  failures: { failure: Failure; times: number | 'always' }[];
}

function followScript(talk: Conversation, scene: Scene, failedSoFar: FailedSoFar): Answer {
  const steps = readSteps(talk);
  const calls = [...talk.calls];
  let pending: Pending = { blocks: [], failures: [] };
  const reports: string[] = [];
  let words = 1;
  for (const [index, step] of steps.entries()) {
    if (!isToolStep(step)) {
      const key = [talk.askedAt, index, talk.calls.length - calls.length, ...talk.asked].join('|');
      addProse(pending, step, scene, key, words);
      if (step.kind === 'slow') words += step.words;
      continue;
    }
    const first = talk.calls.length - calls.length;
    let used = 0;
    let move = nextMove(step, scene, []);
    while (move.kind === 'call' && calls.length > 0) {
      calls.shift();
      used += 1;
      // What was said before this call belongs to an earlier answer.
      pending = { blocks: [], failures: [] };
      move = nextMove(step, scene, talk.calls.slice(first, first + used));
    }
    if (move.kind === 'call') {
      addText(pending, { kind: 'text', text: move.remark });
      pending.blocks.push({ type: 'tool_use', name: move.name, input: move.input });
      return finish(pending, failedSoFar);
    }
    reports.push(move.report);
    if (move.giveUp) {
      if (index + 1 < steps.length) reports.push('The rest of the script is left undone.');
      break;
    }
  }
  if (reports.length > 0) addReports(pending, reports.join('\n\n'));
  return finish(pending, failedSoFar);
}

/** Puts what the tools brought before the words that end the answer. */
function addReports(pending: Pending, text: string): void {
  const first = pending.blocks.find((block) => block.type === 'text');
  if (first?.type === 'text') first.pieces.unshift({ kind: 'text', text }, { kind: 'text', text: '\n\n' });
  else addText(pending, { kind: 'text', text });
}

function finish(pending: Pending, failedSoFar: FailedSoFar): Answer {
  if (pending.blocks.every((block) => block.type === 'thinking')) addText(pending, { kind: 'text', text: 'Done.' });
  const due = pending.failures.find(({ failure, times }) => times === 'always' || failedSoFar(failure.key) < times);
  if (!due) return { kind: 'message', blocks: pending.blocks };
  if (due.failure.how !== 'cut') return { kind: 'failure', failure: due.failure };
  return { kind: 'message', blocks: cutShort(pending.blocks, due.failure) };
}

/** The answer up to the middle of its first text, where the connection is cut. */
function cutShort(blocks: Block[], failure: Failure): Block[] {
  const short: Block[] = [];
  for (const block of blocks) {
    if (block.type !== 'text') {
      short.push(block);
      continue;
    }
    const pieces: Piece[] = [];
    for (const piece of block.pieces) {
      if (piece.kind === 'slow') pieces.push({ kind: 'slow', words: piece.words.slice(0, piece.words.length / 2) });
      else if (piece.kind === 'text') pieces.push({ kind: 'text', text: piece.text.slice(0, piece.text.length / 2) });
      else pieces.push(piece);
      if (piece.kind === 'slow' || piece.kind === 'text') break;
    }
    return [...short, { type: 'text', pieces: [...pieces, { kind: 'cut', failure }] }];
  }
  return short;
}

function readSteps(talk: Conversation): Step[] {
  const last = talk.asked.length - 1;
  const asked = talk.asked.map(parseScript);
  // A message that is not the last was already tried: what it asked to fail has failed.
  const open = asked.flatMap((steps, index) => (index < last ? steps.filter(({ kind }) => kind !== 'fail') : steps));
  return [...open, ...talk.steered.flatMap(parseScript)];
}

function isToolStep(step: Step): step is ToolStep {
  return ['create', 'append', 'replace', 'read', 'run', 'ask', 'plan', 'network', 'send', 'agent'].includes(step.kind);
}

function addProse(pending: Pending, step: Exclude<Step, ToolStep>, scene: Scene, key: string, word: number): void {
  switch (step.kind) {
    case 'slow':
      addText(pending, { kind: 'slow', words: numberedWords(word, step.words) });
      return;
    case 'long':
      addText(pending, { kind: 'text', text: longText(step.kilobytes) });
      return;
    case 'hold':
      addText(pending, { kind: 'hold', gate: step.gate });
      return;
    case 'think':
      if (scene.thinking) pending.blocks.push({ type: 'thinking', thinking: step.text });
      addText(pending, { kind: 'text', text: `I thought about it: ${step.text}` });
      return;
    case 'fail':
      pending.failures.push({ failure: { key, how: step.how }, times: step.times });
      return;
    case 'say':
      addText(pending, { kind: 'text', text: step.text });
      return;
    case 'remark':
      addText(pending, { kind: 'text', text: remark(step.text) });
      return;
  }
}

function remark(text: string): string {
  if (/^help[.!?]?$/i.test(text)) return grammarHelp;
  if (text.startsWith('<task-notification>')) {
    const part = (name: string) => new RegExp(`<${name}>([\\s\\S]*?)</${name}>`).exec(text)?.[1]?.trim() ?? '';
    return `A background task has ended: ${part('summary')}\n\n${part('result')}`.trim();
  }
  return `You wrote: “${text}”. I only follow scripts; send “help” to see the steps I know.`;
}

/** Appends to the text block at the end, or begins one. Texts are paragraphs of their own. */
function addText(pending: Pending, piece: Piece): void {
  const last = pending.blocks.at(-1);
  if (last?.type !== 'text') {
    pending.blocks.push({ type: 'text', pieces: [piece] });
    return;
  }
  const afterWords = piece.kind === 'slow' && last.pieces.some(({ kind }) => kind === 'slow');
  if (piece.kind === 'slow' || piece.kind === 'text') {
    last.pieces.push({ kind: 'text', text: afterWords ? ' ' : '\n\n' });
  }
  last.pieces.push(piece);
}

function prose(text: string): Answer {
  return { kind: 'message', blocks: [{ type: 'text', pieces: [{ kind: 'text', text }] }] };
}
