import { z } from 'zod';

/**
 * The request bodies of the Messages API as far as Claude Code uses them. Unknown keys are refused at the top level
 * and in content blocks, as the API does ("Extra inputs are not permitted").
 */

const cacheControl = z.strictObject({
  type: z.literal('ephemeral'),
  ttl: z.enum(['5m', '1h']).optional(),
  scope: z.string().optional(),
});
const cached = { cache_control: cacheControl.nullish() };

const text = z.strictObject({
  type: z.literal('text'),
  text: z.string().min(1, 'text content blocks must be non-empty'),
  citations: z.array(z.unknown()).nullish(),
  ...cached,
});

const source = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('base64'), media_type: z.string(), data: z.string() }),
  z.strictObject({ type: z.literal('url'), url: z.string() }),
  z.strictObject({ type: z.literal('text'), media_type: z.literal('text/plain'), data: z.string() }),
]);
const image = z.strictObject({ type: z.literal('image'), source, ...cached });
const document = z.strictObject({
  type: z.literal('document'),
  source,
  title: z.string().nullish(),
  context: z.string().nullish(),
  citations: z.unknown().optional(),
  ...cached,
});
const toolReference = z.strictObject({ type: z.literal('tool_reference'), tool_name: z.string(), ...cached });

const toolId = z.string().regex(/^[a-zA-Z0-9_-]+$/);
const toolName = z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/);
const toolUse = z.strictObject({
  type: z.literal('tool_use'),
  id: toolId,
  name: toolName.max(200),
  input: z.record(z.string(), z.unknown()),
  caller: z.unknown().optional(),
  ...cached,
});
const toolResult = z.strictObject({
  type: z.literal('tool_result'),
  tool_use_id: toolId,
  content: z
    .union([z.string(), z.array(z.discriminatedUnion('type', [text, image, document, toolReference]))])
    .optional(),
  is_error: z.boolean().optional(),
  ...cached,
});
const thinking = z.strictObject({ type: z.literal('thinking'), thinking: z.string(), signature: z.string().min(1) });
const redacted = z.strictObject({ type: z.literal('redacted_thinking'), data: z.string() });

const userContent = z.discriminatedUnion('type', [text, image, document, toolResult]);
const assistantContent = z.discriminatedUnion('type', [text, thinking, redacted, toolUse]);
const effort = z.strictObject({ effort: z.string().optional(), format: z.unknown().optional() });

const message = z.discriminatedUnion('role', [
  z.strictObject({ role: z.literal('user'), content: z.union([z.string().min(1), z.array(userContent).min(1)]) }),
  z.strictObject({
    role: z.literal('assistant'),
    content: z.union([z.string().min(1), z.array(assistantContent).min(1)]),
  }),
  // Notes inside the conversation (environment, plan mode, a message sent while a turn runs). May be empty.
  z.strictObject({
    role: z.literal('system'),
    content: z.union([z.string(), z.array(text)]),
    output_config: effort.optional(),
  }),
]);

const tool = z.looseObject({
  name: toolName,
  description: z.string().optional(),
  input_schema: z.looseObject({ type: z.literal('object') }),
  defer_loading: z.boolean().optional(),
  ...cached,
});

const common = {
  model: z.string().min(1),
  messages: z.array(message).min(1),
  system: z.union([z.string(), z.array(text)]).optional(),
  tools: z.array(tool).optional(),
  tool_choice: z.looseObject({ type: z.enum(['auto', 'any', 'tool', 'none']) }).optional(),
  thinking: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('enabled'), budget_tokens: z.int().min(1024), display: z.string().optional() }),
      z.strictObject({ type: z.literal('adaptive'), display: z.string().optional() }),
      z.strictObject({ type: z.literal('disabled') }),
    ])
    .optional(),
  context_management: z.looseObject({}).nullish(),
  // Claude Code sends it to api.anthropic.com only, not to other addresses of a Messages API.
  diagnostics: z.looseObject({}).nullish(),
  output_config: effort.optional(),
  safeguards: z.array(z.looseObject({ type: z.string() })).optional(),
};

/** The body of `POST /v1/messages`. */
export const messagesBody = z.strictObject({
  ...common,
  max_tokens: z.int().min(1),
  metadata: z.strictObject({ user_id: z.string().nullish() }).optional(),
  stream: z.boolean().optional(),
  temperature: z.number().min(0).max(1).optional(),
  top_p: z.number().min(0).max(1).optional(),
  top_k: z.int().min(0).optional(),
  stop_sequences: z.array(z.string()).optional(),
  service_tier: z.enum(['auto', 'standard_only']).optional(),
});

/** The body of `POST /v1/messages/count_tokens`. */
export const countTokensBody = z.strictObject(common);

export type MessagesBody = z.infer<typeof messagesBody>;
export type CountTokensBody = z.infer<typeof countTokensBody>;
export type Message = MessagesBody['messages'][number];
export type ContentBlock = Exclude<Message['content'], string>[number];
export type ToolResult = Extract<ContentBlock, { type: 'tool_result' }>;

/** A message's content as blocks, whichever way it was written. */
export function blocksOf(item: Message): ContentBlock[] {
  return typeof item.content === 'string' ? [{ type: 'text', text: item.content }] : item.content;
}
