// A person's prompt as the agent reads it: the speaker's name in front, attachments as files (and images as such).
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { SDKUserMessage } from '@anthropic-ai/claude-agent-sdk';
import type { Attachment, Prompt } from '../generated/claude_agent/v1/agent.ts';

type Content = SDKUserMessage['message']['content'];
type ImageType = 'image/jpeg' | 'image/png' | 'image/gif' | 'image/webp';

/** The model API takes no larger image, in bytes before base64. */
const IMAGE_LIMIT = 3_750_000;

/** `[author] text`; a slash command stays as it is, or it would not be one. */
export function promptText(prompt: Pick<Prompt, 'text' | 'author'>): string {
  if (prompt.author === '' || prompt.text.startsWith('/')) return prompt.text;
  return `[${prompt.author}] ${prompt.text}`;
}

/** The content of the message; writes the attachments to a folder the agent can read. */
export function promptContent(
  sessionId: string,
  prompt: Prompt,
  runAs: { uid: number; gid: number } | undefined,
): Content {
  const said = promptText(prompt);
  if (prompt.attachments.length === 0) return said;
  const files = writeAttachments(sessionId, prompt, runAs);
  const images = prompt.attachments.flatMap((attachment) => imageBlock(attachment) ?? []);
  return [
    ...images,
    { type: 'text', text: `${said}\n\nAttached files:\n${files.map((file) => `- ${file}`).join('\n')}` },
  ];
}

function writeAttachments(
  sessionId: string,
  prompt: Prompt,
  runAs: { uid: number; gid: number } | undefined,
): string[] {
  const folder = join(tmpdir(), 'agent-attachments', sessionId, prompt.inputId.replace(/[^A-Za-z0-9_-]/g, '_'));
  mkdirSync(folder, { recursive: true });
  const own = (path: string, mode: number) => {
    chmodSync(path, mode);
    if (runAs) chownSync(path, runAs.uid, runAs.gid);
  };
  own(folder, 0o700);
  return prompt.attachments.map((attachment, index) => {
    const name = basename(attachment.name).replace(/[^\p{L}\p{N}._ -]/gu, '_') || `file-${index + 1}`;
    const path = join(folder, name === '.' || name === '..' ? `file-${index + 1}` : name);
    writeFileSync(path, attachment.content);
    own(path, 0o600);
    return `${path} (${attachment.mediaType || 'unknown type'}, ${attachment.content.length} bytes)`;
  });
}

function imageBlock(attachment: Attachment) {
  const { mediaType, content } = attachment;
  if (!isImageType(mediaType) || content.length > IMAGE_LIMIT) return undefined;
  const source = { type: 'base64' as const, media_type: mediaType, data: content.toString('base64') };
  return { type: 'image' as const, source };
}

function isImageType(mediaType: string): mediaType is ImageType {
  return ['image/jpeg', 'image/png', 'image/gif', 'image/webp'].includes(mediaType);
}
