/**
 * The command table: one declaration per command. Dispatch, help and the nearest match all come from it.
 * A post is a command if its trimmed text starts with the trigger, followed by white space or nothing.
 */
import { accept, type CommandError, type Parsed, quoteInput, refuse } from './commandError.ts';
import type { BareGatewayCommand, BareSessionCommand, CommandPlace } from './events.ts';
import { nearest } from './nearest.ts';
import type { RepoNaming } from './repoRef.ts';
import { parseStart } from './startCommand.ts';
import { splitWords, switchOn } from './words.ts';

/** What a command means and who is told. */
export type CommandRoute =
  | { readonly to: 'gateway'; readonly command: BareGatewayCommand }
  | { readonly to: 'session'; readonly command: BareSessionCommand };

export interface CommandSettings extends RepoNaming {
  /** What commands start with, e.g. `@claude`. */
  readonly trigger: string;
}

export interface CommandInput {
  /** Everything after the command's word, trimmed. */
  readonly rest: string;
  readonly place: CommandPlace;
  /** The whole post, trimmed. */
  readonly text: string;
  readonly settings: CommandSettings;
}

export interface CommandSpec {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly where: CommandPlace | 'both';
  /** Ways to write it, without the trigger, each with what that way does. `in` limits it to one place. */
  readonly usage: readonly { readonly syntax: string; readonly help: string; readonly in?: CommandPlace }[];
  readonly parse: (input: CommandInput) => Parsed<CommandRoute>;
}

type PlainSessionName = 'CLEAR' | 'RESTART' | 'CONTEXT' | 'INTERRUPT' | 'RESUME' | 'RETRY';

function plain(name: PlainSessionName, help: string, aliases: readonly string[] = []): CommandSpec {
  const word = name.toLowerCase();
  return {
    name: word,
    aliases,
    where: 'thread',
    usage: [{ syntax: word, help }],
    parse: (input) => alone(input, word, { to: 'session', command: { type: `COMMAND.${name}` } }),
  };
}

function alone(input: CommandInput, word: string, route: CommandRoute): Parsed<CommandRoute> {
  if (input.rest === '') return accept(route);
  return refuse(
    `${word} takes no arguments`,
    `\`${word}\` stands alone: write \`${input.settings.trigger} ${word}\`. To talk to Claude, write without \`${input.settings.trigger}\`.`,
  );
}

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'start',
    aliases: [],
    where: 'both',
    usage: [
      { syntax: 'start org/repo', help: 'start a session on the default branch' },
      { syntax: 'start org/repo@branch', help: 'start on a branch' },
      {
        syntax: 'start org/repo --worktree[=name]',
        help: 'work in an own checkout (named automatically without a name)',
      },
      { syntax: 'start org/repo --plan', help: 'start in plan mode: Claude plans and changes nothing' },
      { syntax: 'start org/repo --review', help: 'a read-only reviewer in an own checkout' },
      { syntax: 'start org/repo --model=name', help: 'use a certain model' },
    ],
    parse: parseStart,
  },
  {
    name: 'stop',
    aliases: [],
    where: 'both',
    usage: [
      { syntax: 'stop', help: 'stop this session', in: 'thread' },
      { syntax: 'stop --container', help: 'stop it and tear its container down', in: 'thread' },
      { syntax: 'stop --all', help: 'stop all sessions of its container', in: 'thread' },
      { syntax: 'stop <id>', help: 'stop a session by the first characters of its id (at least 4)', in: 'top' },
    ],
    parse: parseStop,
  },
  {
    name: 'status',
    aliases: [],
    where: 'both',
    usage: [{ syntax: 'status', help: 'list containers and sessions' }],
    parse: (input) => alone(input, 'status', { to: 'gateway', command: { type: 'COMMAND.STATUS' } }),
  },
  {
    name: 'help',
    aliases: ['?'],
    where: 'both',
    usage: [{ syntax: 'help', help: 'show this list' }],
    parse: (input) => accept({ to: 'gateway', command: { type: 'COMMAND.HELP', place: input.place } }),
  },
  plain('INTERRUPT', 'end the running turn; the session stays', ['cancel']),
  {
    name: 'compact',
    aliases: [],
    where: 'thread',
    usage: [
      { syntax: 'compact [hint]', help: 'summarise the conversation to free context; the hint says what to keep' },
    ],
    parse: (input) => accept({ to: 'session', command: { type: 'COMMAND.COMPACT', hint: input.rest } }),
  },
  plain('CLEAR', 'forget the conversation and start afresh in the same thread'),
  plain('RESTART', 'a fresh agent process; the conversation goes on'),
  {
    name: 'plan',
    aliases: [],
    where: 'thread',
    usage: [{ syntax: 'plan [on|off]', help: 'turn plan mode on or off, at once' }],
    parse: parsePlan,
  },
  {
    name: 'title',
    aliases: [],
    where: 'thread',
    usage: [{ syntax: 'title [text]', help: "set the thread's title; without a text Claude is asked for one" }],
    parse: (input) => accept({ to: 'session', command: { type: 'COMMAND.TITLE', text: oneLine(input.rest) } }),
  },
  plain('CONTEXT', 'show how full the context is, the cost so far, and the state'),
  plain('RESUME', 'go on with a stopped session'),
  plain('RETRY', 'try again after a failure'),
];

