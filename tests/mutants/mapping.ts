/** What the messages of the agent mean. */
import type { Mutant } from './mutant.ts';

const RECORDINGS = 'agent-worker/tests/mapping/recordings.test.ts';
const SYSTEM = 'agent-worker/src/mapping/system.ts';
const MAPPER = 'agent-worker/src/mapping/mapper.ts';
const TURN = 'agent-worker/src/mapping/turn.ts';
const TEXT = 'agent-worker/src/mapping/text.ts';
const FAILED = { of: 'RT-43', test: RECORDINGS, name: 'a failed compaction' } as const;
const BY_ITSELF = { of: 'RT-43', test: RECORDINGS, name: 'a compaction by itself' } as const;
const CONTEXT = { of: 'RT-44', test: RECORDINGS } as const;
const NEWER = { of: 'RT-45', test: 'agent-worker/tests/mapping/invariants.test.ts' } as const;

export const MAPPING: readonly Mutant[] = [
  {
    ...FAILED,
    wrong: 'a failed compaction is told twice',
    file: MAPPER,
    find: '  if (state.turn?.compactionReported) return [];\n',
    replace: '',
  },
  {
    ...FAILED,
    wrong: 'a failed compaction is told without its reason',
    file: SYSTEM,
    find: 'compactionFailed(state, text(message.compact_error), automatic)',
    replace: "compactionFailed(state, '', automatic)",
  },
  {
    ...FAILED,
    wrong: 'a compaction has failed only where the agent calls it an error',
    file: MAPPER,
    find: "if (command !== 'compact') return",
    replace: "if (command !== 'compact' || message.is_error !== true) return",
  },
  {
    ...FAILED,
    wrong: 'a result that does not say why it ended ends no turn',
    file: TURN,
    find: '  const outputs = withdrawDangling(state);\n  const uuids',
    replace:
      "  if (text(message.terminal_reason) === '') return [];\n  const outputs = withdrawDangling(state);\n  const uuids",
  },
  {
    ...BY_ITSELF,
    wrong: 'every compaction begins a turn of its own',
    file: SYSTEM,
    find: 'const automatic = state.turn !== undefined;',
    replace: 'const automatic = false;',
  },
  {
    ...BY_ITSELF,
    wrong: 'a compaction ends the turn it happens in',
    file: MAPPER,
    find: 'return mapCompactBoundary(state, message);',
    replace:
      'return [...mapCompactBoundary(state, message), ...endTurn(state, { ...NO_ENDING, outcome: TurnOutcome.COMPLETED })];',
  },
  {
    ...BY_ITSELF,
    wrong: 'a compaction by itself looks like one that somebody asked for',
    file: SYSTEM,
    find: "automatic: metadata.trigger === 'auto'",
    replace: 'automatic: false',
  },
  {
    ...CONTEXT,
    wrong: 'the context is the sum of all calls',
    file: TEXT,
    find: 'state.contextTokens = tokens;',
    replace: 'state.contextTokens += tokens;',
  },
  {
    ...CONTEXT,
    wrong: 'the context is all that the turn has read',
    file: TURN,
    find: 'contextTokens: state.contextTokens,',
    replace: `contextTokens: ending.usage
        ? ending.usage.inputTokens + ending.usage.cacheReadTokens + ending.usage.cacheWriteTokens
        : state.contextTokens,`,
  },
  {
    ...CONTEXT,
    wrong: 'what was read from the cache does not count',
    file: TEXT,
    find: 'count(usage.cache_read_input_tokens) +',
    replace: '',
  },
  {
    ...CONTEXT,
    wrong: 'what was put into the cache does not count',
    file: TEXT,
    find: 'count(usage.cache_creation_input_tokens) +',
    replace: '',
  },
  {
    ...CONTEXT,
    wrong: 'the calls of subagents count as those of the main thread',
    file: MAPPER,
    find: "text(message.parent_tool_use_id) === '' && state.stream === undefined",
    replace: 'state.stream === undefined',
  },
  {
    ...NEWER,
    wrong: 'a message of an unknown kind ends the turn',
    file: MAPPER,
    find: '[unrecognised(raw)]',
    replace: "[...endTurn(state, lostEnding('The agent said something unknown.')), unrecognised(raw)]",
  },
  {
    ...NEWER,
    wrong: 'a message of an unknown kind is passed over in silence',
    file: MAPPER,
    find: 'SILENT_TYPES.has(type) ? [] : [unrecognised(raw)]',
    replace: '[]',
  },
  {
    ...NEWER,
    wrong: 'an unknown message about the agent itself is passed over in silence',
    file: MAPPER,
    find: 'SILENT_SYSTEM.has(subtype) ? [] : [unrecognised(message)]',
    replace: '[]',
  },
  {
    ...NEWER,
    wrong: 'whatever comes in the name of the user is the result of a tool',
    file: MAPPER,
    find: "    .filter((block) => block.type === 'tool_result')\n",
    replace: '',
  },
  {
    ...NEWER,
    wrong: 'every status but none is a compaction',
    file: SYSTEM,
    find: "message.status === 'compacting'",
    replace: "text(message.status) !== ''",
  },
];
