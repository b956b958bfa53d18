/**
 * Keeps threads equal to what is committed: renders a dirty thread's transcript and creates, edits or deletes posts until
 * they say the same. Runs per thread one after the other, so edits of a post never overtake each other; while an answer
 * streams, at most one round per `pauseMs`. A round that waits for its turn to show mere progress is given up when there is
 * something that people wait for: that must not wait with it.
 */
import { type Log, type PostRow, type StorePorts, TerminalError } from '../actors/index.ts';
import type { MattermostRest } from '../adapters/mattermost/index.ts';
import { type DesiredPost, renderThread } from '../chat/render/index.ts';
import type { Verbosity } from '../chat/render/layout.ts';
import { plainWords } from '../chat/render/lines.ts';
import { readEntry, type TranscriptEntry } from '../chat/transcript.ts';
import type { Address } from '../machines/addresses.ts';
import { contentHash, isGone, isUnpostable, type Posting } from './posting.ts';
import type { Priority } from './rateGovernor.ts';

export interface ThreadViewPorts {
  readonly store: StorePorts;
  readonly rest: MattermostRest;
  readonly posting: Posting;
  readonly log: Log;
  readonly verbosity: Verbosity;
  /** What commands start with. */
  readonly trigger: string;
  readonly pauseMs?: number;
}

export interface ThreadView {
  /** Something in this thread changed. @param kinds of the entries that are new, as far as they are known */
  touch(session: Address, kinds?: readonly string[]): void;
  /** Brings the thread up to date now, since something is to be asked below it; resolves when it is. */
  settle(session: Address): Promise<void>;
  /** Takes up every thread that is dirty in the store; also after `stop`, when another process may have shown some of it. */
  resume(): Promise<void>;
  /** Resolves when nothing is being shown. */
  stop(): Promise<void>;
}

const PAUSE_MS = 700;
/** Kinds of entries that people wait for. */
const AWAITED: readonly string[] = ['turnEnded', 'note', 'fileOffered'];
/** Between two attempts at a thread that cannot be shown: doubled each time, so that many do not storm what is down. */
const RETRY_MS = { first: 2_000, longest: 20_000 };
/** The chat refused it, and will until a person changes something: an archived channel, a bot that was put out. */
const REFUSED_RETRY_MS = 5 * 60_000;

interface ThreadState {
  running: Promise<void> | undefined;
  again: boolean;
  entries: TranscriptEntry[];
  lastId: number;
  timer: NodeJS.Timeout | undefined;
  /** Rounds in a row that failed. */
  failures: number;
  /** Gives up the present round while it waits to show progress. */
  giveUp: (() => void) | undefined;
  /** The next round is to follow without a pause. */
  isUrgent: boolean;
}

interface Round {
  /** What only goes on is shown with this priority; what is final, as final. */
  readonly least: Priority;
  readonly giveUp: AbortSignal;
  isOver(): boolean;
}

