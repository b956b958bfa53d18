/**
 * People at work: each keeps a session of their own busy, talks while it works, edits and deletes what waits, stops and
 * resumes it, and decides on what its agent asks. Everything they choose comes from the seed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../simulator/src/mattermost/faults.ts';
import { type Board, type BoardPost, followBoard, isCard } from './board.ts';
import { type ChatUser, chatUser } from './chatUser.ts';
import { type Task, taskText } from './script.ts';
import type { CrashWorld } from './world.ts';

const PATIENCE_MS = 90_000;
/** How many messages may wait in a thread before its person waits, too. */
const MOST_OPEN = 3;

export interface Load {
  /** Resolves when every session is open, or its person has given up. */
  readonly opened: Promise<unknown>;
  /** Lets everybody finish what they have begun. Resolves when nobody says anything any more. */
  finish(): Promise<void>;
  /** Ends the clicking: until here cards are decided, also those of turns that nobody waits for. */
  leave(): Promise<void>;
  /** What people waited for in vain, for the report. */
  readonly disappointments: readonly string[];
}

export interface LoadOptions {
  readonly seed: number;
  readonly sessions: number;
  /** Whether sessions are stopped, resumed and restarted, too. */
  readonly moods?: boolean;
  /** How long people wait for anything before they go on. Milliseconds. */
  readonly patienceMs?: number;
}

interface Thread {
  readonly channelId: string;
  readonly rootId: string;
}

export function startLoad(world: CrashWorld, options: LoadOptions): Load {
  const board = followBoard(world.chat);
  const users = world.people.map((person) => chatUser(world, person));
  const disappointments: string[] = [];
  let finishing = false;
  let over = false;
  let tokens = 0;
  const token = (): string => {
    tokens += 1;
    return `t${tokens}`;
  };
  const threads: Thread[] = [];
  const parts: Parts = {
    world,
    board,
    users,
    options,
    token,
    threads,
    answers: new Set(),
    finishing: () => finishing,
    over: () => over,
    disappointed: (what) => disappointments.push(what),
    patienceMs: options.patienceMs ?? PATIENCE_MS,
  };
  const openings = Array.from({ length: options.sessions }, (_, index) => opening(parts, index));
  const conversations = openings.map((thread, index) => converse(parts, thread, index));
  const clicking = decideCards(parts);
  const asking = askAround(parts);
  return {
    opened: Promise.all(openings),
    disappointments,
    async finish() {
      finishing = true;
      await Promise.all([...conversations, asking]);
    },
    async leave() {
      over = true;
      await clicking;
    },
  };
}

interface Parts {
  readonly world: CrashWorld;
  readonly board: Board;
  readonly users: readonly ChatUser[];
  readonly options: LoadOptions;
  readonly threads: Thread[];
  /** Tokens of messages that were taken as the answer to a question: the agent does not run these. */
  readonly answers: Set<string>;
  token(): string;
  finishing(): boolean;
  over(): boolean;
  disappointed(what: string): void;
  readonly patienceMs: number;
}

function pick<Item>(random: () => number, items: readonly Item[]): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

// ---------------------------------------------------------------- one session

function randomOf({ options }: Parts, index: number): () => number {
  return seededRandom(options.seed * 1000 + index);
}

async function opening(parts: Parts, index: number): Promise<Thread | undefined> {
  const random = randomOf(parts, 500 + index);
  await sleep(random() * 1500);
  const thread = await open(parts, index, random);
  if (thread) parts.threads.push(thread);
  return thread;
}

async function converse(parts: Parts, opened: Promise<Thread | undefined>, index: number): Promise<void> {
  const random = randomOf(parts, index);
  const thread = await opened;
  if (!thread) return;
  const unanswered: string[] = [];
  while (!parts.finishing()) {
    await act(parts, thread, unanswered, random);
    await heard(parts, thread, unanswered, MOST_OPEN - 1);
    await sleep(random() * 300);
  }
  await heard(parts, thread, unanswered, 0);
}

