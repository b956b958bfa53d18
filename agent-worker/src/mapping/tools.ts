// Tool uses and their results. A tool use comes only from a finished `assistant` message, never from a stream event:
// a half-written one may be thrown away and must not be shown.
import { type JsonRecord, list, record, text } from './json.ts';
import type { MapperState, Output } from './state.ts';
import { noteTodoCall, noteTodoResult } from './todo.ts';

/** Characters of a tool result that go to the gateway. */
export const SUMMARY_LIMIT = 4_000;
/** Longest JSON of a tool's input in ToolUse. Approval requests carry theirs unshortened. */
const INPUT_LIMIT = 64 * 1024;
const STRING_LIMIT = 2_000;

export function mapToolUse(state: MapperState, message: JsonRecord, block: JsonRecord): Output[] {
  const toolUseId = text(block.id);
  const name = text(block.name);
  const parentToolUseId = text(message.parent_tool_use_id);
  state.openTools.set(toolUseId, parentToolUseId);
  const outputs: Output[] = [
    {
      $case: 'toolUse',
      value: { turnId: state.turn?.id ?? '', toolUseId, name, inputJson: shortJson(block.input), parentToolUseId },
    },
  ];
  noteTodoCall(state, toolUseId, name, block.input);
  return outputs;
}

export function mapToolResult(state: MapperState, message: JsonRecord, block: JsonRecord): Output[] {
  const toolUseId = text(block.tool_use_id);
  const full = contentText(block.content);
  state.openTools.delete(toolUseId);
  const isError = block.is_error === true;
  const outputs: Output[] = [
    result(state, { toolUseId, isError, full, parentToolUseId: text(message.parent_tool_use_id) }),
  ];
  outputs.push(...noteTodoResult(state, toolUseId, isError, message.tool_use_result));
  return outputs;
}

/**
 * Closes tool uses that will never get a result: those of the main thread at the end of a turn, those of a subagent at
 * its end, all of them when the process is gone.
 */
export function closeTools(state: MapperState, of: (parentToolUseId: string) => boolean, why: string): Output[] {
  const outputs: Output[] = [];
  for (const [toolUseId, parentToolUseId] of state.openTools) {
    if (!of(parentToolUseId)) continue;
    state.openTools.delete(toolUseId);
    state.todoCalls.delete(toolUseId);
    outputs.push(result(state, { toolUseId, isError: true, full: why, parentToolUseId }));
  }
  return outputs;
}

function result(
  state: MapperState,
  of: { toolUseId: string; isError: boolean; full: string; parentToolUseId: string },
): Output {
  return {
    $case: 'toolResult',
    value: {
      turnId: state.turn?.id ?? '',
      toolUseId: of.toolUseId,
      isError: of.isError,
      summary: of.full.slice(0, SUMMARY_LIMIT),
      fullLength: of.full.length,
      parentToolUseId: of.parentToolUseId,
    },
  };
}

function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  return list(content)
    .map((item) => {
      const block = record(item);
      switch (block.type) {
        case 'text':
          return text(block.text);
        case 'tool_reference':
          return `[tool ${text(block.tool_name)}]`;
        default:
          return `[${text(block.type) || 'content'}]`;
      }
    })
    .join('\n');
}

function shortJson(input: unknown): string {
  const whole = JSON.stringify(input ?? {});
  if (whole.length <= INPUT_LIMIT) return whole;
  const shorter = JSON.stringify(input, (_key, value: unknown) =>
    typeof value === 'string' && value.length > STRING_LIMIT
      ? `${value.slice(0, STRING_LIMIT)}…[+${value.length - STRING_LIMIT} characters]`
      : value,
  );
  return shorter.length <= INPUT_LIMIT ? shorter : JSON.stringify({ shortened: shorter.slice(0, STRING_LIMIT) });
}