export function createThreadView(ports: ThreadViewPorts): ThreadView {
  const threads = new Map<Address, ThreadState>();
  const pauseMs = ports.pauseMs ?? PAUSE_MS;
  let stopped = false;

  const stateOf = (session: Address): ThreadState => {
    const known = threads.get(session);
    if (known) return known;
    const fresh: ThreadState = {
      running: undefined,
      again: false,
      entries: [],
      lastId: 0,
      timer: undefined,
      failures: 0,
      giveUp: undefined,
      isUrgent: false,
    };
    threads.set(session, fresh);
    return fresh;
  };

  const run = (session: Address, state: ThreadState, least: Priority): Promise<void> => {
    clearTimeout(state.timer);
    state.timer = undefined;
    state.again = false;
    state.isUrgent = false;
    const given = new AbortController();
    const giveUp = given.signal;
    // Somebody waits for the end of any other round.
    if (least === 'progress') state.giveUp = () => given.abort(new Error('something is waited for'));
    state.running = reconcile(ports, session, state, { least, giveUp, isOver: () => stopped || giveUp.aborted })
      .then(() => {
        state.failures = 0;
        return state.isUrgent ? 0 : pauseMs;
      })
      .catch((error: unknown) => {
        if (stopped) return pauseMs;
        if (giveUp.aborted && error === giveUp.reason) return 0;
        state.again = true;
        state.failures += 1;
        const retryMs = retryAfter(error, state.failures);
        ports.log.warn({ session, retryMs, err: error }, 'thread could not be brought up to date; trying again');
        return retryMs;
      })
      .then((nextMs) => {
        state.running = undefined;
        state.giveUp = undefined;
        if (stopped) return;
        if (state.again) state.timer = setTimeout(() => run(session, state, 'progress'), nextMs);
        else if (state.entries.length === 0) threads.delete(session);
      });
    return state.running;
  };

  const hurry = (state: ThreadState): void => {
    state.isUrgent = true;
    state.giveUp?.();
  };

  const touch = (session: Address, kinds: readonly string[] = []): void => {
    if (stopped) return;
    const state = stateOf(session);
    const isAwaited = kinds.some((kind) => AWAITED.includes(kind));
    if (state.running || state.timer) state.again = true;
    if (state.running) {
      if (isAwaited) hurry(state);
      return;
    }
    // After a failure the pause is not for the sake of the reader.
    if (state.timer && !(isAwaited && state.failures === 0)) return;
    clearTimeout(state.timer);
    state.timer = setTimeout(() => run(session, state, 'progress'), 0);
  };

  return {
    touch,
    async settle(session) {
      // Looked up anew each time: a round that is over may be forgotten, and another have begun.
      for (let state = stateOf(session); state.running; state = stateOf(session)) {
        hurry(state);
        await state.running;
      }
      if (!stopped) await run(session, stateOf(session), 'question');
    },
    async resume() {
      stopped = false;
      for (const { session } of await ports.store.dirtyThreads()) touch(session);
    },
    async stop() {
      stopped = true;
      const running = [...threads.values()].map((state) => {
        clearTimeout(state.timer);
        return state.running;
      });
      threads.clear();
      await Promise.all(running);
    },
  };
}

/** In place of what the chat does not take: people must not wait for it, nor for what comes after it. */
function instead(error: TerminalError): string {
  const why = plainWords(error.human ?? error.message, 200);
  return `⚠️ A part of this thread could not be posted: ${why}\nAsk for it in another form, for example as a file.`;
}

function retryAfter(error: unknown, failures: number): number {
  if (error instanceof TerminalError) return REFUSED_RETRY_MS;
  return Math.min(RETRY_MS.longest, RETRY_MS.first * 2 ** (failures - 1));
}

/** One round, broken off when it is over: the thread stays dirty then. Rejects if the thread is not up to date. */
async function reconcile(ports: ThreadViewPorts, session: Address, state: ThreadState, round: Round): Promise<void> {
  const { store } = ports;
  const thread = await store.threadOf(session);
  if (!thread) return;
  const mark = await store.dirtyMark(session);
  const news = await store.readTranscript(session, state.lastId);
  state.entries.push(...news.flatMap((row) => readEntry(row) ?? []));
  state.lastId = news.at(-1)?.id ?? state.lastId;

  const desired = renderThread(state.entries, { verbosity: ports.verbosity, trigger: ports.trigger });
  const rows = new Map((await store.postsOf(session)).map((row) => [row.key, row]));
  for (const post of desired) {
    if (round.isOver()) return;
    await showOrSay(ports, session, thread, rows, post, round);
  }
  for (const row of surplus(session, state.entries, desired, rows)) {
    if (round.isOver()) return;
    await hide(ports, row, round);
  }
  if (mark !== undefined) await store.cleanThread(session, mark);
  state.entries = state.entries.slice(settledUpTo(state.entries));
}

