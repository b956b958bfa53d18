import { randomBytes } from 'node:crypto';
import type { Block, Failure, Piece } from './answer.ts';
import type { MessagesBody } from './schema.ts';
import { outputTokens, textOf, usageOf } from './usage.ts';

/** One server-sent event: `event: <type>` and the JSON of `data`. */
export type ApiEvent =
  | { type: 'message_start'; message: ApiMessage }
  | { type: 'ping' }
  | { type: 'content_block_start'; index: number; content_block: Record<string, unknown> }
  | { type: 'content_block_delta'; index: number; delta: Record<string, unknown> }
  | { type: 'content_block_stop'; index: number }
  | { type: 'message_delta'; delta: { stop_reason: string; stop_sequence: null }; usage: ReturnType<typeof usageOf> }
  | { type: 'message_stop' };

export interface ApiMessage {
  id: string;
  type: 'message';
  role: 'assistant';
  model: string;
  content: Record<string, unknown>[];
  stop_reason: string | null;
  stop_sequence: null;
  usage: ReturnType<typeof usageOf>;
}

/** What the stream of an answer is made of: events, and points where the server has to do something else. */
export type StreamItem =
  | { kind: 'event'; event: ApiEvent }
  | { kind: 'wordPause' }
  | { kind: 'hold'; gate: string }
  | { kind: 'cut'; failure: Failure };

const WORDS_PER_DELTA = 4;
/** Text without spaces (CJK) is cut by characters. */
const CHARACTERS_PER_DELTA = 40;
const JSON_PER_DELTA = 40;
/** Any base64 text is taken for a signature; this one is the word "simulated". */
const SIGNATURE = Buffer.from('simulated').toString('base64');

/** The answer as the API streams it. */
export function* streamAnswer(body: MessagesBody, whole: Block[]): Generator<StreamItem> {
  const { blocks, stopReason } = limit(whole, body.max_tokens);
  const message = { ...emptyMessage(body, 1), content: [] };
  yield event({ type: 'message_start', message });
  yield event({ type: 'ping' });
  for (const [index, block] of blocks.entries()) yield* streamBlock(block, index);
  const usage = usageOf(body, outputTokens(blocks));
  yield event({ type: 'message_delta', delta: { stop_reason: stopReason, stop_sequence: null }, usage });
  yield event({ type: 'message_stop' });
}

/** The answer as one JSON body, for a request without `stream`. */
export function wholeAnswer(body: MessagesBody, whole: Block[]): ApiMessage {
  const { blocks, stopReason } = limit(whole, body.max_tokens);
  return { ...emptyMessage(body, outputTokens(blocks)), content: blocks.map(contentOf), stop_reason: stopReason };
}

function emptyMessage(body: MessagesBody, tokens: number): ApiMessage {
  return {
    id: `msg_01${randomId()}`,
    type: 'message',
    role: 'assistant',
    model: body.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: usageOf(body, tokens),
  };
}

function* streamBlock(block: Block, index: number): Generator<StreamItem> {
  const delta = (value: Record<string, unknown>) => event({ type: 'content_block_delta', index, delta: value });
  yield event({ type: 'content_block_start', index, content_block: emptyBlock(block) });
  switch (block.type) {
    case 'thinking':
      for (const thinking of chunks(block.thinking)) yield delta({ type: 'thinking_delta', thinking });
      yield delta({ type: 'signature_delta', signature: SIGNATURE });
      break;
    case 'text':
      for (const piece of block.pieces) yield* streamPiece(piece, delta);
      break;
    case 'tool_use':
      for (const part of jsonChunks(block.input)) yield delta({ type: 'input_json_delta', partial_json: part });
      break;
  }
  yield event({ type: 'content_block_stop', index });
}

function* streamPiece(piece: Piece, delta: (value: Record<string, unknown>) => StreamItem): Generator<StreamItem> {
  switch (piece.kind) {
    case 'text':
      for (const text of chunks(piece.text)) yield delta({ type: 'text_delta', text });
      return;
    case 'slow':
      for (const [index, word] of piece.words.entries()) {
        yield delta({ type: 'text_delta', text: index === 0 ? word : ` ${word}` });
        yield { kind: 'wordPause' };
      }
      return;
    case 'hold':
    case 'cut':
      yield piece;
  }
}

function emptyBlock(block: Block): Record<string, unknown> {
  switch (block.type) {
    case 'thinking':
      return { type: 'thinking', thinking: '', signature: '' };
    case 'text':
      return { type: 'text', text: '' };
    case 'tool_use':
      return { type: 'tool_use', id: toolId(block.name), name: block.name, input: {} };
  }
}

function contentOf(block: Block): Record<string, unknown> {
  switch (block.type) {
    case 'thinking':
      return { type: 'thinking', thinking: block.thinking, signature: SIGNATURE };
    case 'text':
      return { type: 'text', text: textOf(block) };
    case 'tool_use':
      return { type: 'tool_use', id: toolId(block.name), name: block.name, input: block.input };
  }
}

/** Stops a text at `max_tokens`, as the API does; what follows it is dropped. */
function limit(blocks: Block[], maxTokens: number): { blocks: Block[]; stopReason: string } {
  const kept: Block[] = [];
  let room = maxTokens * 4;
  for (const block of blocks) {
    const text = block.type === 'text' ? textOf(block) : '';
    if (text.length > room) {
      const cut = Array.from(text.slice(0, room)).join('');
      return { blocks: [...kept, { type: 'text', pieces: [{ kind: 'text', text: cut }] }], stopReason: 'max_tokens' };
    }
    room -= text.length;
    kept.push(block);
  }
  return { blocks: kept, stopReason: kept.at(-1)?.type === 'tool_use' ? 'tool_use' : 'end_turn' };
}

function chunks(text: string): string[] {
  const words = text.match(/\s*\S+\s*/g) ?? (text === '' ? [] : [text]);
  const parts: string[] = [];
  for (let at = 0; at < words.length; at += WORDS_PER_DELTA) {
    const characters = Array.from(words.slice(at, at + WORDS_PER_DELTA).join(''));
    for (let from = 0; from < characters.length; from += CHARACTERS_PER_DELTA) {
      parts.push(characters.slice(from, from + CHARACTERS_PER_DELTA).join(''));
    }
  }
  return parts;
}

function jsonChunks(input: Record<string, unknown>): string[] {
  const characters = Array.from(JSON.stringify(input));
  const parts: string[] = [];
  for (let at = 0; at < characters.length; at += JSON_PER_DELTA) {
    parts.push(characters.slice(at, at + JSON_PER_DELTA).join(''));
  }
  return parts;
}

function event(value: ApiEvent): StreamItem {
  return { kind: 'event', event: value };
}

function toolId(name: string): string {
  return `toolu_01${randomId()}${name.replace(/[^a-zA-Z0-9]/g, '').slice(0, 8)}`;
}

/** Ids must not repeat within a conversation, which may outlive this process. */
function randomId(): string {
  return randomBytes(9).toString('hex');
}
