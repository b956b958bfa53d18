import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CanUseTool,
  type Options,
  type Query,
  query,
  type SDKMessage,
  type SDKUserMessage,
} from '@anthropic-ai/claude-agent-sdk';
import type { ModelApi } from '../../src/model/index.ts';

/** The real Claude Code, with folders of its own, talking to the simulated model. */
export interface Claude {
  repo: string;
  query: Query;
  messages: SDKMessage[];
  /** Sends the person's words and waits for the end of the turn. */
  turn(text: string): Promise<Extract<SDKMessage, { type: 'result' }>>;
  send(text: string): void;
  /** The next message for which `wanted` holds, those already seen by `next` left out. */
  next(wanted: (message: SDKMessage) => boolean): Promise<SDKMessage>;
  /** Ends the process and removes the folders. */
  end(): Promise<void>;
}

const DEADLINE_MS = 20_000;

/** Starts Claude Code. `answer` is asked for every permission and question; default: everything is allowed. */
export function startClaude(api: ModelApi, answer: CanUseTool = allow, options: Partial<Options> = {}): Claude {
  const home = mkdtempSync(join(tmpdir(), 'model-claude-'));
  const repo = join(home, 'repo');
  mkdirSync(repo);
  const input = createInput();
  const running = query({
    prompt: input.messages(),
    options: { cwd: repo, env: environment(api, home), canUseTool: answer, ...options },
  });
  const messages: SDKMessage[] = [];
  const watchers = new Set<() => void>();
  let at = 0;
  let ended: { error: unknown } | undefined;
  const finished = (async () => {
    for await (const message of running) {
      messages.push(message);
      for (const tell of watchers) tell();
    }
  })()
    .then(
      () => {
        ended = { error: undefined };
      },
      (error: unknown) => {
        ended = { error };
      },
    )
    .finally(() => {
      for (const tell of watchers) tell();
    });
  async function next(wanted: (message: SDKMessage) => boolean): Promise<SDKMessage> {
    const deadline = Date.now() + DEADLINE_MS;
    for (;;) {
      while (at < messages.length) {
        const message = messages[at];
        at += 1;
        if (message && wanted(message)) return message;
      }
      if (ended) throw new Error('Claude Code has ended', { cause: ended.error });
      if (Date.now() > deadline) throw new Error(`Waited in vain. Seen: ${JSON.stringify(messages.slice(-5))}`);
      await changed(watchers);
    }
  }
  return {
    repo,
    query: running,
    messages,
    next,
    send: input.push,
    async turn(text) {
      input.push(text);
      const result = await next(({ type }) => type === 'result');
      if (result.type !== 'result') throw new Error('unreachable');
      return result;
    },
    async end() {
      input.close();
      running.close();
      await finished;
      rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

const allow: CanUseTool = (_tool, input) => Promise.resolve({ behavior: 'allow', updatedInput: input });

/** The text of the last answer of a finished turn. */
export function resultText(result: Extract<SDKMessage, { type: 'result' }>): string {
  return result.subtype === 'success' ? result.result : `${result.subtype}: ${result.errors.join('; ')}`;
}

/** Names and inputs of the main thread's tool uses, in order. */
export function toolUses(messages: SDKMessage[]): { name: string; input: unknown }[] {
  return messages.flatMap((message) => {
    if (message.type !== 'assistant' || message.parent_tool_use_id !== null) return [];
    return message.message.content.flatMap((block) => {
      return block.type === 'tool_use' ? [{ name: block.name, input: block.input }] : [];
    });
  });
}

function environment(api: ModelApi, home: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: home,
    CLAUDE_CONFIG_DIR: join(home, '.claude'),
    TMPDIR: home,
    ANTHROPIC_BASE_URL: api.url,
    ANTHROPIC_API_KEY: 'test',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_BUG_COMMAND: '1',
    IS_SANDBOX: '1',
    CLAUDE_CODE_MAX_RETRIES: '1',
  };
}

function createInput() {
  const queue: string[] = [];
  const watchers = new Set<() => void>();
  let closed = false;
  const tell = () => {
    for (const watcher of watchers) watcher();
  };
  async function* messages(): AsyncGenerator<SDKUserMessage> {
    while (!closed) {
      const content = queue.shift();
      if (content === undefined) await changed(watchers);
      else yield { type: 'user', message: { role: 'user', content }, parent_tool_use_id: null };
    }
  }
  return {
    messages,
    push(text: string) {
      queue.push(text);
      tell();
    },
    close() {
      closed = true;
      tell();
    },
  };
}

/** Resolves at the next change, or after a while so that deadlines are noticed. */
async function changed(watchers: Set<() => void>): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      watchers.delete(done);
      resolve();
    };
    const timer = setTimeout(done, 500);
    watchers.add(done);
  });
}
