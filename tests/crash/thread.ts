/** One session's thread as a person uses it: to ask, and to wait for answers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Board, isCard } from './board.ts';
import { type ChatUser, chatUser } from './chatUser.ts';
import { type Task, taskText } from './script.ts';
import type { CrashWorld } from './world.ts';

const PATIENCE_MS = 90_000;
/** A person whose click got no answer tries again. */
const PRESS_EVERY_MS = 200;

export interface Thread {
  readonly channelId: string;
  readonly rootId: string;
  readonly user: ChatUser;
  /** Writes a task. @returns the id of its post. */
  ask(task: Task): Promise<string>;
  /** Waits until the whole answer to the task stands in the thread. @throws when it does not in time. */
  answered(token: string): Promise<void>;
  /** Whether it stands there now. */
  isAnswered(token: string): boolean;
  /** Waits for the card of the agent's next question and presses a button until it has none. */
  press(button: string): Promise<void>;
  /** Waits for a card that names this, as a word of its own. @returns the id of its post. */
  cardOf(name: string): Promise<string>;
}

/** A short task. */
export function task(token: string, more: Partial<Task> = {}): Task {
  return { token, words: 6, pace: 10, ask: 'nothing', ...more };
}

/** Starts a session and waits until people can write to it. */
export async function openThread(world: CrashWorld, board: Board, worktree: string): Promise<Thread> {
  const [person] = world.people;
  const [repo] = world.repos;
  if (person === undefined || repo === undefined) throw new Error('the world is empty');
  const user = chatUser(world, person);
  const command = `${world.trigger} start ${repo} --worktree=${worktree}`;
  const ask = await user.say(command, { channelId: world.lobbyId });
  const wait = async <Found>(what: string, look: () => Found | undefined): Promise<Found> => {
    const found = await board.until(look, PATIENCE_MS);
    if (found === undefined) throw new Error(`waited in vain for ${what}`);
    return found;
  };
  const link = /\/pl\/([a-z0-9]{26})/;
  const root = await wait('the thread of the session', () =>
    board.post(board.replies(ask).flatMap(({ message }) => link.exec(message)?.[1] ?? [])[0] ?? ''),
  );
  const { channelId, id: rootId } = root;
  world.chat.addMember(channelId, person.id);
  const own = () => board.replies(rootId).filter(({ userId }) => userId === world.bot.id);
  await wait('a session that is ready', () => own().find(({ message }) => message.includes('Ready on')));

  const decided = new Set<string>();
  const place = { channelId, rootId };
  const isAnswered = (token: string) => own().some(({ message }) => new RegExp(`\\b${token}end\\b`).test(message));
  return {
    channelId,
    rootId,
    user,
    ask: (wanted) => user.say(taskText(wanted), place),
    isAnswered,
    async answered(token) {
      await wait(`the answer to ${token}`, () => (isAnswered(token) ? true : undefined));
    },
    async cardOf(name) {
      const word = new RegExp(`\\b${name}\\b`);
      for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(PRESS_EVERY_MS)) {
        for (const { id } of own().filter(isCard)) {
          if (word.test((await user.card(id)).text)) return id;
        }
      }
      throw new Error(`waited in vain for the card of ${name}`);
    },
    async press(button) {
      const card = await wait('a card', () => own().find((post) => isCard(post) && !decided.has(post.id)));
      decided.add(card.id);
      const end = Date.now() + PATIENCE_MS;
      for (; (await user.card(card.id)).buttons.includes(button); await sleep(PRESS_EVERY_MS)) {
        if (Date.now() > end) throw new Error('the card keeps its buttons');
        await user.press(card.id, button);
      }
    },
  };
}
