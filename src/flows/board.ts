/**
 * The board of each project channel: one post that lists the channel's live sessions. It is made again from what is stored,
 * so nothing needs to be remembered: changes that come close together are one edit, and after a restart the first look
 * brings every board up to date. It waits behind everything else that is said.
 */
import {
  type ActorSummary,
  type CommitNotice,
  type Log,
  type PostRow,
  type StorePorts,
  TerminalError,
} from '../actors/index.ts';
import type { MattermostRest } from '../adapters/mattermost/index.ts';
import { type BoardLine, boardText } from '../chat/board.ts';
import { type Address, keyOf } from '../machines/addresses.ts';
import type { SessionContext } from '../machines/session/context.ts';
import { contentHash, isGone, type Posting } from './posting.ts';
import { conversationOf, LIVE_STATES } from './reports.ts';

export interface BoardPorts {
  readonly store: Pick<StorePorts, 'listActors' | 'postsOf' | 'postGone' | 'postPatched' | 'projectChannels'>;
  readonly rest: Pick<MattermostRest, 'patchPost'>;
  readonly posting: Posting;
  /** Address of a post's page. */
  readonly permalink: (postId: string) => string;
  readonly trigger: string;
  readonly log: Log;
  /** Between two looks. */
  readonly pauseMs?: number;
}

export interface Boards {
  /** Something was committed; looks only if a board may say something else now. */
  onCommit(notice: CommitNotice): void;
  /** A person deleted the board of this channel: there is to be another one. */
  deleted(channelId: string): void;
  /** Looks at all boards, as a process that begins to lead. */
  resume(): void;
  /** Resolves when nothing is being shown. */
  stop(): Promise<void>;
}

const PAUSE_MS = 3_000;
const RETRY_MS = 30_000;
/** What changes a board though the session's state stays. */
const TITLED: ReadonlySet<string> = new Set(['COMMAND.TITLE', 'TITLE.FOUND', 'WORKSPACE.READY']);

export function createBoards(ports: BoardPorts): Boards {
  const pauseMs = ports.pauseMs ?? PAUSE_MS;
  /** By channel: the post that is its board, as it was shown last. */
  const known = new Map<string, PostRow[]>();
  /** Channels whose board may not say any more what it was made to say. */
  const doubted = new Set<string>();
  let stopped = true;
  let again = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  const touch = (): void => {
    if (stopped) return;
    if (running || timer) again = true;
    else timer = setTimeout(run, 0);
  };

  const run = (): void => {
    timer = undefined;
    again = false;
    running = showAll(ports, { known, doubted }, () => stopped)
      .then(() => pauseMs)
      .catch((error: unknown) => {
        again = true;
        if (!stopped) ports.log.warn({ err: error }, 'the boards could not be brought up to date; trying again');
        return RETRY_MS;
      })
      .then((nextMs) => {
        running = undefined;
        if (stopped) return;
        // Even with nothing new there is a pause, so that what comes meanwhile is one edit.
        timer = setTimeout(() => {
          timer = undefined;
          if (again) run();
        }, nextMs);
      });
  };

  return {
    onCommit({ address, event, from, to }) {
      if (!address.startsWith('session/')) return;
      if (TITLED.has(event.type) || JSON.stringify(from) !== JSON.stringify(to)) touch();
    },
    deleted(channelId) {
      doubted.add(channelId);
      touch();
    },
    resume() {
      stopped = false;
      known.clear();
      touch();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      timer = undefined;
      await running;
    },
  };
}

interface Memory {
  readonly known: Map<string, PostRow[]>;
  readonly doubted: Set<string>;
}

async function showAll(ports: BoardPorts, { known, doubted }: Memory, isOver: () => boolean): Promise<void> {
  const channels = await ports.store.projectChannels();
  const sessions = await ports.store.listActors({ kind: 'session', status: 'active', states: LIVE_STATES });
  for (const channelId of new Set(channels.map((channel) => channel.channelId))) {
    if (isOver()) return;
    const here = sessions.filter(({ context }) => {
      const { channelId: at, rootId } = context as SessionContext;
      return at === channelId && rootId !== '';
    });
    const rows = known.get(channelId) ?? [...(await ports.store.postsOf(ownerOf(channelId)))];
    known.set(channelId, rows);
    // What is gone is seen when it is edited. Taken here, between two showings, so that neither undoes what the other notes.
    if (doubted.delete(channelId))
      rows.splice(0, rows.length, ...rows.map((row) => ({ ...row, contentHash: undefined })));
    // A channel that never had a session that lives gets none.
    if (rows.length === 0 && here.length === 0) continue;
    const message = boardText(
      here.map((session) => lineOf(session, ports.permalink)),
      ports.trigger,
    );
    await orLeave(ports, channelId, () => show(ports, channelId, rows, message));
  }
}

/** What one channel refuses (archived, the bot was put out) must not keep the others from being shown. */
async function orLeave(ports: BoardPorts, channelId: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    ports.log.warn({ channelId, err: error }, 'a board could not be shown');
  }
}

/** Edits the board, or makes the first or another one. `rows` are brought up to date. */
async function show(ports: BoardPorts, channelId: string, rows: PostRow[], message: string): Promise<void> {
  const { store, rest, posting } = ports;
  const hash = contentHash(message, undefined);
  const last = rows.findIndex(({ state }) => state !== 'gone');
  const row = rows[last];
  if (row?.postId !== undefined) {
    if (row.contentHash === hash) return;
    const id = row.postId;
    try {
      await posting.call('board', () => rest.patchPost(id, { message }));
      await store.postPatched(row.key, hash);
      rows[last] = { ...row, contentHash: hash };
      return;
    } catch (error) {
      if (!isGone(error)) throw error;
      await store.postGone(row.key);
      rows[last] = { ...row, state: 'gone' };
    }
  }
  const gone = rows.filter(({ state }) => state === 'gone').length;
  const key = row !== undefined && row.postId === undefined ? row.key : `board/${channelId}/${gone}`;
  const place = { channelId, rootId: '' };
  const postId = await posting.create({ key, owner: ownerOf(channelId), ...place, message }, 'board');
  const made: PostRow = {
    key,
    session: ownerOf(channelId),
    ...place,
    postId,
    contentHash: hash,
    state: 'posted',
    attemptAt: 0,
  };
  rows.splice(0, rows.length, ...rows.filter((other) => other.key !== key), made);
}

/** Boards belong to no session: what is said in one that ended is forgotten in time. */
function ownerOf(channelId: string): Address {
  return `gateway/board/${channelId}`;
}

function lineOf({ address, value, context }: ActorSummary, permalink: BoardPorts['permalink']): BoardLine {
  const { request, title, branch, rootId, open, createdAt } = context as SessionContext;
  return {
    id: keyOf(address),
    title,
    state: open.length > 0 ? 'waitingForPerson' : conversationOf(value),
    branch,
    startedBy: request.owner.name,
    startedAt: createdAt,
    link: permalink(rootId),
  };
}
