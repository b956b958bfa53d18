/**
 * Keeps threads equal to what is committed: renders a dirty thread's transcript and creates, edits or deletes posts until
 * they say the same. Runs per thread one after the other, so edits of a post never overtake each other; while an answer
 * streams, at most one round per `pauseMs`. An answer that is done, and a card, wait for no edit that shows progress, not even
 * for one of their own thread: where the budget is short, that one gives its place up.
 */
import { type Log, type PostRow, type StorePorts, TerminalError } from '../actors/index.ts';
import type { MattermostRest } from '../adapters/mattermost/index.ts';
import { escapeMarkdown } from '../chat/escape.ts';
import type { Mask } from '../chat/masking.ts';
import { type DesiredPost, renderThread } from '../chat/render/index.ts';
import type { Verbosity } from '../chat/render/layout.ts';
import { plainWords } from '../chat/render/lines.ts';
import { maskedEntry } from '../chat/render/masked.ts';
import { readEntry, type TranscriptEntry, type TranscriptRow } from '../chat/transcript.ts';
import type { Address } from '../machines/addresses.ts';
import type { Notices } from './notices.ts';
import type { AttachFile } from './offeredFiles.ts';
import { contentHash, isGone, isUnpostable, type Posting } from './posting.ts';
import type { Priority } from './rateGovernor.ts';
import { place, postKey, surplus } from './threadPosts.ts';

export interface ThreadViewPorts {
  readonly store: StorePorts;
  readonly rest: MattermostRest;
  readonly posting: Posting;
  readonly attach: AttachFile;
  /** Something that the agent gave could not be posted. Told once for each post, however often. */
  readonly undelivered: (post: Undelivered) => Promise<void>;
  readonly notices: Pick<Notices, 'ended'>;
  readonly log: Log;
  /** How much of the agent's work the session's thread shows. */
  readonly verbosityOf: (session: Address) => Promise<Verbosity>;
  /** Where the session's agent works; empty: not known yet. */
  readonly folderOf: (session: Address) => Promise<string>;
  /** Takes out secrets before they could be cut in two. */
  readonly mask: Mask;
  /** What commands start with. */
  readonly trigger: string;
  readonly pauseMs?: number;
  readonly now?: () => number;
  /** How often a turn that runs is looked at again, for how long it has been busy with one thing. */
  readonly lookMs?: number;
}

export interface Undelivered {
  readonly session: Address;
  readonly key: string;
  /** For the agent. */
  readonly what: string;
  readonly why: string;
}

export interface ThreadView {
  /** Something in this thread changed. @param kinds of the rows that its transcript got, if they are known */
  touch(session: Address, kinds?: readonly string[]): void;
  /** Brings the thread up to date now, for something that people are asked below it; resolves when it is. */
  settle(session: Address): Promise<void>;
  /** Takes up every thread that is dirty in the store; also after `stop`, when another process may have shown some of it. */
  resume(): Promise<void>;
  /** Resolves when nothing is being shown. */
  stop(): Promise<void>;
}

const PAUSE_MS = 700;
const LOOK_MS = 30_000;
/** What people wait for. */
const URGENT: ReadonlySet<string> = new Set(['turnEnded', 'approvalRequest', 'note']);
/** Why a round was broken off that has failed in nothing. */
const GAVE_WAY = new Error('something urgent is to be shown first');
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
  /** Until a running turn is looked at again though nothing is heard of it. */
  look: NodeJS.Timeout | undefined;
  /** Rounds in a row that failed. */
  failures: number;
  /** While progress waits for its turn: gives it up. */
  giveWay: (() => void) | undefined;
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
      look: undefined,
      failures: 0,
      giveWay: undefined,
    };
    threads.set(session, fresh);
    return fresh;
  };

  /** @param isAwaited something that people wait for is to stand below it */
  const run = (session: Address, state: ThreadState, isAwaited = false): Promise<void> => {
    clearTimeout(state.timer);
    clearTimeout(state.look);
    state.timer = undefined;
    state.again = false;
    state.running = reconcile(ports, session, state, isAwaited, () => stopped)
      .then(() => {
        state.failures = 0;
        return pauseMs;
      })
      .catch((error: unknown) => {
        if (stopped) return pauseMs;
        state.again = true;
        if (error === GAVE_WAY) return 0;
        state.failures += 1;
        const retryMs = retryAfter(error, state.failures);
        ports.log.warn({ session, retryMs, err: error }, 'thread could not be brought up to date; trying again');
        return retryMs;
      })
      .then((nextMs) => {
        state.running = undefined;
        if (stopped) return;
        if (state.again) state.timer = setTimeout(() => run(session, state), nextMs);
        else if (state.entries.length === 0) threads.delete(session);
        else if (runs(state.entries)) state.look = setTimeout(() => touch(session), ports.lookMs ?? LOOK_MS);
      });
    return state.running;
  };

  const touch = (session: Address, kinds: readonly string[] = []): void => {
    if (stopped) return;
    const state = stateOf(session);
    if (kinds.some((kind) => URGENT.has(kind))) state.giveWay?.();
    if (state.running || state.timer) state.again = true;
    else state.timer = setTimeout(() => run(session, state), 0);
  };

  return {
    touch,
    async settle(session) {
      // Looked up anew each time: a round that is over may be forgotten, and another have begun.
      for (let state = stateOf(session); state.running; state = stateOf(session)) {
        state.giveWay?.();
        await state.running;
      }
      if (!stopped) await run(session, stateOf(session), true);
    },
    async resume() {
      stopped = false;
      for (const { session } of await ports.store.dirtyThreads()) touch(session);
    },
    async stop() {
      stopped = true;
      const running = [...threads.values()].map((state) => {
        clearTimeout(state.timer);
        clearTimeout(state.look);
        state.giveWay?.();
        return state.running;
      });
      threads.clear();
      await Promise.all(running);
    },
  };
}

