/**
 * Reads posts. One is a command if its trimmed text starts with the trigger, followed by white space or nothing; a mention
 * anywhere else only says whom it is meant for.
 */
import type { CommandError } from './commandError.ts';
import {
  type CommandInput,
  type CommandRoute,
  type CommandSettings,
  type CommandSpec,
  isAllowedAt,
} from './commandSpec.ts';
import { COMMANDS } from './commandTable.ts';
import type { CommandPlace } from './events.ts';
import { nearest } from './nearest.ts';

/** What a post says, as far as commands go. */
export type ReadPost =
  | { readonly kind: 'text' }
  | { readonly kind: 'command'; readonly spec: CommandSpec; readonly route: CommandRoute }
  | { readonly kind: 'slash'; readonly text: string }
  | { readonly kind: 'unknown'; readonly word: string; readonly nearest: string | null }
  | { readonly kind: 'misplaced'; readonly spec: CommandSpec }
  | { readonly kind: 'refused'; readonly spec: CommandSpec; readonly error: CommandError };

/** The trimmed text after the trigger, or null if the post is not a command. */
export function afterTrigger(text: string, trigger: string): string | null {
  const trimmed = text.trim();
  if (trimmed.slice(0, trigger.length).toLowerCase() !== trigger.toLowerCase()) return null;
  const rest = trimmed.slice(trigger.length);
  return rest === '' || /^\s/u.test(rest) ? rest.trim() : null;
}

/** Reads a post. The trigger alone asks for help. Case does not count in command words. */
export function readPost(text: string, place: CommandPlace, settings: CommandSettings): ReadPost {
  const after = afterTrigger(text, settings.trigger);
  if (after === null) return { kind: 'text' };
  const [, word = '', rest = ''] = /^(\S*)\s*(.*)$/su.exec(after) ?? [];
  if (word.startsWith('/')) return readSlash(word, rest, after, place, settings);
  const name = word === '' ? 'help' : word.toLowerCase();
  const spec = COMMANDS.find((candidate) => candidate.name === name || candidate.aliases.includes(name));
  if (spec === undefined) {
    const here = COMMANDS.filter((candidate) => isAllowedAt(candidate, place));
    return { kind: 'unknown', word, nearest: nearestCommand(name, here) ?? nearestCommand(name, COMMANDS) };
  }
  return readKnown(spec, { rest: rest.trim(), place, text: text.trim(), settings });
}

function readKnown(spec: CommandSpec, input: CommandInput): ReadPost {
  if (!isAllowedAt(spec, input.place)) return { kind: 'misplaced', spec };
  const parsed = spec.parse(input);
  if (!parsed.ok) return { kind: 'refused', spec, error: parsed.error };
  return { kind: 'command', spec, route: parsed.value };
}

/** The name of the command that was probably meant, also if it was one of its other names that was mistyped. */
export function nearestCommand(word: string, specs: readonly CommandSpec[]): string | null {
  // Other names of one or two letters are near to too much.
  const names = specs.flatMap(({ name, aliases }) => [name, ...aliases.filter((alias) => alias.length > 2)]);
  const near = nearest(word, names);
  return specs.find(({ name, aliases }) => name === near || (near !== null && aliases.includes(near)))?.name ?? null;
}

/** Whether the text names the bot somewhere, as a word of its own. */
export function isMentioned(text: string, trigger: string): boolean {
  const name = trigger.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?<![\\w@./-])${name}(?![\\w-])`, 'iu').test(text);
}

/** Claude Code's commands that change what the session knows about itself are our own commands. */
const OWN_SLASHES: readonly string[] = ['clear', 'compact', 'model'];

function readSlash(
  word: string,
  rest: string,
  whole: string,
  place: CommandPlace,
  settings: CommandSettings,
): ReadPost {
  const name = word.slice(1).toLowerCase();
  if (!/^[a-z0-9][\w:.-]*$/.test(name)) return { kind: 'unknown', word, nearest: null };
  const own = OWN_SLASHES.includes(name) ? COMMANDS.find((candidate) => candidate.name === name) : undefined;
  if (own !== undefined) return readKnown(own, { rest: rest.trim(), place, text: whole, settings });
  return { kind: 'slash', text: whole };
}
