/** The arguments of commands, read strictly: what is not understood is refused with the way to write it. */
import { accept, type Parsed, quoteInput, refuse } from './commandError.ts';
import type { CommandInput, CommandRoute } from './commandSpec.ts';
import { checkModel } from './names.ts';
import { splitWords, switchOn } from './words.ts';

export function parseStop(input: CommandInput): Parsed<CommandRoute> {
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

export function parsePlan(input: CommandInput): Parsed<CommandRoute> {
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

export function parseNotify(input: CommandInput): Parsed<CommandRoute> {
  const word = input.rest.toLowerCase();
  if (word === '' || word === 'on' || word === 'off') {
    return accept({ to: 'gateway', command: { type: 'COMMAND.NOTIFY', on: word === '' ? null : word === 'on' } });
  }
  const { trigger } = input.settings;
  return refuse(
    'notify: neither on nor off',
    `Write \`${trigger} notify on\` or \`${trigger} notify off\`; it is for yourself only, in all threads.`,
  );
}

export function parseExport(input: CommandInput): Parsed<CommandRoute> {
  const word = input.rest.toLowerCase();
  if (word === '' || word === 'md' || word === 'markdown') {
    return accept({ to: 'session', command: { type: 'COMMAND.EXPORT', format: 'md' } });
  }
  if (word === 'json') return accept({ to: 'session', command: { type: 'COMMAND.EXPORT', format: 'json' } });
  const { trigger } = input.settings;
  return refuse(
    'export: neither md nor json',
    `As what? Write \`${trigger} export md\` (Markdown, to read) or \`${trigger} export json\` (for programs).`,
  );
}

export function parseQueue(input: CommandInput): Parsed<CommandRoute> {
  const [word = '', which = '', ...more] = input.rest.toLowerCase().split(/\s+/u);
  if (word === '' || (word === 'list' && which === '')) {
    return accept({ to: 'session', command: { type: 'COMMAND.QUEUE', drop: null } });
  }
  const isDrop = word === 'drop' && more.length === 0;
  if (isDrop && which === 'all') return accept({ to: 'session', command: { type: 'COMMAND.QUEUE', drop: 'all' } });
  if (isDrop && /^[1-9]\d{0,3}$/.test(which)) {
    return accept({ to: 'session', command: { type: 'COMMAND.QUEUE', drop: Number(which) } });
  }
  const { trigger } = input.settings;
  return refuse(
    'queue: neither list nor drop',
    `Write \`${trigger} queue\` to see what waits, \`${trigger} queue drop 2\` or \`${trigger} queue drop all\` to take it back. To change a waiting message, edit its post.`,
  );
}

export function parseModelChange(input: CommandInput): Parsed<CommandRoute> {
  if (input.rest === '') return accept({ to: 'session', command: { type: 'COMMAND.MODEL', model: '' } });
  const model = checkModel(input.rest, `${input.settings.trigger} model sonnet`);
  return model.ok ? accept({ to: 'session', command: { type: 'COMMAND.MODEL', model: model.value } }) : model;
}

export function parseAudience(input: CommandInput): Parsed<CommandRoute> {
  const word = input.rest.toLowerCase();
  if (word === '' || word === 'everyone' || word === 'mentions') {
    return accept({ to: 'session', command: { type: 'COMMAND.MODE', audience: word === '' ? null : word } });
  }
  const { trigger } = input.settings;
  return refuse(
    'mode: neither everyone nor mentions',
    `Write \`${trigger} mode everyone\` (every message is answered) or \`${trigger} mode mentions\` (only messages that mention \`${trigger}\`). Plan mode is \`${trigger} plan\`, the model \`${trigger} model\`.`,
  );
}

const MAX_LOG_LINES = 200;

export function parseLogs(input: CommandInput): Parsed<CommandRoute> {
  if (input.rest === '') return accept({ to: 'session', command: { type: 'COMMAND.LOGS', lines: 40 } });
  const lines = /^\d{1,4}$/.test(input.rest) ? Number(input.rest) : 0;
  if (lines >= 1 && lines <= MAX_LOG_LINES) return accept({ to: 'session', command: { type: 'COMMAND.LOGS', lines } });
  return refuse(
    'logs: not a number of lines',
    `How many lines? Write \`${input.settings.trigger} logs\` or \`${input.settings.trigger} logs ${MAX_LOG_LINES}\` (from 1 to ${MAX_LOG_LINES}).`,
  );
}

export function parseVerbosity(input: CommandInput): Parsed<CommandRoute> {
  const word = input.rest.toLowerCase();
  if (word === '' || word === 'full' || word === 'normal' || word === 'quiet' || word === 'default') {
    const verbosity = word === '' ? null : word === 'default' ? '' : word;
    return input.place === 'thread'
      ? accept({ to: 'session', command: { type: 'COMMAND.VERBOSITY', verbosity } })
      : accept({ to: 'gateway', command: { type: 'COMMAND.CHANNEL_VERBOSITY', verbosity } });
  }
  const { trigger } = input.settings;
  return refuse(
    'verbosity: none of the three',
    `Write \`${trigger} verbosity full\` (every step with its details), \`normal\`, \`quiet\` (answers alone) or \`default\`.`,
  );
}

export function parseRaise(input: CommandInput): Parsed<CommandRoute> {
  const usd = /^\$?\d{1,4}(?:\.\d{1,2})?$/.test(input.rest) ? Number(input.rest.replace('$', '')) : 0;
  if (usd > 0) return accept({ to: 'session', command: { type: 'COMMAND.RAISE', usd } });
  return refuse(
    'raise: not an amount',
    `By how many dollars? Write \`${input.settings.trigger} raise 5\` or \`${input.settings.trigger} raise 2.50\`.`,
  );
}

export function parseNetwork(input: CommandInput): Parsed<CommandRoute> {
  if (input.rest === '') return accept({ to: 'session', command: { type: 'COMMAND.NETWORK', revoke: '' } });
  const [, host] = /^(?:revoke|close)\s+([a-z0-9.-]{1,253})$/.exec(input.rest.toLowerCase()) ?? [];
  if (host !== undefined) return accept({ to: 'session', command: { type: 'COMMAND.NETWORK', revoke: host } });
  const { trigger } = input.settings;
  return refuse(
    'network: neither a list nor a host to revoke',
    `Write \`${trigger} network\` or \`${trigger} network revoke pypi.org\`.`,
  );
}

export function parseMember(
  input: CommandInput,
  word: string,
  type: 'COMMAND.INVITE' | 'COMMAND.KICK',
): Parsed<CommandRoute> {
  const name = input.rest.replace(/^@/, '').toLowerCase();
  if (/^[a-z0-9][a-z0-9._-]{0,63}$/.test(name)) return accept({ to: 'session', command: { type, who: name } });
  return refuse(
    `${word}: not one user name`,
    `Whom? Write \`${input.settings.trigger} ${word} @name\`, one person at a time.`,
  );
}