/** Starts a session and waits until it is ready. */
async function open(parts: Parts, index: number, random: () => number): Promise<Thread | undefined> {
  const { world, board, users } = parts;
  const repo = world.repos[index % world.repos.length];
  const ask = await pick(random, users).say(`${world.trigger} start ${repo} --worktree=s${index}`, {
    channelId: world.lobbyId,
  });
  const rootId = await board.until(
    () => board.replies(ask).flatMap(({ message }) => /\/pl\/([a-z0-9]{26})/.exec(message)?.[1] ?? [])[0],
    parts.patienceMs,
  );
  const root = board.post(rootId ?? '');
  if (rootId === undefined || root === undefined) {
    parts.disappointed(`no thread for session ${index}`);
    return undefined;
  }
  const thread = { channelId: root.channelId, rootId };
  for (const person of world.people) world.chat.addMember(thread.channelId, person.id);
  return (await says(parts, thread, 'Ready on', 0)) ? thread : undefined;
}

type Mood = 'talk' | 'chatter' | 'edit' | 'delete' | 'interrupt' | 'context' | 'stop' | 'restart';

const MOODS: readonly (readonly [Mood, number])[] = [
  ['talk', 50],
  ['chatter', 16],
  ['edit', 10],
  ['delete', 8],
  ['interrupt', 4],
  ['context', 4],
  ['stop', 4],
  ['restart', 4],
];

function moodOf(random: () => number): Mood {
  let at = random() * 100;
  for (const [mood, weight] of MOODS) {
    at -= weight;
    if (at < 0) return mood;
  }
  return 'talk';
}

async function act(parts: Parts, thread: Thread, waiting: string[], random: () => number): Promise<void> {
  const mood = moodOf(random);
  const user = pick(random, parts.users);
  const quiet = parts.options.moods === false;
  switch (quiet && ['interrupt', 'stop', 'restart'].includes(mood) ? 'talk' : mood) {
    case 'talk':
      waiting.push((await ask(parts, thread, user, random)).token);
      return;
    case 'chatter':
      for (let left = 2; left > 0; left -= 1) {
        waiting.push((await ask(parts, thread, pick(random, parts.users), random)).token);
        await sleep(random() * 60);
      }
      return;
    case 'edit': {
      waiting.push((await ask(parts, thread, user, random)).token);
      const { post, token } = await ask(parts, thread, user, random);
      await sleep(random() * 400);
      const changed = task(parts, random);
      await user.edit(post, taskText(changed));
      waiting.push(`${token}|${changed.token}`);
      return;
    }
    case 'delete': {
      waiting.push((await ask(parts, thread, user, random)).token);
      const { post } = await ask(parts, thread, user, random);
      await sleep(random() * 400);
      await user.remove(post);
      return;
    }
    case 'interrupt':
      // Whichever turn runs then: none of the answers can be counted on.
      waiting.length = 0;
      await ask(parts, thread, user, random);
      await sleep(random() * 800);
      await command(parts, thread, user, 'interrupt');
      return;
    case 'context':
      await command(parts, thread, user, 'context');
      return;
    case 'stop':
      await stopAndResume(parts, thread, user, waiting, random);
      return;
    case 'restart': {
      waiting.length = 0;
      await command(parts, thread, user, 'restart');
      return;
    }
  }
}

async function stopAndResume(
  parts: Parts,
  thread: Thread,
  user: ChatUser,
  waiting: string[],
  random: () => number,
): Promise<void> {
  waiting.length = 0;
  const stopped = count(parts, thread, 'Session stopped');
  await command(parts, thread, user, 'stop');
  await says(parts, thread, 'Session stopped', stopped);
  if (random() < 0.5) await ask(parts, thread, user, random);
  const ready = count(parts, thread, 'Ready on');
  await command(parts, thread, user, 'resume');
  await says(parts, thread, 'Ready on', ready);
}

