/** What only shows where gateway, database, worker and chat work together. */
import type { Mutant } from './mutant.ts';

const OUTAGE = 'tests/crash/outage.test.ts';
const ANSWERS = 'tests/crash/answers.test.ts';
const THOUSAND = 'tests/crash/thousandPosts.test.ts';
const MEMORY = 'tests/e2e/memory.test.ts';
const FILES = 'tests/e2e/files.test.ts';

const STREAM = 'src/adapters/mattermost/stream.ts';
const SEND_FILE = 'agent-worker/src/openBelow.ts';
const PROMPT = 'agent-worker/src/session/prompt.ts';
const INGRESS = 'src/flows/ingress.ts';

/** Every reading of a post is a post. */
const UNKNOWN_POSTS = {
  file: INGRESS,
  find: 'routed.event, `post/${post.id}`))',
  replace: 'routed.event, `post/${post.id}/${performance.now()}`))',
};

export const WHOLE: readonly Mutant[] = [
  {
    of: 'RT-2',
    wrong: 'a stream that begins anew counts as whole',
    test: OUTAGE,
    name: '2-minute',
    file: STREAM,
    find: "begun ? 'newConnection' : 'start'",
    replace: "begun ? undefined : 'start'",
  },
  {
    of: 'RT-2',
    wrong: 'every connection begins a stream anew, and none of them counts as a gap',
    test: OUTAGE,
    name: 'before the server forgot',
    file: STREAM,
    find: `      connectionId === undefined ? undefined : { connection_id: connectionId, sequence_number: String(next) },
    forget() {
      connectionId = undefined;
    },
    accept(frame) {
      switch (frame.kind) {
        case 'hello': {
          const reason = begun ? 'newConnection' : 'start';`,
    replace: `      undefined,
    forget() {
      connectionId = undefined;
    },
    accept(frame) {
      switch (frame.kind) {
        case 'hello': {
          const reason = begun ? undefined : 'start';`,
  },
  { of: 'RT-3', wrong: 'a post that comes again is a new one', test: 'tests/crash/replay.test.ts', ...UNKNOWN_POSTS },
  {
    of: 'RT-5',
    wrong: 'whoever asks for the lead has it',
    test: 'tests/crash/twoReplicas.test.ts',
    file: 'src/adapters/postgres/sql/lease.ts',
    find: 'pg_try_advisory_lock(${LOCK_CLASS}, ${LEADER_LOCK}) end',
    replace: 'true end',
  },
  { of: 'RT-7', wrong: 'a post that comes again is a new one', test: THOUSAND, ...UNKNOWN_POSTS },
  {
    of: 'RT-7',
    wrong: 'after a cut connection nothing is read up',
    test: THOUSAND,
    file: 'src/lead.ts',
    find: 'onGap: readUp,',
    replace: "onGap: (reason) => reason === 'start' && readUp(reason),",
  },
  {
    of: 'RT-8',
    wrong: 'an error of the server is taken for its last word',
    test: ANSWERS,
    file: 'src/adapters/mattermost/errors.ts',
    find: "make('CHAT_SERVER', true,",
    replace: "make('CHAT_SERVER', false,",
  },
  {
    of: 'RT-11',
    wrong: 'whoever comes first goes first',
    test: 'tests/crash/manyStreams.test.ts',
    file: 'src/flows/rateGovernor.ts',
    find: 'const queue = queues.get(priority) ?? [];',
    replace: "const queue = queues.get('progress') ?? [];",
  },
  {
    of: 'RT-16',
    wrong: 'people are not told that a file is missing',
    test: MEMORY,
    file: 'src/flows/threadView.ts',
    find: 'return { message: `${message}\\n⚠️ The file is not here. ${escapeMarkdown(attached.problem)}` };',
    replace: 'return { message };',
  },
  {
    of: 'RT-16',
    wrong: 'the agent is not told that its file is missing',
    test: MEMORY,
    file: 'src/flows/threadView.ts',
    find: 'await ports.undelivered({ session, key, what: `the file ${file.path}`, why: attached.problem });',
    replace: '',
  },
  {
    of: 'RT-17',
    wrong: 'a post that is gone is edited for ever',
    test: ANSWERS,
    file: 'src/flows/threadView.ts',
    find: 'if (!row?.postId || !isGone(error)) throw error;',
    replace: 'if (!row?.postId || !isGone(error) || row.attemptAt >= 0) throw error;',
  },
  {
    of: 'RT-19',
    wrong: 'an answer is written over the one before',
    test: ANSWERS,
    file: 'src/chat/render/index.ts',
    find: 'const key = `${turn.turnId}/${index}/${number}`;',
    replace: 'const key = `answer/${index}/${number}`;',
  },
  {
    of: 'RT-47',
    wrong: 'who wrote last is answered first',
    test: 'tests/e2e/conversation.test.ts',
    file: 'src/machines/session/changes.ts',
    find: 'return { queue: [...context.queue, prompt], usage, activeAt: event.at };',
    replace: 'return { queue: [prompt, ...context.queue], usage, activeAt: event.at };',
  },
  {
    of: 'RT-48',
    wrong: 'files of one name are written over each other',
    test: FILES,
    file: PROMPT,
    find: '    taken.add(free.toLowerCase());\n',
    replace: '',
  },
  {
    of: 'RT-48',
    wrong: 'a file is called as its sender says',
    test: FILES,
    file: PROMPT,
    find: String.raw`basename(name).replace(/[^\p{L}\p{N}._ -]/gu, '_')`,
    replace: 'name',
  },
  {
    of: 'RT-49',
    wrong: 'a path may lead out of the checkout',
    test: FILES,
    file: SEND_FILE,
    find: "path === '' || isAbsolute(path) || !isBelow(cwd, wanted)",
    replace: "path === ''",
  },
  {
    of: 'RT-49',
    wrong: 'a link may lead out of the checkout',
    test: FILES,
    file: SEND_FILE,
    find: 'if (!isBelow(await realpath(cwd), real)) {',
    replace: 'if (!isBelow(await realpath("/"), real)) {',
  },
  {
    of: 'RT-49',
    wrong: 'an empty file is sent',
    test: FILES,
    file: 'agent-worker/src/tools/sendFile.ts',
    find: 'if (size === 0)',
    replace: 'if (size < 0)',
  },
  {
    of: 'RT-51',
    wrong: 'what was said in the thread before is not read',
    test: MEMORY,
    file: 'src/flows/history.ts',
    find: 'return began ? ofThread(ports, began) : quoteHistory([]);',
    replace: 'return began ? quoteHistory([]) : quoteHistory([]);',
  },
];
