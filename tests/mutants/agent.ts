/** The worker: what the agent is given, told and asked. */
import type { Mutant } from './mutant.ts';

const QUESTION = { of: 'RT-27', test: 'agent-worker/tests/agent/permissions.test.ts' } as const;
const APPROVALS = 'agent-worker/src/session/approvals.ts';
const PERMISSIONS = 'agent-worker/src/session/permissions.ts';
const SESSION = 'agent-worker/src/session/session.ts';
const CONVERSATION = { of: 'RT-46', test: 'agent-worker/tests/agent/conversation.test.ts' } as const;
const NAMED = { ...CONVERSATION, name: 'the named turn only' } as const;
const FIRST_WORD = { ...CONVERSATION, name: 'before the first word' } as const;
const FILES = {
  test: 'agent-worker/tests/session/attachments.test.ts',
  file: 'agent-worker/src/session/prompt.ts',
} as const;
const SAME_NAME = { ...FILES, of: 'RT-48' } as const;
const ELSEWHERE = { ...FILES, of: 'RT-49', name: 'no name leads elsewhere' } as const;
const LINK = { ...FILES, of: 'RT-49', name: 'a link that lies in the way' } as const;

export const AGENT: readonly Mutant[] = [
  {
    ...QUESTION,
    wrong: 'what the policy allows needs no person, not even a question',
    file: PERMISSIONS,
    find: '    const verdict = await context.approvals.ask({',
    replace: `    const allowed = decideTool(context.policy(), toolName, input, context.cwd).verdict === 'allow';
    if (allowed) return { behavior: 'allow', updatedInput: input };
    const verdict = await context.approvals.ask({`,
  },
  {
    ...QUESTION,
    wrong: 'a yes without any answer is an answer',
    file: APPROVALS,
    find: "Object.values(answers).every((answer) => answer.trim() === '')",
    replace: "Object.values(answers).some((answer) => answer.trim() === '')",
  },
  {
    ...QUESTION,
    wrong: 'empty words are an answer',
    file: APPROVALS,
    find: "Object.values(answers).every((answer) => answer.trim() === '')",
    replace: 'Object.values(answers).length === 0',
  },
  {
    ...QUESTION,
    wrong: 'blanks are an answer',
    file: APPROVALS,
    find: "answer.trim() === ''",
    replace: "answer === ''",
  },
  {
    ...QUESTION,
    wrong: 'a question is over when the connection that brought it is',
    file: SESSION,
    find: '        link = undefined;\n        orphanSince = Date.now();',
    replace:
      '        link = undefined;\n        orphanSince = Date.now();\n        approvals.withdraw(() => true, WithdrawalReason.TURN_ENDED);',
  },
  {
    ...QUESTION,
    wrong: 'the agent hears that its question was answered, but not what the answer is',
    file: PERMISSIONS,
    find: 'answers: { ...before, ...verdict.answers }',
    replace: 'answers: before',
  },
  {
    ...NAMED,
    wrong: 'an interrupt ends whatever turn runs',
    file: 'agent-worker/src/session/requests.ts',
    find: 'session.mapper.turn.id === interrupt.turnId',
    replace: "interrupt.turnId !== ''",
  },
  {
    ...NAMED,
    wrong: 'an interrupt is accepted and dropped',
    file: 'agent-worker/src/session/agent.ts',
    find: 'await running.interrupt();',
    replace: '',
  },
  {
    ...NAMED,
    wrong: 'an interrupt closes the session',
    file: 'agent-worker/src/session/requests.ts',
    find: 'guard(session.agent()?.interrupt(), logger)',
    replace: 'guard(session.closeSession(CloseReason.REQUESTED), logger)',
  },
  {
    ...NAMED,
    wrong: 'a turn that was interrupted has failed',
    file: 'agent-worker/src/mapping/turn.ts',
    find: "text(message.terminal_reason).startsWith('aborted') ? TurnOutcome.INTERRUPTED : TurnOutcome.FAILED",
    replace: 'TurnOutcome.FAILED',
  },
  {
    ...FIRST_WORD,
    wrong: 'an interrupt is accepted and dropped',
    file: 'agent-worker/src/session/agent.ts',
    find: 'await running.interrupt();',
    replace: '',
  },
  {
    ...FIRST_WORD,
    wrong: 'a message whose turn was interrupted is given to the agent again',
    file: SESSION,
    find: 'for (const uuid of given.keys()) if (!mapper.pushes.has(uuid)) given.delete(uuid);',
    replace: `for (const [uuid, message] of given) {
          if (mapper.pushes.has(uuid)) continue;
          given.delete(uuid);
          const [inputId = ''] = output.value.inputIds;
          const again = { inputId, command: undefined, content: message.message.content };
          if (outcome === TurnOutcome.INTERRUPTED) waiting.unshift(again);
        }`,
  },
  {
    ...SAME_NAME,
    wrong: 'files of one name overwrite each other',
    find: 'taken.add(free.toLowerCase());',
    replace: '',
  },
  {
    ...SAME_NAME,
    wrong: 'names that differ in case only count as different',
    find: 'taken.has(free.toLowerCase())',
    replace: 'taken.has(free)',
  },
  {
    ...SAME_NAME,
    wrong: 'the name that was made for a copy counts as free',
    find: 'taken.add(free.toLowerCase());',
    replace: 'taken.add(own.toLowerCase());',
  },
  {
    ...SAME_NAME,
    wrong: 'the number of a copy hides what kind of file it is',
    find: `\`\${own.slice(0, own.length - ending.length)}-\${copy}\${ending}\``,
    replace: `\`\${own}-\${copy}\``,
  },
  {
    ...ELSEWHERE,
    wrong: 'a name with slashes is a path, unless it ends in two dots',
    find: "basename(name).replace(/[^\\p{L}\\p{N}._ -]/gu, '_')",
    replace: "(basename(name) === '..' ? '' : name).replace(/[^\\p{L}\\p{N}._ /-]/gu, '_')",
  },
  {
    ...ELSEWHERE,
    wrong: 'two dots are a name like any other',
    find: '/^\\.*$/.test(stem)',
    replace: "stem === ''",
  },
  {
    ...ELSEWHERE,
    wrong: 'a name may hold marks that turn the direction of writing around',
    find: '/[^\\p{L}\\p{N}._ -]/gu',
    replace: '/[^\\p{L}\\p{N}\\p{Cf}._ -]/gu',
  },
  {
    ...ELSEWHERE,
    wrong: 'a name may hold control characters',
    find: '/[^\\p{L}\\p{N}._ -]/gu',
    replace: '/[?*:<>|"]/gu',
  },
  {
    ...ELSEWHERE,
    wrong: 'a name may go on in the next line',
    find: '/[^\\p{L}\\p{N}._ -]/gu',
    replace: '/[^\\p{L}\\p{N}._\\s-]/gu',
  },
  {
    ...LINK,
    wrong: 'what lies in the way is written through',
    find: `rmSync(path, { recursive: true, force: true });
    writeFileSync(path, attachment.content, { mode: 0o600, flag: 'wx' });`,
    replace: 'writeFileSync(path, attachment.content, { mode: 0o600 });',
  },
  {
    ...LINK,
    wrong: 'what lies in the way is not replaced',
    find: 'rmSync(path, { recursive: true, force: true });',
    replace: '',
  },
];
