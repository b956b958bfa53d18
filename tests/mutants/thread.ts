/** What people write. */
import type { Mutant } from './mutant.ts';

const TEST = 'tests/flows/ingress.test.ts';
const INGRESS = 'src/flows/ingress.ts';
const LOOP_BREAKER = 'src/flows/loopBreaker.ts';
const ANSWERS = { test: 'tests/chat/answers.test.ts', file: 'src/chat/answers.ts' };

export const THREAD: readonly Mutant[] = [
  {
    of: 'RT-6',
    name: 'a bot that answers every refusal',
    wrong: 'who says by a post that it is automated is answered',
    test: TEST,
    file: INGRESS,
    find: 'fromBot: post.automated || isBot,',
    replace: 'fromBot: isBot,',
  },
  {
    of: 'RT-6',
    name: 'a bot that answers every refusal',
    wrong: 'refusals at top level are given without end',
    test: TEST,
    file: LOOP_BREAKER,
    find: "if (!isRefusal(route) && post.rootId !== '' && now === talk.spokenAt) return route;",
    replace: 'if (now === talk.spokenAt) return route;',
  },
  {
    of: 'RT-6',
    name: 'a program that answers every answer',
    wrong: 'answers are not counted',
    test: TEST,
    file: INGRESS,
    find: 'const routed = loopBreaker.pass(incoming, route(incoming, known));',
    replace: 'const routed = route(incoming, known);',
  },
  {
    of: 'RT-6',
    name: 'a program that answers every answer',
    wrong: 'a loop that goes on is answered again after a minute',
    test: TEST,
    file: LOOP_BREAKER,
    find: 'remember(talks, place, { ...talk, posts: [own] });',
    replace: '',
  },
  {
    of: 'RT-9',
    wrong: 'the root of a thread belongs to no thread',
    test: TEST,
    file: 'src/flows/lookUp.ts',
    find: "post.rootId === '' && settled ? post.id : post.rootId",
    replace: 'post.rootId',
  },
  {
    of: 'RT-9',
    wrong: 'a thread whose root is deleted goes on',
    test: TEST,
    file: INGRESS,
    find: "findThread(post.rootId === '' ? post.id : post.rootId)",
    replace: 'findThread(post.rootId)',
  },
  {
    of: 'RT-10',
    wrong: 'whatever the server changes counts as an edit',
    test: TEST,
    file: INGRESS,
    find: 'post.userId === ports.botUserId || post.editAt === 0',
    replace: 'post.userId === ports.botUserId',
  },
  {
    of: 'RT-10',
    wrong: 'an edit is known by when the server last changed the post',
    test: TEST,
    file: INGRESS,
    find: '`edit/${post.id}/${post.editAt}`',
    replace: '`edit/${post.id}/${post.updateAt}`',
  },
  {
    of: 'RT-52',
    wrong: 'a message without words is an empty one',
    test: TEST,
    file: 'src/chat/routing.ts',
    find: 'const unfit = notAPerson(post, known);\n  if (unfit !== null) return ignore(unfit);\n  const read = readPost(post.text,',
    replace:
      "const unfit = notAPerson(post, known);\n  if (unfit !== null || !/[a-z]/i.test(post.text)) return ignore(unfit ?? 'empty');\n  const read = readPost(post.text,",
  },
  {
    of: 'RT-27',
    ...ANSWERS,
    wrong: 'an empty answer is an answer',
    find: "if (text.trim() === '') return undefined;",
    replace: '',
  },
  {
    of: 'RT-28',
    ...ANSWERS,
    wrong: 'what begins with yes is a yes',
    find: "if (YES.includes(word)) return { action: 'approve' };",
    replace: "if (YES.some((yes) => word.startsWith(yes))) return { action: 'approve' };",
  },
  {
    of: 'RT-28',
    ...ANSWERS,
    wrong: 'what begins with no is a no',
    find: "if (NO.includes(word)) return { action: 'deny' };",
    replace: "if (NO.some((no) => word.startsWith(no))) return { action: 'deny' };",
  },
  {
    of: 'RT-51',
    wrong: 'the oldest posts of a thread are read',
    test: 'tests/flows/history.test.ts',
    file: 'src/adapters/mattermost/rest.ts',
    find: "{ perPage: PAGE_SIZE, direction: 'up', fromPost: id, fromCreateAt: createAt }",
    replace: "{ perPage: PAGE_SIZE, direction: 'down' }",
  },
  {
    of: 'RT-51',
    wrong: 'a thread is read whole',
    test: 'tests/flows/history.test.ts',
    file: 'src/flows/history.ts',
    find: 'rest.threadBefore(askedIn.rootId, { id: askedBy, createAt: createdAt }),',
    replace:
      'rest.threadBefore(askedIn.rootId, { id: askedBy, createAt: createdAt }).then(async (last) => { let all = last; while (all.hasNext) { const [, oldest] = all.posts; if (!oldest) break; const more = await rest.threadBefore(askedIn.rootId, oldest); all = { ...more, posts: [...more.posts, ...all.posts] }; } return all; }),',
  },
];
