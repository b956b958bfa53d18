/** What people write in a thread, and what their words decide. */
import type { Mutant } from './mutant.ts';

const INGRESS = 'tests/flows/ingress.test.ts';
const ANSWERS = 'tests/chat/answers.test.ts';
const BREAKER = 'src/flows/loopBreaker.ts';

export const THREAD: readonly Mutant[] = [
  {
    of: 'RT-6',
    name: 'answers every refusal',
    wrong: 'a bot is answered like anybody else',
    test: INGRESS,
    file: 'src/chat/routing.ts',
    find: "if (post.fromBot) return 'post of a bot';",
    replace: '',
  },
  {
    of: 'RT-6',
    name: 'answers every refusal',
    wrong: 'what a post says of being made by a program does not count',
    test: INGRESS,
    file: 'src/flows/ingress.ts',
    find: 'post.automated || isBot',
    replace: 'isBot',
  },
  {
    of: 'RT-6',
    name: 'answers every refusal',
    wrong: 'what the server says of an account does not count',
    test: INGRESS,
    file: 'src/flows/ingress.ts',
    find: 'post.automated || isBot',
    replace: 'post.automated',
  },
  {
    of: 'RT-6',
    name: 'answers every refusal',
    wrong: 'a refusal is no answer that could be answered in turn',
    test: INGRESS,
    file: BREAKER,
    find: "!isRefusal(route) && post.rootId !== '' && now === talk.spokenAt",
    replace: "isRefusal(route) || (post.rootId !== '' && now === talk.spokenAt)",
  },
  {
    of: 'RT-6',
    name: 'answers every refusal',
    wrong: 'the last answer does not say that it is the last',
    test: INGRESS,
    file: BREAKER,
    find: "return closed ? { kind: 'reply', message: tooOften(limit) } : route;",
    replace: 'return route;',
  },
  {
    of: 'RT-6',
    name: 'answers every refusal',
    wrong: 'what was said long ago counts like what is said now',
    test: INGRESS,
    file: BREAKER,
    find: 'talk.posts.filter(({ at }) => at > post.at - WINDOW_MS)',
    replace: 'talk.posts',
  },
  {
    of: 'RT-6',
    name: 'answers every answer',
    wrong: 'only refusals count as answers',
    test: INGRESS,
    file: BREAKER,
    find: "!isRefusal(route) && post.rootId !== '' && now === talk.spokenAt",
    replace: '!isRefusal(route)',
  },
  {
    of: 'RT-6',
    name: 'answers every answer',
    wrong: 'that no more is answered is said each time',
    test: INGRESS,
    file: BREAKER,
    find: "{ kind: 'ignore', reason: 'answered too often in a row' }",
    replace: "{ kind: 'reply', message: tooOften(limit) }",
  },
  {
    of: 'RT-6',
    name: 'answers every answer',
    wrong: 'a program that goes on is answered again after a minute',
    test: INGRESS,
    file: BREAKER,
    find: 'remember(talks, place, { ...talk, posts: [own] });',
    replace: '',
  },
  {
    of: 'RT-9',
    wrong: 'a post that names no root stands in no thread',
    test: INGRESS,
    file: 'src/flows/lookUp.ts',
    find: "post.rootId === '' && settled ? post.id : post.rootId",
    replace: 'post.rootId',
  },
  {
    of: 'RT-9',
    wrong: 'a root that is deleted is the root of no session',
    test: INGRESS,
    file: 'src/flows/ingress.ts',
    find: "findThread(post.rootId === '' ? post.id : post.rootId)",
    replace: 'findThread(post.rootId)',
  },
  {
    of: 'RT-10',
    wrong: 'whatever the server changes counts as an edit',
    test: INGRESS,
    file: 'src/flows/ingress.ts',
    find: 'post.userId === ports.botUserId || post.editAt === 0',
    replace: 'post.userId === ports.botUserId',
  },
  {
    of: 'RT-10',
    wrong: 'an edit that gets a preview afterwards counts twice',
    test: INGRESS,
    file: 'src/flows/ingress.ts',
    find: 'post.editAt}',
    replace: 'post.updateAt}',
  },
  {
    of: 'RT-52',
    wrong: 'a message of files alone is taken for an empty one',
    test: INGRESS,
    file: 'src/chat/routing.ts',
    find: "post.text.trim() === '' && post.fileIds.length === 0",
    replace: "post.text.trim() === ''",
  },
  {
    of: 'RT-52',
    wrong: 'a message without letters and digits is taken for an empty one',
    test: INGRESS,
    file: 'src/chat/routing.ts',
    find: "post.text.trim() === '' && post.fileIds.length === 0",
    replace: '!/[\\p{L}\\p{N}]/u.test(post.text) && post.fileIds.length === 0',
  },
  {
    of: 'RT-27',
    wrong: 'a message without words is an answer',
    test: ANSWERS,
    file: 'src/chat/answers.ts',
    find: "if (text.trim() === '') return undefined;",
    replace: '',
  },
  {
    of: 'RT-27',
    wrong: 'white space is an answer',
    test: ANSWERS,
    file: 'src/chat/answers.ts',
    find: "if (text.trim() === '') return undefined;",
    replace: "if (text === '') return undefined;",
  },
  {
    of: 'RT-28',
    wrong: 'whatever begins like a yes is one',
    test: ANSWERS,
    file: 'src/chat/answers.ts',
    find: 'if (YES.includes(word)) return { action',
    replace: 'if (YES.some((yes) => word.startsWith(yes))) return { action',
  },
  {
    of: 'RT-28',
    wrong: 'whatever begins like a no is one',
    test: ANSWERS,
    file: 'src/chat/answers.ts',
    find: 'if (NO.includes(word)) return { action',
    replace: 'if (NO.some((no) => word.startsWith(no))) return { action',
  },
  {
    of: 'RT-28',
    wrong: 'a no in passing is a decision with what follows as its reason',
    test: ANSWERS,
    file: 'src/chat/answers.ts',
    find: '|no\\s*:)',
    replace: '|no\\s*[:,])',
  },
  {
    of: 'RT-28',
    wrong: 'what goes on after a yes and its reach is not looked at',
    test: ANSWERS,
    file: 'src/chat/answers.ts',
    find: '(?:this |the )?session$`',
    replace: '(?:this |the )?session`',
  },
  {
    of: 'RT-28',
    wrong: 'a decision in capital letters is taken for chat',
    test: ANSWERS,
    file: 'src/chat/answers.ts',
    find: '    .toLowerCase()\n',
    replace: '',
  },
  {
    of: 'RT-51',
    wrong: 'a long thread is read from its beginning',
    test: 'tests/flows/history.test.ts',
    file: 'src/adapters/mattermost/rest.ts',
    find: "direction: 'up', fromPost: id, fromCreateAt: createAt",
    replace: "direction: 'down'",
  },
  {
    of: 'RT-51',
    wrong: 'a long thread is read to its beginning, page by page',
    test: 'tests/flows/history.test.ts',
    file: 'src/flows/history.ts',
    find: `  const page = await posting.call('question', () =>
    rest.threadBefore(askedIn.rootId, { id: askedBy, createAt: createdAt }),
  );`,
    replace: `  const before = (post: Pick<ChatPost, 'id' | 'createAt'>) =>
    posting.call('question', () => rest.threadBefore(askedIn.rootId, post));
  let page = await before({ id: askedBy, createAt: createdAt });
  for (let oldest = page.posts[1]; page.hasNext && oldest; ) {
    const older = await before(oldest);
    page = { ...older, posts: [...older.posts, ...page.posts] };
    oldest = older.posts[1];
  }`,
  },
  {
    of: 'RT-51',
    wrong: 'who the speakers are is asked for one by one',
    test: 'tests/flows/history.test.ts',
    file: 'src/flows/history.ts',
    find: "await posting.call('question', () => rest.usersByIds(ids));",
    replace: "(await Promise.all(ids.map((id) => posting.call('question', () => rest.usersByIds([id]))))).flat();",
  },
  {
    of: 'RT-51',
    wrong: 'of what is too much to be quoted the beginning is given',
    test: 'tests/chat/history.test.ts',
    file: 'src/chat/history.ts',
    find: `said.toReversed()) {
    const block = quoted(speech);
    room -= [...block].length;
    if (room < 0 && blocks.length > 0) break;
    blocks.unshift(block);`,
    replace: `said) {
    const block = quoted(speech);
    room -= [...block].length;
    if (room < 0 && blocks.length > 0) break;
    blocks.push(block);`,
  },
];
