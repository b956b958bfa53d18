/** How a session deals with its agent: the chart, with no agent and no clock. */
import type { Mutant } from './mutant.ts';

const CHART = 'tests/machines/session.test.ts';
const NEVER_BY_ITSELF = { of: 'RT-43', test: CHART, name: 'never by the gateway' } as const;
const FAILED_COMPACTION = { of: 'RT-43', test: CHART, name: 'a compaction that fails' } as const;
const CONVERSATION = { of: 'RT-46', test: CHART, file: 'src/machines/session/conversation.ts' } as const;
const INTERRUPT = { ...CONVERSATION, name: 'an interrupt is never dropped' } as const;
const SLOW = { ...CONVERSATION, name: 'slow to say its first word' } as const;
const QUEUE = { of: 'RT-47', test: CHART, file: 'src/machines/session/changes.ts' } as const;

export const SESSION: readonly Mutant[] = [
  {
    ...NEVER_BY_ITSELF,
    wrong: 'after every turn with a full context the gateway has it compacted',
    file: 'src/machines/session/requests/answers.ts',
    find: "  if (event.type !== 'TURN.ENDED' || context.titleFor",
    replace: `  if (event.type === 'TURN.ENDED' && event.contextTokens > 0.9 * event.contextWindow) {
    const params = { session: context.address, inputId: event.turnId, hint: '', author: context.request.owner };
    return [{ kind: 'worker.compact', params }];
  }
  if (event.type !== 'TURN.ENDED' || context.titleFor`,
  },
  {
    ...NEVER_BY_ITSELF,
    wrong: 'the gateway has a compaction that failed done again',
    file: 'src/machines/session/notes.ts',
    find: `sayCompacted({ event }: Args): Effect[] {
  if (event.type !== 'COMPACTED') return [];`,
    replace: `sayCompacted({ context, event }: Args): Effect[] {
  if (event.type !== 'COMPACTED') return [];
  if (!event.ok) {
    const params = { session: context.address, inputId: \`\${event.at}\`, hint: '', author: context.request.owner };
    return [{ kind: 'worker.compact', params }];
  }`,
  },
  {
    ...NEVER_BY_ITSELF,
    wrong: 'a compaction in the middle of a turn ends it',
    file: 'src/machines/session/setup.ts',
    find: "COMPACTED: { actions: ['compacted', 'sayCompacted'] }",
    replace: "COMPACTED: { actions: ['compacted', 'sayCompacted', 'turnGone'] }",
  },
  {
    ...FAILED_COMPACTION,
    wrong: 'only a compaction that worked is said',
    file: 'src/machines/session/notes.ts',
    find: "if (event.type !== 'COMPACTED') return [];",
    replace: "if (event.type !== 'COMPACTED' || !event.ok) return [];",
  },
  {
    ...FAILED_COMPACTION,
    wrong: 'a compaction that failed is said without its reason',
    file: 'src/machines/session/notes.ts',
    find: `\`The context could not be compacted: \${event.error}\``,
    replace: "'The context could not be compacted.'",
  },
  {
    ...FAILED_COMPACTION,
    wrong: 'only a compaction that worked is ever over',
    file: 'src/machines/session/conversation.ts',
    find: `    compacting: {
      tags: 'busy',
      always: { guard: not('goesOn'), target: 'idle' },`,
    replace: `    compacting: {
      tags: 'busy',
      always: { guard: ({ event }) => event.type === 'COMPACTED' && event.ok, target: 'idle' },`,
  },
  {
    ...INTERRUPT,
    wrong: 'an interrupt before the turn has begun is dropped',
    find: "{ actions: 'sayNotBegun' },",
    replace: '{},',
  },
  {
    ...INTERRUPT,
    wrong: 'a second interrupt is dropped while the first one is under way',
    find: "'COMMAND.INTERRUPT': { target: 'interrupting', reenter: true, actions: 'interruptTurn' }",
    replace: "'COMMAND.INTERRUPT': {}",
  },
  {
    ...INTERRUPT,
    wrong: 'an agent that does not react to an interrupt is not told of',
    find: "{ target: 'thinking', actions: 'sayInterruptIgnored' }",
    replace: "{ target: 'thinking' }",
  },
  {
    ...INTERRUPT,
    wrong: 'an interrupt that did not reach the agent is not told of',
    find: "{ target: 'thinking', actions: 'sayRefused' }",
    replace: "{ target: 'thinking' }",
  },
  {
    ...INTERRUPT,
    wrong: 'an interrupt where nothing runs is dropped',
    file: 'src/machines/session.ts',
    find: "'COMMAND.INTERRUPT': { actions: 'sayNothingRuns' }",
    replace: "'COMMAND.INTERRUPT': {}",
  },
  {
    ...SLOW,
    wrong: 'an agent that is silent for long is interrupted',
    file: 'src/machines/session/regions.ts',
    find: "entry: ['recordQuiet', 'sayQuiet'],",
    replace: "entry: ['recordQuiet', 'sayQuiet', 'interruptTurn'],",
  },
  {
    ...SLOW,
    wrong: 'a message with which the agent does not begin within a minute is sent again',
    find: "guard: 'isInDoubt', actions: ['unmarkSent', 'sayInDoubt', 'dropSent']",
    replace: "guard: not('turnRuns'), actions: ['sendNext', 'recordSent']",
  },
  {
    ...SLOW,
    wrong: 'a message with which the agent does not begin within a minute is given up',
    file: 'src/machines/session/setup.ts',
    find: 'turn === null && sent?.again === true && sent.taken',
    replace: 'turn === null && sent?.taken === true',
  },
  {
    ...QUEUE,
    wrong: 'the newest message is answered first',
    find: '{ queue: [...context.queue, prompt], usage, activeAt: event.at }',
    replace: '{ queue: [prompt, ...context.queue], usage, activeAt: event.at }',
  },
  {
    ...QUEUE,
    wrong: 'what is changed in a message that waits is not taken up',
    file: 'src/machines/session.ts',
    find: "'POST.EDITED': { actions: 'editQueued' }",
    replace: "'POST.EDITED': {}",
  },
  {
    ...QUEUE,
    wrong: 'a message that was deleted runs all the same',
    file: 'src/machines/session.ts',
    find: "'POST.DELETED': { actions: ['unmarkDropped', 'dropQueued'] }",
    replace: "'POST.DELETED': { actions: ['unmarkDropped'] }",
  },
  {
    ...QUEUE,
    wrong: 'the number of a message that is taken back counts what was handed over already',
    find: 'return queue.filter((prompt) => !prompt.sent)',
    replace: 'return queue',
  },
  {
    ...QUEUE,
    wrong: 'what a working agent was handed is handed over again when the connection comes back',
    find: "event.agentState !== 'running' && context.sent?.kind === 'prompt'",
    replace: "context.sent?.kind === 'prompt'",
  },
];
