/**
 * How long a person waits, stage by stage, from the acceptance of their post: until its turn is committed, until the worker
 * has taken the prompt, until the agent says the first thing, until the first text of the answer stands in the thread.
 * Counted in this process only: of a post that outlives its leader, the stages after the change are not counted.
 */
import type { CommitNotice, OutputBatch, StorePorts } from '../actors/index.ts';
import type { Address } from '../machines/addresses.ts';
import type { Json } from '../machines/json.ts';

export type Stage = 'committed' | 'delivered' | 'first_output' | 'first_text';

export interface Stages {
  /** The post is in an inbox now. */
  accepted(postId: string): void;
  onCommit(notice: CommitNotice): void;
  /** Outputs of a worker that are committed now. */
  onOutputs(batch: OutputBatch): void;
  /** The same store, for whoever shows threads: what was read when a thread is marked as shown is shown. */
  watch(store: StorePorts): StorePorts;
}

/** A turn of an agent that answers posts. */
interface Answer {
  readonly posts: readonly string[];
  hasOutput: boolean;
}

/** Posts and answers that are remembered: of commands, and of what is never answered, no end is heard. */
const MOST = 1_000;
const TEXT = ['textDelta', 'textBlock'];

/** @param observe seconds since the acceptance @param now milliseconds */
export function createStages(observe: (stage: Stage, seconds: number) => void, now: () => number): Stages {
  const acceptedAt = new Map<string, number>();
  const answers = new Map<string, Answer>();
  /** Turns with text among what was read last of a session. */
  const read = new Map<Address, Set<string>>();

  function reached(stage: Stage, postId: string): void {
    const at = acceptedAt.get(postId);
    if (at !== undefined) observe(stage, (now() - at) / 1000);
  }

  function begin(turnId: string, inputIds: Json | undefined): void {
    const posts = strings(inputIds).filter((id) => acceptedAt.has(id));
    if (posts.length > 0) remember(answers, turnId, { posts, hasOutput: false });
  }

  function shown(session: Address): void {
    for (const turnId of read.get(session) ?? []) {
      for (const post of answers.get(turnId)?.posts ?? []) {
        reached('first_text', post);
        acceptedAt.delete(post);
      }
      answers.delete(turnId);
    }
    read.delete(session);
  }

  return {
    accepted: (postId) => remember(acceptedAt, postId, now()),
    onCommit({ event: { type, postId } }) {
      if (typeof postId !== 'string') return;
      if (type === 'PROMPT') reached('committed', postId);
      if (type === 'PROMPT.TAKEN') reached('delivered', postId);
    },
    onOutputs({ rows }) {
      for (const { kind, body } of rows) {
        const turnId = String(body.turnId);
        if (kind === 'turnStarted') begin(turnId, body.inputIds);
        const answer = answers.get(turnId);
        if (answer === undefined || answer.hasOutput || kind === 'turnStarted' || kind === 'turnEnded') continue;
        answer.hasOutput = true;
        for (const post of answer.posts) reached('first_output', post);
      }
    },
    watch: (store) => ({
      ...store,
      async readTranscript(session, afterId) {
        const rows = await store.readTranscript(session, afterId);
        const turns = rows.filter(({ kind }) => TEXT.includes(kind)).map(({ body }) => String(body.turnId));
        const known = turns.filter((turnId) => answers.has(turnId));
        if (known.length > 0) read.set(session, new Set([...(read.get(session) ?? []), ...known]));
        return rows;
      },
      async cleanThread(session, mark, settled) {
        await store.cleanThread(session, mark, settled);
        shown(session);
      },
    }),
  };
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= MOST) return;
    map.delete(oldest);
  }
}

function strings(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
