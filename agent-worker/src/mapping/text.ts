// Text blocks: partial text as it streams, the whole block once, and withdrawal of what a broken stream left behind.
//
// A block's id is `<API message id>/<index>`. A stream that breaks inside a block starts again under another message id;
// without a word from the SDK about the old one, so every place where a new answer can begin withdraws what dangles.
import { count, type JsonRecord, number, record, text } from './json.ts';
import { forgetOldest, type MapperState, type Output } from './state.ts';

/** Handles one `stream_event` of the main thread (subagents never stream). */
export function mapStreamEvent(state: MapperState, message: JsonRecord): Output[] {
  if (text(message.parent_tool_use_id) !== '') return [];
  const event = record(message.event);
  switch (event.type) {
    case 'message_start': {
      const outputs = withdrawDangling(state);
      const started = record(event.message);
      state.stream = { messageId: text(started.id), blocks: new Map(), open: undefined };
      noteUsage(state, record(started.usage));
      return outputs;
    }
    case 'content_block_start': {
      const index = number(event.index);
      const type = text(record(event.content_block).type);
      const stream = state.stream;
      if (stream) {
        stream.blocks.set(index, { id: `${stream.messageId}/${index}`, type, dangling: false, text: '' });
        stream.open = index;
      }
      return [];
    }
    case 'content_block_delta':
      return mapDelta(state, number(event.index), record(event.delta));
    case 'content_block_stop':
      if (state.stream) state.stream.open = undefined;
      return [];
    case 'message_delta':
      noteUsage(state, record(event.usage));
      return [];
    default:
      return [];
  }
}

function mapDelta(state: MapperState, index: number, delta: JsonRecord): Output[] {
  const piece = text(delta.text);
  const block = state.stream?.blocks.get(index);
  if (delta.type !== 'text_delta' || piece === '' || !block) return [];
  block.dangling = true;
  block.text += piece;
  return [
    {
      $case: 'textDelta',
      value: { turnId: state.turn?.id ?? '', blockId: block.id, text: piece, parentToolUseId: '' },
    },
  ];
}

/** The whole block of an `assistant` message; replaces what its deltas made. */
export function mapTextBlock(state: MapperState, message: JsonRecord, block: JsonRecord): Output[] {
  const parentToolUseId = text(message.parent_tool_use_id);
  const { id, outputs } = claimBlock(state, message, block);
  const whole = text(block.text);
  if (whole === '') return outputs;
  outputs.push({
    $case: 'textBlock',
    value: { turnId: state.turn?.id ?? '', blockId: id, text: whole, parentToolUseId },
  });
  return outputs;
}

/**
 * The id of the block an `assistant` message carries. Every block of an answer comes in a message of its own, in order
 * and before its `content_block_stop`, but without its index.
 */
export function claimBlock(
  state: MapperState,
  message: JsonRecord,
  block: JsonRecord,
): { id: string; outputs: Output[] } {
  const messageId = text(record(message.message).id);
  const stream = state.stream;
  const main = text(message.parent_tool_use_id) === '';
  if (main && stream && stream.messageId === messageId && stream.open !== undefined) {
    const open = stream.blocks.get(stream.open);
    if (open && open.type === block.type) {
      open.dangling = false;
      state.blockCounts.set(messageId, stream.open + 1);
      return { id: open.id, outputs: [] };
    }
  }
  const outputs = main && stream && stream.messageId !== messageId ? withdrawDangling(state) : [];
  const index = state.blockCounts.get(messageId) ?? 0;
  state.blockCounts.set(messageId, index + 1);
  forgetOldest(state.blockCounts, 200);
  return { id: `${messageId}/${index}`, outputs };
}

/** Voids the partial text that no whole block will replace. */
export function withdrawDangling(state: MapperState): Output[] {
  const outputs: Output[] = [];
  for (const block of state.stream?.blocks.values() ?? []) {
    if (!block.dangling) continue;
    block.dangling = false;
    outputs.push({ $case: 'textWithdrawn', value: { turnId: state.turn?.id ?? '', blockId: block.id } });
  }
  return outputs;
}

/** Makes the partial text of a dead process a block of its own: people have read it, and nothing will replace it. */
export function keepDangling(state: MapperState): Output[] {
  const outputs: Output[] = [];
  for (const block of state.stream?.blocks.values() ?? []) {
    if (!block.dangling) continue;
    block.dangling = false;
    outputs.push({
      $case: 'textBlock',
      value: { turnId: state.turn?.id ?? '', blockId: block.id, text: block.text, parentToolUseId: '' },
    });
  }
  return outputs;
}

/** Takes the size of the context from the usage of a main-thread API call. */
export function noteUsage(state: MapperState, usage: JsonRecord): void {
  const tokens =
    count(usage.input_tokens) +
    count(usage.cache_read_input_tokens) +
    count(usage.cache_creation_input_tokens) +
    count(usage.output_tokens);
  if (tokens === 0) return;
  state.contextTokens = tokens;
  state.contextChanged = true;
}
