// A person's prompt as the agent reads it: the speaker's name in front, attachments as files (and images as such).
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import type { SDKUserMessage } from '@anthropic-ai/claude-agent-sdk';
import type { Attachment, Prompt } from '../generated/claude_agent/v1/agent.ts';
import type { AgentConfig } from './types.ts';

type Content = SDKUserMessage['message']['content'];
type ImageType = 'image/jpeg' | 'image/png' | 'image/gif' | 'image/webp';

/** The model API takes no larger image, in bytes before base64. */
const IMAGE_LIMIT = 3_750_000;
/** Of a file's name, in characters: a file system takes 255 bytes. */
const NAME_LIMIT = 60;

/** `[author] text`; a slash command stays as it is, or it would not be one. */
export function promptText(prompt: Pick<Prompt, 'text' | 'author'>): string {
  if (prompt.author === '' || prompt.text.startsWith('/')) return prompt.text;
  return `[${prompt.author}] ${prompt.text}`;
}

/** The content of the message; writes the attachments to a folder the agent can read. */
export function promptContent(
  sessionId: string,
  prompt: Prompt,
  config: Pick<AgentConfig, 'attachmentsDir' | 'runAs'>,
): Content {
  const said = promptText(prompt);
  const notice = prompt.notice === '' ? [] : [{ type: 'text' as const, text: prompt.notice }];
  if (prompt.attachments.length === 0) return notice.length === 0 ? said : [...notice, { type: 'text', text: said }];
  const files = writeAttachments(sessionId, prompt, config);
  const images = prompt.attachments.flatMap((attachment) => imageBlock(attachment) ?? []);
  return [
    ...notice,
    ...images,
    { type: 'text', text: `${said}\n\nAttached files:\n${files.map((file) => `- ${file}`).join('\n')}` },
  ];
}

/**
 * They stay the worker's, for the agent's group to read. Nothing on the way to them is the agent's to change: a worker that
 * is root would follow the agent's symbolic links anywhere.
 */
function writeAttachments(
  sessionId: string,
  prompt: Prompt,
  config: Pick<AgentConfig, 'attachmentsDir' | 'runAs'>,
): string[] {
  const { attachmentsDir, runAs } = config;
  const folder = join(attachmentsDir, sessionId, prompt.inputId.replace(/[^A-Za-z0-9_-]/g, '_'));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const share = (path: string, mode: number) => {
    if (!runAs) return;
    chownSync(path, process.getuid?.() ?? 0, runAs.gid);
    chmodSync(path, mode);
  };
  for (const path of [attachmentsDir, dirname(folder), folder]) share(path, 0o750);
  const names = fileNames(prompt.attachments);
  return prompt.attachments.map((attachment, index) => {
    const path = join(folder, names[index] ?? `file-${index + 1}`);
    // What lies there already, of an earlier attempt or a link, is replaced and never written through.
    rmSync(path, { recursive: true, force: true });
    writeFileSync(path, attachment.content, { mode: 0o600, flag: 'wx' });
    share(path, 0o640);
    return `${path} (${attachment.mediaType || 'unknown type'}, ${attachment.content.length} bytes)`;
  });
}

/** A name for each that is a name only, none of them twice: pasted images are all called alike. */
function fileNames(attachments: readonly Pick<Attachment, 'name'>[]): string[] {
  const taken = new Set<string>();
  return attachments.map(({ name }, index) => {
    const plain = basename(name).replace(/[^\p{L}\p{N}._ -]/gu, '_');
    const ending = [...extname(plain)].slice(0, 12).join('');
    const stem = [...plain.slice(0, plain.length - extname(plain).length)].slice(0, NAME_LIMIT).join('');
    const own = /^\.*$/.test(stem) ? `file-${index + 1}${ending}` : `${stem}${ending}`;
    let free = own;
    // Compared without case: not every file system knows the difference.
    for (let copy = 2; taken.has(free.toLowerCase()); copy += 1)
      free = `${own.slice(0, own.length - ending.length)}-${copy}${ending}`;
    taken.add(free.toLowerCase());
    return free;
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