/** In place of what the chat does not take: people must not wait for it, nor for what comes after it. */
function instead(error: TerminalError): string {
  return `⚠️ A part of this thread could not be posted: ${whyOf(error)}\nAsk for it in another form, for example as a file.`;
}

function whyOf(error: TerminalError): string {
  return plainWords(error.human ?? error.message, 200);
}

function retryAfter(error: unknown, failures: number): number {
  if (error instanceof TerminalError) return REFUSED_RETRY_MS;
  return Math.min(RETRY_MS.longest, RETRY_MS.first * 2 ** (failures - 1));
}

/** One round, broken off when `isOver`: the thread stays dirty then. Rejects if the thread is not up to date. */
async function reconcile(
  ports: ThreadViewPorts,
  session: Address,
  state: ThreadState,
  isAwaited: boolean,
  isOver: () => boolean,
): Promise<void> {
  const { store } = ports;
  const thread = await store.threadOf(session);
  if (!thread) return;
  const mark = await store.dirtyMark(session);
  // What stood for good stays as it is, however it would be rendered today: a long thread is neither read nor edited anew.
  state.lastId = Math.max(state.lastId, thread.settled);
  const news = await store.readTranscript(session, state.lastId);
  state.entries.push(...read(news, ports.mask));
  state.lastId = news.at(-1)?.id ?? state.lastId;

  const verbosity = await ports.verbosityOf(session);
  const folder = await ports.folderOf(session);
  const render = (entries: readonly TranscriptEntry[]): DesiredPost[] =>
    renderThread(entries, {
      verbosity,
      trigger: ports.trigger,
      mask: ports.mask,
      folder,
      now: (ports.now ?? Date.now)(),
    });
  const desired = render(state.entries);
  const rows = new Map((await store.postsOf(session)).map((row) => [row.key, row]));
  for (const post of desired) {
    if (isOver()) return;
    const latest = async (): Promise<string> => {
      if (!state.again) return post.message;
      const since = read(await store.readTranscript(session, state.lastId), ports.mask);
      return render([...state.entries, ...since]).find(({ key }) => key === post.key)?.message ?? post.message;
    };
    await showOrSay({ ports, session, thread, rows, state, isAwaited }, post, latest);
  }
  for (const row of surplus(session, state.entries, desired, rows)) {
    if (isOver()) return;
    await hide({ ports, session, thread, rows, state, isAwaited }, row);
  }
  await ports.notices.ended({ session, channelId: thread.channelId, rootId: thread.rootId, entries: state.entries });
  const settled = settledUpTo(state.entries);
  if (mark !== undefined) await store.cleanThread(session, mark, state.entries[settled - 1]?.id ?? 0);
  state.entries = state.entries.slice(settled);
}

function read(rows: readonly TranscriptRow[], mask: Mask): TranscriptEntry[] {
  return rows.flatMap((row) => {
    const entry = readEntry(row);
    return entry === null ? [] : [maskedEntry(entry, mask)];
  });
}

