// `send_file`: the agent gives a file of its working directory to the people in the thread. The file is looked at here, and
// fetched by the gateway when it shows it; what it holds by then is what people get.
import { isAbsolute, relative } from 'node:path';
import { tool } from '@anthropic-ai/claude-agent-sdk';
import { z } from 'zod';
import { messageOf } from '../errors.ts';
import type { Output } from '../mapping/state.ts';
import { openBelow } from '../openBelow.ts';

/** What a chat takes and the gateway holds in memory at once. */
const SEND_LIMIT = 20 * 1024 * 1024;

const DESCRIPTION = `Send a file to the people in the chat thread: a report, an image, a log, a patch. Give the path of a \
file below the working directory (at most 20 MB). Use it when they should have the file itself; short texts belong in the \
answer.`;

interface SendFileContext {
  readonly cwd: string;
  emit(outputs: Output[]): void;
}

export function sendFileTool(context: SendFileContext) {
  return tool('send_file', DESCRIPTION, { path: z.string().min(1).max(4_096) }, async ({ path }) => {
    const said = await offerFile(context, path);
    return { content: [{ type: 'text', text: said.text }], isError: said.isError };
  });
}

/** One call of the tool; exported for its rules to be tested without an agent. */
export async function offerFile(
  { cwd, emit }: SendFileContext,
  path: string,
): Promise<{ text: string; isError: boolean }> {
  const below = isAbsolute(path) ? relative(cwd, path) : path;
  try {
    const file = await openBelow(cwd, below);
    const { size } = await file.stat().finally(() => file.close());
    if (size === 0) return { text: 'The file is empty, so it was not sent.', isError: true };
    if (size > SEND_LIMIT)
      return { text: `The file has ${size} bytes; at most ${SEND_LIMIT} can be sent.`, isError: true };
    emit([{ $case: 'fileOffered', value: { path: below, size } }]);
    return { text: 'The file is being posted in the thread.', isError: false };
  } catch (error) {
    return { text: `It was not sent: ${messageOf(error)}`, isError: true };
  }
}
