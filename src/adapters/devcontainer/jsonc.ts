/** JSON with comments, trailing commas and a byte order mark, as editors write it. */
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import { TerminalError } from '../../actors/index.ts';
import type { JsonObject } from '../../machines/json.ts';

/** @throws TerminalError that says where it is wrong, without quoting what stands there */
export function parseConfigText(text: string, file: string): JsonObject {
  const plain = text.replace(/^\uFEFF/, '');
  const errors: ParseError[] = [];
  const value: unknown = parse(plain, errors, { allowTrailingComma: true, allowEmptyContent: false });
  const [error] = errors;
  if (error !== undefined) {
    const before = plain.slice(0, error.offset).split('\n');
    const place = `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
    const what = printParseErrorCode(error.error);
    throw new TerminalError('DEVCONTAINER_SYNTAX', `${file}: ${what} at ${place}`, {
      human: `\`${file}\` cannot be read: ${what} at ${place}. Mend it, push, and start again.`,
    });
  }
  if (!isObject(value)) {
    throw new TerminalError('DEVCONTAINER_SYNTAX', `${file}: not an object`, {
      human: `\`${file}\` must hold an object (\`{ ... }\`).`,
    });
  }
  return value;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
