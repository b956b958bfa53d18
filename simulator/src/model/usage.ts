import type { Block } from './answer.ts';
import type { CountTokensBody } from './schema.ts';

/** Token counts as the API reports them; estimated at four characters a token. */
export interface Usage {
  input_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
  output_tokens: number;
  service_tier: 'standard';
}

/** What is never cached of a request: the few tokens after the last cache breakpoint. */
const UNCACHED_TOKENS = 3;

/** Tokens of a request: all of it. */
export function inputTokens(body: CountTokensBody): number {
  return estimate(JSON.stringify([body.system ?? '', body.tools ?? [], body.messages]));
}

/**
 * The usage of an answer. What stands before the last answer of the conversation was cached by the call that got it;
 * the rest is new.
 */
export function usageOf(body: CountTokensBody, outputTokens: number): Usage {
  const total = inputTokens(body);
  const lastAnswer = body.messages.map(({ role }) => role).lastIndexOf('assistant');
  const added = lastAnswer < 0 ? total : estimate(JSON.stringify(body.messages.slice(lastAnswer)));
  return {
    input_tokens: UNCACHED_TOKENS,
    cache_creation_input_tokens: Math.max(0, Math.min(added, total) - UNCACHED_TOKENS),
    cache_read_input_tokens: Math.max(0, total - added),
    output_tokens: outputTokens,
    service_tier: 'standard',
  };
}

/** Tokens of an answer's blocks. */
export function outputTokens(blocks: Block[]): number {
  const sizes = blocks.map((block) => {
    if (block.type === 'tool_use') return estimate(JSON.stringify(block.input)) + 20;
    return estimate(block.type === 'thinking' ? block.thinking : textOf(block)) + 6;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The text of a text block as it arrives at the end. */
export function textOf(block: Extract<Block, { type: 'text' }>): string {
  return block.pieces
    .map((piece) => (piece.kind === 'text' ? piece.text : piece.kind === 'slow' ? piece.words.join(' ') : ''))
    .join('');
}

function estimate(text: string): number {
  return Math.ceil(text.length / 4);
}