function task(parts: Parts, random: () => number): Task {
  const asks = random();
  return {
    token: parts.token(),
    words: 6 + Math.floor(random() * 24),
    pace: 5 + Math.floor(random() * 60),
    ask: asks < 0.12 ? 'tool' : asks < 0.2 ? 'question' : 'nothing',
  };
}

async function ask(
  parts: Parts,
  thread: Thread,
  user: ChatUser,
  random: () => number,
): Promise<{ post: string; token: string }> {
  const wanted = task(parts, random);
  return { post: await user.say(taskText(wanted), thread), token: wanted.token };
}

async function command({ world }: Parts, thread: Thread, user: ChatUser, words: string): Promise<void> {
  await user.say(`${world.trigger} ${words}`, thread);
}

/** Waits until at most so many of the messages have no whole answer yet. */
async function heard(parts: Parts, thread: Thread, waiting: string[], most: number): Promise<void> {
  const done = await parts.board.until(() => {
    const said = parts.board.replies(thread.rootId).map(({ message }) => message);
    for (const token of [...waiting]) {
      const ends = new RegExp(`\\b(?:${token})end\\b`);
      const isAnswer = token.split('|').some((each) => parts.answers.has(each));
      if (isAnswer || said.some((message) => ends.test(message))) waiting.splice(waiting.indexOf(token), 1);
    }
    return waiting.length <= most ? true : undefined;
  }, parts.patienceMs);
  if (done) return;
  parts.disappointed(`no whole answer for ${waiting.join(', ')}`);
  waiting.length = 0;
}

function count({ board, world }: Parts, { rootId }: Thread, words: string): number {
  return board.replies(rootId).filter(({ userId, message }) => userId === world.bot.id && message.includes(words))
    .length;
}

/** Waits until the bot has said it more often than before. */
async function says(parts: Parts, thread: Thread, words: string, before: number): Promise<boolean> {
  const found = await parts.board.until(
    () => (count(parts, thread, words) > before ? true : undefined),
    parts.patienceMs,
  );
  if (!found) parts.disappointed(`"${words}" was not said in ${thread.rootId}`);
  return found === true;
}

// ---------------------------------------------------------------- cards

/** Presses a button of every card until the card has none. Which one is drawn from the seed, once per card. */
async function decideCards(parts: Parts): Promise<void> {
  const random = randomOf(parts, 999);
  const chosen = new Map<string, { button: string; user: ChatUser; notBefore: number }>();
  const settled = new Set<string>();
  while (!parts.over()) {
    for (const card of cardsOf(parts)) {
      if (settled.has(card.id)) continue;
      const [user] = parts.users;
      if (!user) return;
      const { text, buttons } = await user.card(card.id);
      if (buttons.length === 0) {
        const [, answer] = /Answered: \*\*do (t\d+) /.exec(text) ?? [];
        if (answer !== undefined) parts.answers.add(answer);
        settled.add(card.id);
        continue;
      }
      const choice = chosen.get(card.id) ?? {
        button: pick(random, buttons),
        user: pick(random, parts.users),
        notBefore: Date.now() + random() * 1_000,
      };
      chosen.set(card.id, choice);
      if (Date.now() < choice.notBefore) continue;
      await choice.user.press(card.id, choice.button);
      chosen.set(card.id, { ...choice, notBefore: Date.now() + 500 });
    }
    await sleep(60);
  }
}

function cardsOf({ board, threads, world }: Parts): BoardPost[] {
  return threads.flatMap(({ rootId }) =>
    board.replies(rootId).filter((post) => post.userId === world.bot.id && isCard(post)),
  );
}

// ---------------------------------------------------------------- the lobby

/** Somebody asks for help or the state of things now and then; each time one answer is due. */
async function askAround(parts: Parts): Promise<void> {
  const random = randomOf(parts, 998);
  const questions = ['help', 'status', 'bogus'];
  while (!parts.finishing()) {
    await sleep(300 + random() * 1_500);
    const place = { channelId: parts.world.lobbyId };
    await pick(random, parts.users).say(`${parts.world.trigger} ${pick(random, questions)}`, place);
  }
}