interface Round {
  readonly ports: ThreadViewPorts;
  readonly session: Address;
  readonly thread: { readonly channelId: string; readonly rootId: string };
  readonly rows: Map<string, PostRow>;
  readonly state: ThreadState;
  readonly isAwaited: boolean;
}

/** Shows the post; what the chat refuses for what it says is replaced by words about that. */
async function showOrSay(round: Round, post: DesiredPost, latest: () => Promise<string>): Promise<void> {
  try {
    await show(round, post, latest);
  } catch (error) {
    if (!isUnpostable(error)) throw error;
    const { ports, session } = round;
    ports.log.warn({ session, post: post.key, err: error }, 'a post was refused for what it says');
    if (post.final && !post.key.startsWith('note/')) {
      const began = plainWords(post.message, 100);
      await ports.undelivered({
        session,
        key: post.key,
        what: `a post that begins with "${began}"`,
        why: whyOf(error),
      });
    }
    const { file: _file, ...words } = post;
    await show(round, { ...words, message: instead(error), final: true }, latest);
  }
}

/** @param latest what the post should say by the time that its turn has come: progress may have waited long for it */
async function show(round: Round, post: DesiredPost, latest: () => Promise<string>): Promise<void> {
  const { ports, session, thread, rows, state, isAwaited } = round;
  const { store, rest, posting } = ports;
  const { channelId, rootId } = thread;
  const hash = contentHash(post.message, undefined);
  const { key, row } = place(rows, postKey(session, post.key), hash);
  // What became of a file was said when its post was made.
  if (row?.contentHash === hash || (row?.postId && post.file)) return;
  const priority = post.final ? 'final' : isAwaited ? 'question' : 'progress';
  try {
    if (!row?.postId) {
      const content = await contentOf(round, post);
      await patiently(state, priority, (signal) =>
        posting.create({ key, owner: session, channelId, rootId, ...content }, priority, signal),
      );
      return;
    }
    const id = row.postId;
    const patch = async (): Promise<string> => {
      const message = post.final ? post.message : await latest();
      await rest.patchPost(id, { message });
      return message;
    };
    const said = await patiently(state, priority, (signal) => posting.call(priority, patch, signal));
    await store.postPatched(key, contentHash(said, undefined));
  } catch (error) {
    if (!row?.postId || !isGone(error)) throw error;
    await store.postGone(key);
    rows.set(key, { ...row, state: 'gone' });
    await show(round, post, latest);
  }
}

/** Progress gives its place up for what is urgent, while it waits for its turn. */
async function patiently<Result>(
  state: ThreadState,
  priority: Priority,
  ask: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const patience = new AbortController();
  if (priority === 'progress') state.giveWay = () => patience.abort(GAVE_WAY);
  try {
    return await ask(patience.signal);
  } finally {
    state.giveWay = undefined;
  }
}

async function contentOf({ ports, session, thread, state }: Round, { key, message, file }: DesiredPost) {
  if (!file) return { message };
  const { channelId } = thread;
  const attached = await ports.attach({ session, channelId, path: file.path, attempts: state.failures });
  if ('fileId' in attached) return { message, fileIds: [attached.fileId] };
  await ports.undelivered({ session, key, what: `the file ${file.path}`, why: attached.problem });
  return { message: `${message}\n⚠️ The file is not here. ${escapeMarkdown(attached.problem)}` };
}

async function hide({ ports, state, isAwaited }: Round, row: PostRow): Promise<void> {
  const { store, rest, posting } = ports;
  const id = row.postId;
  const priority = isAwaited ? 'question' : 'progress';
  if (id !== undefined) {
    await patiently(state, priority, (signal) => posting.call(priority, () => rest.deletePost(id), signal));
  }
  await store.postGone(row.key);
}

function runs(entries: readonly TranscriptEntry[]): boolean {
  return entries.findLast(({ kind }) => kind === 'turnStarted' || kind === 'turnEnded')?.kind === 'turnStarted';
}

/** Everything up to the last finished turn is shown for good and need not be rendered again, but for a turn that still runs. */
function settledUpTo(entries: readonly TranscriptEntry[]): number {
  const ended = new Set(entries.flatMap((entry) => (entry.kind === 'turnEnded' ? [entry.body.turnId] : [])));
  const lastEnd = entries.findLastIndex(({ kind }) => kind === 'turnEnded');
  const running = entries.findIndex((entry) => entry.kind === 'turnStarted' && !ended.has(entry.body.turnId));
  return running === -1 ? lastEnd + 1 : Math.min(lastEnd + 1, running);
}
