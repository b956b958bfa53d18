/** The command table: every command there is, one declaration each. */
import { accept, type Parsed } from './commandError.ts';
import { alone, type CommandInput, type CommandRoute, type CommandSpec } from './commandSpec.ts';
import {
  parseAudience,
  parseExport,
  parseLogs,
  parseMember,
  parseModelChange,
  parseNetwork,
  parseNotify,
  parsePlan,
  parseQueue,
  parseRaise,
  parseStop,
  parseVerbosity,
} from './parseCommand.ts';
import { parseStart } from './startCommand.ts';

type PlainSessionName = 'CLEAR' | 'RESTART' | 'CONTEXT' | 'INTERRUPT' | 'RESUME' | 'RETRY' | 'DIFF';

function plain(name: PlainSessionName, help: string, aliases: readonly string[] = []): CommandSpec {
  const word = name.toLowerCase();
  return {
    name: word,
    aliases,
    where: 'thread',
    who: 'everyone',
    usage: [{ syntax: word, help }],
    parse: (input) => alone(input, word, { to: 'session', command: { type: `COMMAND.${name}` } }),
  };
}

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'start',
    aliases: ['new'],
    where: 'both',
    who: 'everyone',
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
    aliases: ['end'],
    where: 'both',
    who: 'everyone',
    usage: [
      { syntax: 'stop', help: 'stop this session', in: 'thread' },
      {
        syntax: 'stop --container',
        help: 'stop it and tear its container down, which stops the other sessions there, too',
        in: 'thread',
      },
      { syntax: 'stop --all', help: 'stop all sessions of its container', in: 'thread' },
      { syntax: 'stop <id>', help: 'stop a session by the first characters of its id (at least 4)', in: 'top' },
    ],
    parse: parseStop,
  },
  {
    name: 'status',
    aliases: ['list', 'ls'],
    where: 'both',
    who: 'everyone',
    usage: [{ syntax: 'status', help: 'list containers and sessions' }],
    parse: (input) => alone(input, 'status', { to: 'gateway', command: { type: 'COMMAND.STATUS' } }),
  },
  {
    name: 'help',
    aliases: ['?'],
    where: 'both',
    who: 'everyone',
    usage: [{ syntax: 'help [command]', help: 'show this list, or all about one command' }],
    parse: (input) =>
      accept({ to: 'gateway', command: { type: 'COMMAND.HELP', place: input.place, about: oneLine(input.rest) } }),
  },
  plain('INTERRUPT', 'end the running turn; the session stays', ['cancel', 'abort']),
  {
    name: 'steer',
    aliases: ['now'],
    where: 'thread',
    who: 'everyone',
    usage: [
      { syntax: 'steer <message>', help: 'hand a message to the running turn instead of after it' },
      { syntax: 'steer', help: 'hand everything that waits to the running turn' },
    ],
    parse: (input) => accept({ to: 'session', command: { type: 'COMMAND.STEER', text: input.rest, fileIds: [] } }),
  },
  {
    name: 'queue',
    aliases: ['q'],
    where: 'thread',
    who: 'everyone',
    usage: [
      { syntax: 'queue', help: 'list the messages that wait; edit one by editing its post' },
      { syntax: 'queue drop <number>|all', help: 'take a waiting message back, or all of them' },
    ],
    parse: parseQueue,
  },
  {
    name: 'compact',
    aliases: [],
    where: 'thread',
    who: 'everyone',
    usage: [
      { syntax: 'compact [hint]', help: 'summarise the conversation to free context; the hint says what to keep' },
    ],
    parse: (input) => accept({ to: 'session', command: { type: 'COMMAND.COMPACT', hint: input.rest } }),
  },
  plain('CLEAR', 'forget the conversation and start afresh in the same thread', ['reset']),
  plain('RESTART', 'a fresh agent process; the conversation goes on'),
  {
    name: 'plan',
    aliases: [],
    where: 'thread',
    who: 'everyone',
    usage: [{ syntax: 'plan [on|off]', help: 'turn plan mode on or off, at once' }],
    parse: parsePlan,
  },
  {
    name: 'model',
    aliases: [],
    where: 'thread',
    who: 'everyone',
    usage: [
      { syntax: 'model [name]', help: 'use another model from the next call on; without a name: which one it is' },
    ],
    parse: parseModelChange,
  },
  {
    name: 'mode',
    aliases: [],
    where: 'thread',
    who: 'everyone',
    usage: [
      {
        syntax: 'mode [everyone|mentions]',
        help: 'who is answered: every message, or only those that mention the bot',
      },
    ],
    parse: parseAudience,
  },
  {
    name: 'verbosity',
    aliases: ['verbose'],
    where: 'both',
    who: 'everyone',
    usage: [
      {
        syntax: 'verbosity [full|normal|quiet|default]',
        help: "how much of Claude's work this thread shows; `quiet`: answers alone",
        in: 'thread',
      },
      {
        syntax: 'verbosity [full|normal|quiet|default]',
        help: 'how much the threads of this project channel show that say nothing else',
        in: 'top',
      },
    ],
    parse: parseVerbosity,
  },
  {
    name: 'title',
    aliases: ['rename'],
    where: 'thread',
    who: 'everyone',
    usage: [{ syntax: 'title [text]', help: "set the thread's title; without a text Claude is asked for one" }],
    parse: (input) => accept({ to: 'session', command: { type: 'COMMAND.TITLE', text: oneLine(input.rest) } }),
  },
  plain('CONTEXT', 'show how full the context is, the cost so far, and the state', ['ctx']),
  {
    name: 'cost',
    aliases: ['usage'],
    where: 'both',
    who: 'everyone',
    usage: [
      { syntax: 'cost', help: 'what this session has cost', in: 'thread' },
      { syntax: 'cost', help: 'what all sessions have cost', in: 'top' },
    ],
    parse: parseCost,
  },
  {
    name: 'raise',
    aliases: [],
    where: 'thread',
    who: 'approver',
    usage: [{ syntax: 'raise <dollars>', help: 'let this session cost so much more than its cap' }],
    parse: parseRaise,
  },
  {
    name: 'network',
    aliases: ['net'],
    where: 'thread',
    who: 'everyone',
    usage: [
      { syntax: 'network', help: 'list what this session may reach, who opened it and until when' },
      { syntax: 'network revoke <host>', help: 'close a host again' },
    ],
    parse: parseNetwork,
  },
  {
    name: 'notify',
    aliases: ['notifications'],
    where: 'both',
    who: 'everyone',
    usage: [
      {
        syntax: 'notify [on|off]',
        help: 'whether you are mentioned when a long turn of yours ends or a request waits for you',
      },
    ],
    parse: parseNotify,
  },
  {
    name: 'export',
    aliases: ['transcript'],
    where: 'thread',
    who: 'everyone',
    usage: [{ syntax: 'export [md|json]', help: 'post what was said in this session as a file, Markdown or JSON' }],
    parse: parseExport,
  },
  plain('DIFF', 'show what has changed in the checkout'),
  {
    name: 'logs',
    aliases: ['log'],
    where: 'thread',
    who: 'everyone',
    usage: [{ syntax: 'logs [lines]', help: "show the last lines of the agent worker's log" }],
    parse: parseLogs,
  },
  {
    name: 'invite',
    aliases: [],
    where: 'thread',
    who: 'everyone',
    usage: [{ syntax: 'invite @name', help: 'add a person to this channel' }],
    parse: (input) => parseMember(input, 'invite', 'COMMAND.INVITE'),
  },
  {
    name: 'kick',
    aliases: ['uninvite'],
    where: 'thread',
    who: 'starter',
    usage: [{ syntax: 'kick @name', help: 'remove a person from this channel' }],
    parse: (input) => parseMember(input, 'kick', 'COMMAND.KICK'),
  },
  plain('RESUME', 'go on with a stopped session', ['continue']),
  plain('RETRY', 'try again after a failure'),
];

function oneLine(text: string): string {
  return [...text.replace(/\s+/gu, ' ').trim()].slice(0, 200).join('');
}

function parseCost(input: CommandInput): Parsed<CommandRoute> {
  return alone(
    input,
    'cost',
    input.place === 'thread'
      ? { to: 'session', command: { type: 'COMMAND.COST' } }
      : { to: 'gateway', command: { type: 'COMMAND.COSTS' } },
  );
}