function oneLine(text: string): string {
  return [...text.replace(/\s+/gu, ' ').trim()].slice(0, 200).join('');
}

function parseStop(input: CommandInput): Parsed<CommandRoute> {
  const { trigger } = input.settings;
  const words = splitWords(input.rest, ['container', 'all']);
  if (!words.ok) return words;
  const container = switchOn(words.value, 'container');
  if (!container.ok) return container;
  const all = switchOn(words.value, 'all');
  if (!all.ok) return all;
  const flags = { container: container.value, all: all.value };
  const [prefix, ...more] = words.value.positional;
  if (more.length > 0) return refuse('more than one id', `One session at a time: \`${trigger} stop <id>\`.`);
  if (prefix === undefined) {
    if (input.place === 'thread') return accept({ to: 'session', command: { type: 'COMMAND.STOP', ...flags } });
    return refuse(
      'no id at top level',
      `Which session? Write \`${trigger} stop <id>\` with the first characters of its id (\`${trigger} status\` lists them), or \`${trigger} stop\` in its thread.`,
    );
  }
  const id = prefix.replace(/^`|`$/g, '').toLowerCase();
  if (!/^[a-z0-9]{4,26}$/.test(id)) {
    return refuse(
      'bad id prefix',
      `${quoteInput(prefix)} is not the start of a session's id: at least 4 letters or digits, as \`${trigger} status\` shows them.`,
    );
  }
  return accept({ to: 'gateway', command: { type: 'COMMAND.STOP_PREFIX', prefix: id, ...flags } });
}

function parsePlan(input: CommandInput): Parsed<CommandRoute> {
  const word = input.rest.toLowerCase();
  if (word === '' || word === 'on' || word === 'off') {
    const on = word === '' ? null : word === 'on';
    return accept({ to: 'session', command: { type: 'COMMAND.PLAN', on } });
  }
  const { trigger } = input.settings;
  return refuse(
    'plan: neither on nor off',
    `Write \`${trigger} plan\`, \`${trigger} plan on\` or \`${trigger} plan off\`. To ask Claude for a plan, write without \`${trigger}\`.`,
  );
}

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
    const near =
      nearest(
        name,
        here.map((candidate) => candidate.name),
      ) ??
      nearest(
        name,
        COMMANDS.map((item) => item.name),
      );
    return { kind: 'unknown', word, nearest: near };
  }
  return readKnown(spec, { rest: rest.trim(), place, text: text.trim(), settings });
}

function readKnown(spec: CommandSpec, input: CommandInput): ReadPost {
  if (!isAllowedAt(spec, input.place)) return { kind: 'misplaced', spec };
  const parsed = spec.parse(input);
  if (!parsed.ok) return { kind: 'refused', spec, error: parsed.error };
  return { kind: 'command', spec, route: parsed.value };
}

/** Claude Code's commands that change what the session knows about itself are our own commands. */
const OWN_SLASHES: readonly string[] = ['clear', 'compact'];

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

export function isAllowedAt(spec: CommandSpec, place: CommandPlace): boolean {
  return spec.where === 'both' || spec.where === place;
}
