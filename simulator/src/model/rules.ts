import type { z } from 'zod';
import { ApiError } from './errors.ts';
import { blocksOf, type CountTokensBody, countTokensBody, type MessagesBody, messagesBody } from './schema.ts';

const MOST_CACHE_BREAKPOINTS = 4;

/**
 * Checks a body of `POST /v1/messages`: its shape, and what holds between its messages.
 * @throws {ApiError} 400, with the API's wording where it is known
 */
export function checkMessages(body: unknown): MessagesBody {
  const checked = parse(messagesBody, body);
  checkConversation(checked.messages);
  checkTools(checked.tools ?? []);
  checkCacheControl(checked);
  if (checked.thinking?.type === 'enabled' && checked.thinking.budget_tokens >= checked.max_tokens) {
    throw invalid('`max_tokens` must be greater than `thinking.budget_tokens`');
  }
  return checked;
}

/** Checks a body of `POST /v1/messages/count_tokens`. @throws {ApiError} 400 */
export function checkCountTokens(body: unknown): CountTokensBody {
  const checked = parse(countTokensBody, body);
  checkConversation(checked.messages);
  checkTools(checked.tools ?? []);
  return checked;
}

function checkConversation(messages: MessagesBody['messages']): void {
  const spoken = messages.map((item, index) => ({ item, index })).filter(({ item }) => item.role !== 'system');
  const first = spoken[0];
  if (messages[0]?.role !== 'user' || !first) throw invalid('messages: first message must use the "user" role');
  const seen = new Set<string>();
  let open: string[] = [];
  let openedAt = 0;
  for (const { item, index } of spoken) {
    const answered = new Set<string>();
    for (const [at, block] of blocksOf(item).entries()) {
      if (block.type !== 'tool_result') continue;
      if (!open.includes(block.tool_use_id)) throw unexpectedResult(index, at, block.tool_use_id);
      if (answered.has(block.tool_use_id)) {
        throw invalid(
          `messages.${index}: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${block.tool_use_id}`,
        );
      }
      answered.add(block.tool_use_id);
    }
    const unanswered = open.filter((id) => !answered.has(id));
    if (unanswered.length > 0) throw unansweredUse(openedAt, unanswered);
    open = [];
    openedAt = index;
    for (const block of blocksOf(item)) {
      if (block.type !== 'tool_use') continue;
      if (seen.has(block.id)) throw invalid(`messages.${index}: \`tool_use\` ids must be unique`);
      seen.add(block.id);
      open.push(block.id);
    }
  }
  if (open.length > 0) throw unansweredUse(openedAt, open);
  if (spoken.at(-1)?.item.role === 'assistant') {
    throw invalid(
      'This model does not support assistant message prefill. The conversation must end with a user message.',
    );
  }
}

function checkTools(tools: { name: string }[]): void {
  const names = new Set<string>();
  for (const tool of tools) {
    if (names.has(tool.name)) throw invalid('tools: Tool names must be unique.');
    names.add(tool.name);
  }
}

function checkCacheControl(body: MessagesBody): void {
  const blocks: { cache_control?: unknown }[] = [...(body.tools ?? [])];
  if (Array.isArray(body.system)) blocks.push(...body.system);
  for (const item of body.messages) {
    for (const block of blocksOf(item)) {
      if ('cache_control' in block) blocks.push(block);
      if (block.type === 'tool_result' && Array.isArray(block.content)) blocks.push(...block.content);
    }
  }
  const found = blocks.filter((block) => block.cache_control).length;
  if (found > MOST_CACHE_BREAKPOINTS) {
    throw invalid(`A maximum of ${MOST_CACHE_BREAKPOINTS} blocks with cache_control may be provided. Found ${found}.`);
  }
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (!issue) throw invalid('invalid request');
  if (issue.code === 'unrecognized_keys') {
    throw invalid(`${[...issue.path, issue.keys[0]].join('.')}: Extra inputs are not permitted`);
  }
  const missing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
  throw invalid(`${issue.path.join('.') || 'body'}: ${missing ? 'Field required' : issue.message}`);
}

function unexpectedResult(index: number, at: number, id: string): ApiError {
  return invalid(
    `messages.${index}.content.${at}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
  );
}

function unansweredUse(index: number, ids: string[]): ApiError {
  return invalid(
    `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${ids.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
  );
}

function invalid(message: string): ApiError {
  return new ApiError(400, message);
}
