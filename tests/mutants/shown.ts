/** What people are shown. */
import type { Mutant } from './mutant.ts';

const ANSWER = 'tests/chat/answer.test.ts';
const SPLIT = 'src/chat/render/split.ts';
const FENCES = 'src/chat/render/fences.ts';
const VIEW = { test: 'tests/flows/threadView.test.ts', file: 'src/flows/threadView.ts' };
const FAILS = 'tests/flows/chatFails.test.ts';
const UNDELIVERED = { test: 'tests/machines/sessionUndelivered.test.ts', file: 'src/machines/session/undelivered.ts' };
const TASKS = 'tests/flows/posting.test.ts';

export const SHOWN: readonly Mutant[] = [
  {
    of: 'RT-8',
    wrong: 'a post that failed once is given up',
    test: FAILS,
    file: 'src/flows/threadView.ts',
    find: 'if (!isUnpostable(error)) throw error;',
    replace: 'if (!isUnpostable(error)) return;',
  },
  {
    of: 'RT-8',
    wrong: 'what comes after a post that failed is posted before it',
    test: FAILS,
    file: 'src/flows/threadView.ts',
    find: '  for (const post of desired) {\n    if (isOver()) return;',
    replace:
      '  const all = [...desired].sort(() => (state.failures > 0 ? -1 : 1));\n  for (const post of all) {\n    if (isOver()) return;',
  },
  {
    of: 'RT-14',
    wrong: 'a fence that reaches over a cut is not closed',
    test: ANSWER,
    file: SPLIT,
    find: "const after = piece.closes === null ? '' :",
    replace: "const after = piece.closes !== undefined ? '' :",
  },
  {
    of: 'RT-14',
    wrong: 'a fence is opened again without its language',
    test: ANSWER,
    file: SPLIT,
    find: '`${piece.opens.marker}${piece.opens.info}\\n`',
    replace: '`${piece.opens.marker}\\n`',
  },
  {
    of: 'RT-14',
    wrong: 'any fence closes any other',
    test: ANSWER,
    file: FENCES,
    find: 'closing[0] === open.marker[0] && closing.length >= open.marker.length',
    replace: 'closing.length > 0',
  },
  {
    of: 'RT-14',
    wrong: 'lengths are counted before what makes mentions harmless is added',
    test: ANSWER,
    file: SPLIT,
    find: '    weight += weightOf(point, text[offset + point.length]);\n    if (weight > limit',
    replace: '    weight += 1;\n    if (weight > limit',
  },
  {
    of: 'RT-15',
    wrong: 'a cut falls where the room ends',
    test: ANSWER,
    file: SPLIT,
    find: 'atSpace?.at ?? graphemeBefore(text, end, Math.max(earliest, lineStart))',
    replace: 'atSpace?.at ?? end',
  },
  {
    of: 'RT-15',
    wrong: 'lengths are counted in halves of characters',
    test: ANSWER,
    file: SPLIT,
    find: 'const point = String.fromCodePoint(text.codePointAt(offset) ?? 0);\n    weight',
    replace: "const point = text[offset] ?? '';\n    weight",
  },
  {
    of: 'RT-16',
    name: 'words of the agent that the chat refuses',
    ...VIEW,
    wrong: 'the agent does not hear that nobody could read it',
    find: "if (post.final && !post.key.startsWith('note/')) {",
    replace: 'if (post.key === session) {',
  },
  {
    of: 'RT-16',
    name: 'words of the agent that the chat refuses',
    ...VIEW,
    wrong: 'the agent is told of what the session itself could not say',
    find: "if (post.final && !post.key.startsWith('note/')) {",
    replace: 'if (post.final) {',
  },
  {
    of: 'RT-16',
    name: 'what the chat refuses to post is said',
    ...VIEW,
    wrong: 'what the chat refuses is tried for ever',
    find: 'if (!isUnpostable(error)) throw error;',
    replace: 'throw error;',
  },
  {
    of: 'RT-16',
    name: 'what the chat refuses to post is said',
    ...VIEW,
    wrong: 'what the chat refuses is left out without a word',
    find: 'await show(round, { ...words, message: instead(error), final: true }, latest);',
    replace: '',
  },
  {
    of: 'RT-16',
    ...UNDELIVERED,
    wrong: 'the agent is not told what people did not get',
    find: "if (posts.length === 0) return '';",
    replace: "if (posts.length >= 0) return '';",
  },
  {
    of: 'RT-16',
    test: UNDELIVERED.test,
    wrong: 'the agent is told of it with every message',
    file: 'src/machines/session/changes.ts',
    find: "...(next.sent || next.text.startsWith('/') ? {} : { undelivered: [] }),",
    replace: '',
  },
  {
    of: 'RT-17',
    ...VIEW,
    wrong: 'a post that is gone is edited for ever',
    find: 'if (!row?.postId || !isGone(error)) throw error;',
    replace: 'throw error;',
  },
  {
    of: 'RT-17',
    ...VIEW,
    wrong: 'what a post said that is gone is said no more',
    find: "    rows.set(key, { ...row, state: 'gone' });\n    await show(round, post, latest);",
    replace: "    rows.set(key, { ...row, state: 'gone' });",
  },
  {
    of: 'RT-18',
    wrong: 'an attempt whose answer was lost is made again as a new post',
    test: TASKS,
    file: 'src/adapters/mattermost/ensurePost.ts',
    find: 'pendingPostId: pendingPostId(epoch === 0 ? key : `${key}\\0${epoch}`, ports.secret),',
    replace: 'pendingPostId: pendingPostId(`${key}\\0${performance.now()}`, ports.secret),',
  },
  {
    of: 'RT-18',
    wrong: 'each change of the list is a post of its own',
    test: TASKS,
    file: 'src/flows/threadView.ts',
    find: 'const { key, row } = place(rows, postKey(session, post.key), hash);',
    replace: "const { key, row } = place(rows, `${postKey(session, post.key)}/${post.final ? '' : hash}`, hash);",
  },
  {
    of: 'RT-44',
    wrong: 'what was read from a cache does not count',
    test: 'tests/chat/render.test.ts',
    file: 'src/chat/render/ending.ts',
    find: '(usage.inputTokens ?? 0) + (usage.cacheReadTokens ?? 0) + (usage.cacheWriteTokens ?? 0)',
    replace: '(usage.inputTokens ?? 0)',
  },
  {
    of: 'RT-44',
    wrong: 'the context is the sum of all calls',
    test: 'tests/chat/render.test.ts',
    file: 'src/chat/render/ending.ts',
    find: 'const { contextTokens = 0, contextWindow = 0 } = ended;',
    replace:
      'const { contextWindow = 0 } = ended;\n    const contextTokens = (usage?.inputTokens ?? 0) + (usage?.cacheReadTokens ?? 0) + (usage?.cacheWriteTokens ?? 0);',
  },
];
