import { z } from 'zod';
import type { ModelApi } from '../../src/model/index.ts';

export interface SentEvent {
  event: string;
  data: Record<string, unknown>;
}

export interface Reply {
  status: number;
  body: string;
  headers: Headers;
}

export const HEADERS = { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', 'x-api-key': 'test' };

/** Sends a body; a string is sent as it is. */
export async function post(api: ModelApi, body: unknown, headers: Record<string, string> = HEADERS): Promise<Reply> {
  return postTo(api, '/v1/messages?beta=true', body, headers);
}

export async function postTo(
  api: ModelApi,
  path: string,
  body: unknown,
  headers: Record<string, string> = HEADERS,
): Promise<Reply> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(api.url + path, { method: 'POST', headers, body: text });
  return { status: response.status, body: await response.text(), headers: response.headers };
}

/** The events of a stream, each checked to be named as its data says. */
export function eventsOf(body: string): SentEvent[] {
  return body
    .split('\n\n')
    .filter((part) => part !== '')
    .map((part) => {
      const match = /^event: (\w+)\ndata: (.*)$/.exec(part);
      if (!match) throw new Error(`Not an event: ${part}`);
      return { event: match[1] ?? '', data: z.record(z.string(), z.unknown()).parse(JSON.parse(match[2] ?? '')) };
    });
}

const delta = z.object({ delta: z.object({ text: z.string().optional(), partial_json: z.string().optional() }) });

/** The text of a stream. */
export function streamedText(events: SentEvent[]): string {
  return events.map(({ data }) => delta.safeParse(data).data?.delta.text ?? '').join('');
}

/** The input of the only tool use of a stream. */
export function streamedInput(events: SentEvent[]): unknown {
  return JSON.parse(events.map(({ data }) => delta.safeParse(data).data?.delta.partial_json ?? '').join(''));
}

/** A request as Claude Code makes it, with the environment note and a few tools. */
export function request(messages: unknown[], more: Record<string, unknown> = {}): Record<string, unknown> {
  const tools = ['Agent', 'AskUserQuestion', 'Bash', 'Edit', 'Read', 'ToolSearch', 'Write'];
  return {
    model: 'claude-opus-5-5',
    max_tokens: 1000,
    stream: true,
    messages,
    tools: tools.map((name) => ({ name, description: name, input_schema: { type: 'object' } })),
    ...more,
  };
}

export const ENVIRONMENT = {
  role: 'system',
  content:
    '# Environment\n - Primary working directory: /repo\n\nThe following deferred tools are now available via ToolSearch. Their schemas are NOT loaded:\nEnterPlanMode\nExitPlanMode\nmcp__gateway__request_network_access\n\nAvailable agent types:',
};

/** The messages of a first turn. */
export function firstTurn(text: string): unknown[] {
  return [{ role: 'user', content: [{ type: 'text', text }] }, ENVIRONMENT];
}

/** Waits until something holds; fails after ten seconds. */
export async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`Waited in vain until ${holds.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