/** Shows the post; what the chat refuses for what it says is replaced by words about that. */
async function showOrSay(...[ports, session, thread, rows, post, round]: Parameters<typeof show>): Promise<void> {
  try {
    await show(ports, session, thread, rows, post, round);
  } catch (error) {
    if (!isUnpostable(error)) throw error;
    ports.log.warn({ session, post: post.key, err: error }, 'a post was refused for what it says');
    await show(ports, session, thread, rows, { ...post, message: instead(error), final: true }, round);
  }
}

async function show(
  ports: ThreadViewPorts,
  session: Address,
  thread: { readonly channelId: string; readonly rootId: string },
  rows: Map<string, PostRow>,
  post: DesiredPost,
  round: Round,
): Promise<void> {
  const { store, rest, posting } = ports;
  const hash = contentHash(post.message, undefined);
  const { key, row } = place(rows, postKey(session, post.key), hash);
  if (row?.contentHash === hash) return;
  const priority = post.final ? 'final' : round.least;
  const giveUp = priority === 'progress' ? round.giveUp : undefined;
  if (!row?.postId) {
    await posting.create({ key, owner: session, ...thread, message: post.message }, priority, giveUp);
    return;
  }
  const id = row.postId;
  try {
    await posting.call(priority, () => rest.patchPost(id, { message: post.message }), giveUp);
    await store.postPatched(key, hash);
  } catch (error) {
    if (!isGone(error)) throw error;
    await store.postGone(key);
    rows.set(key, { ...row, state: 'gone' });
    await show(ports, session, thread, rows, post, round);
  }
}

/**
 * The post to use. One that a person deleted stays deleted with what it said; what is said beyond that gets a post of its own,
 * under the same key with a number behind it.
 */
function place(
  rows: ReadonlyMap<string, PostRow>,
  base: string,
  hash: string,
): { key: string; row: PostRow | undefined } {
  for (let copy = 0; ; copy += 1) {
    const key = copy === 0 ? base : `${base}~${copy}`;
    const row = rows.get(key);
    if (row?.state !== 'gone' || row.contentHash === hash) return { key, row };
  }
}

async function hide({ store, rest, posting }: ThreadViewPorts, row: PostRow, round: Round): Promise<void> {
  const id = row.postId;
  if (id !== undefined) await posting.call(round.least, () => rest.deletePost(id), round.giveUp);
  await store.postGone(row.key);
}

/** Posts of what is being rendered that should not be there any more: withdrawn notes, text that was taken back. */
function surplus(
  session: Address,
  entries: readonly TranscriptEntry[],
  desired: readonly DesiredPost[],
  rows: ReadonlyMap<string, PostRow>,
): PostRow[] {
  const wanted = new Set(desired.map((post) => postKey(session, post.key)));
  const subjects = new Set(entries.flatMap((entry) => subjectOf(entry) ?? []).map((name) => postKey(session, name)));
  return [...rows.values()].filter((row) => {
    const key = row.key.replace(/~\d+$/, '');
    const isAbout = [...subjects].some((name) => key === name || key.startsWith(`${name}/`));
    return row.state === 'posted' && isAbout && !wanted.has(key);
  });
}

function subjectOf(entry: TranscriptEntry): string | undefined {
  if (entry.kind === 'note') return `note/${entry.body.note}`;
  return 'turnId' in entry.body && typeof entry.body.turnId === 'string' && entry.body.turnId !== ''
    ? entry.body.turnId
    : undefined;
}

/** Everything up to the last finished turn is shown for good and need not be rendered again. */
function settledUpTo(entries: readonly TranscriptEntry[]): number {
  const lastEnd = entries.findLastIndex((entry) => entry.kind === 'turnEnded');
  const lastStart = entries.findLastIndex((entry) => entry.kind === 'turnStarted');
  return lastEnd > lastStart ? lastEnd + 1 : 0;
}

function postKey(session: Address, key: string): string {
  return `${session}|${key}`;
}
