/**
 * The tables. `npm run db:generate` turns a change here into the next migration under drizzle/.
 *
 * Hot statements are hand-written (one file each beside this one); this file is the one description of what they work on.
 */
import { sql } from 'drizzle-orm';
import {
  bigint,
  bigserial,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  pgView,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';

const at = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });
const rev = (name: string) => bigint(name, { mode: 'number' });

/** One row. Every write of a leader checks it; taking the lead raises it. */
export const lease = pgTable('lease', {
  id: integer('id').primaryKey().default(1),
  term: rev('term').notNull(),
  takenAt: at('taken_at').notNull().defaultNow(),
  holder: text('holder').notNull().default(''),
  /** Version of the program that led last. */
  program: text('program').notNull().default(''),
  /** The newest version of each chart that has led: {"session": 3}. Who knows only older ones must not lead. */
  charts: jsonb('charts').notNull().default({}),
});

export const actor = pgTable(
  'actor',
  {
    id: text('id').primaryKey(),
    kind: text('kind').notNull(),
    key: text('key').notNull(),
    version: integer('version').notNull(),
    rev: rev('rev').notNull(),
    /** The leader that wrote it last. */
    term: rev('term').notNull(),
    /** The commit that wrote it last: settles an outcome lost with the connection. */
    commitId: uuid('commit_id').notNull(),
    status: text('status').notNull(),
    parent: text('parent'),
    wakeAt: at('wake_at'),
    state: jsonb('state').notNull(),
    failures: integer('failures').notNull().default(0),
    createdAt: at('created_at').notNull().defaultNow(),
    updatedAt: at('updated_at').notNull().defaultNow(),
    /** A column, not a condition of the index: an index that reads `state` would be written with every commit. */
    hasTasks: boolean('has_tasks').generatedAlwaysAs(sql`state -> 'tasks' <> '{}'::jsonb`),
    /** The chart's state at the top level; of several regions the first. */
    stateName: text('state_name').generatedAlwaysAs(
      sql`case jsonb_typeof(state #> '{snapshot,value}') when 'string' then state #>> '{snapshot,value}'
          else jsonb_path_query_first(state, '$.snapshot.value.keyvalue().key') #>> '{}' end`,
    ),
  },
  (table) => [
    index('actor_kind_status').on(table.kind, table.status, table.stateName),
    index('actor_tasks').on(table.id).where(sql`status = 'active' and has_tasks`),
    index('actor_version').on(table.kind, table.version).where(sql`status = 'active'`),
    index('actor_wake_at').on(table.wakeAt).where(sql`status = 'active' and wake_at is not null`),
    index('actor_parent').on(table.parent),
  ],
);

export const inbox = pgTable(
  'inbox',
  {
    seq: bigserial('seq', { mode: 'number' }).primaryKey(),
    actorId: text('actor_id').notNull(),
    dedupKey: text('dedup_key').notNull(),
    event: jsonb('event').notNull(),
    cause: text('cause'),
    taskKey: text('task_key'),
    attempts: integer('attempts').notNull().default(0),
    /** The leader that has the row in memory. Null: written by a standby, to be adopted. */
    term: rev('term'),
    createdAt: at('created_at').notNull().defaultNow(),
    doneAt: at('done_at'),
  },
  (table) => [
    uniqueIndex('inbox_dedup_key').on(table.dedupKey),
    index('inbox_pending').on(table.actorId, table.seq).where(sql`done_at is null`),
    index('inbox_done').on(table.doneAt).where(sql`done_at is not null`),
  ],
);

export const effect = pgTable(
  'effect',
  {
    key: text('key').primaryKey(),
    /** Order of asking. */
    seq: bigserial('seq', { mode: 'number' }).notNull(),
    actorId: text('actor_id').notNull(),
    kind: text('kind').notNull(),
    params: jsonb('params').notNull(),
    reply: jsonb('reply'),
    orderKey: text('order_key'),
    /** pending | done | failed */
    status: text('status').notNull().default('pending'),
    attempts: integer('attempts').notNull().default(0),
    term: rev('term').notNull(),
    runAt: at('run_at').notNull(),
    deadline: at('deadline').notNull(),
    error: text('error'),
    createdAt: at('created_at').notNull().defaultNow(),
    doneAt: at('done_at'),
  },
  (table) => [
    index('effect_pending').on(table.term, table.seq).where(sql`status = 'pending'`),
    index('effect_actor').on(table.actorId, table.seq),
    index('effect_done').on(table.doneAt).where(sql`done_at is not null`),
  ],
);

export const journal = pgTable(
  'journal',
  {
    actorId: text('actor_id').notNull(),
    rev: rev('rev').notNull(),
    at: at('at').notNull(),
    event: jsonb('event').notNull(),
    cause: text('cause'),
    value: jsonb('value').notNull(),
    context: jsonb('context').notNull(),
    effects: jsonb('effects').notNull(),
    version: integer('version').notNull(),
  },
  (table) => [primaryKey({ columns: [table.actorId, table.rev] }), index('journal_at').on(table.at)],
);

export const deadLetter = pgTable(
  'dead_letter',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    actorId: text('actor_id').notNull(),
    reason: text('reason').notNull(),
    event: jsonb('event').notNull(),
    dedupKey: text('dedup_key').notNull(),
    cause: text('cause'),
    error: text('error'),
    at: at('at').notNull(),
    settledAt: at('settled_at'),
    /** replayed | skipped: what an operator did with it. */
    settledHow: text('settled_how'),
  },
  (table) => [
    index('dead_letter_actor').on(table.actorId, table.id),
    index('dead_letter_key').on(table.dedupKey),
    index('dead_letter_at').on(table.at),
    index('dead_letter_settled').on(table.settledAt).where(sql`settled_at is not null`),
  ],
);

/** A session's thread. `dirty` counts changes, `clean` is the count that was shown last. */
export const thread = pgTable(
  'thread',
  {
    session: text('session').primaryKey(),
    rootId: text('root_id'),
    channelId: text('channel_id'),
    dirty: rev('dirty').notNull().default(0),
    clean: rev('clean').notNull().default(0),
    /** Up to this row of the transcript the thread stands for good: it is not rendered again. */
    settled: rev('settled').notNull().default(0),
    boundAt: at('bound_at'),
    /** Since when what was said here is being deleted: the posts stay as they are, whatever is left of the transcript. */
    prunedAt: at('pruned_at'),
  },
  (table) => [
    uniqueIndex('thread_root_id').on(table.rootId),
    index('thread_channel').on(table.channelId),
    index('thread_dirty').on(table.session).where(sql`dirty > clean`),
  ],
);

export const transcript = pgTable(
  'transcript',
  {
    session: text('session').notNull(),
    logId: text('log_id').notNull(),
    seq: rev('seq').notNull(),
    firstSeq: rev('first_seq').notNull(),
    /** Order of commit within a session: taken while the session's thread row is locked. */
    id: bigserial('id', { mode: 'number' }).notNull(),
    at: at('at').notNull(),
    kind: text('kind').notNull(),
    body: jsonb('body').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.session, table.logId, table.seq] }),
    index('transcript_order').on(table.session, table.id),
    // What turns have cost is summed by day, and put on the account of who was heard.
    index('transcript_turn_ended').on(table.at).where(sql`kind = 'turnEnded'`),
    index('transcript_heard').on(sql`(body->>'postId')`).where(sql`kind = 'heard'`),
  ],
);

export const chatPost = pgTable(
  'chat_post',
  {
    key: text('key').primaryKey(),
    session: text('session').notNull(),
    channelId: text('channel_id').notNull(),
    rootId: text('root_id').notNull(),
    postId: text('post_id'),
    contentHash: text('content_hash'),
    /** creating | posted | gone */
    state: text('state').notNull(),
    attemptAt: at('attempt_at').notNull(),
  },
  (table) => [index('chat_post_session').on(table.session), uniqueIndex('chat_post_post_id').on(table.postId)],
);

export const chatCursor = pgTable('chat_cursor', {
  channelId: text('channel_id').primaryKey(),
  readUpTo: at('read_up_to').notNull(),
});

export const projectChannel = pgTable('project_channel', {
  repo: text('repo').primaryKey(),
  channelId: text('channel_id').notNull(),
  /** How much its threads show of the agents' work; null: as everywhere. */
  verbosity: text('verbosity'),
  /** Whether it is sorted and has its members. True for those from before this was kept: nobody is added to them again. */
  furnished: boolean('furnished').notNull().default(true),
  createdAt: at('created_at').notNull().defaultNow(),
});

/** What a person has set for themselves; without a row, everything is as by default. */
export const person = pgTable('person', {
  userId: text('user_id').primaryKey(),
  /** They are mentioned when something waits for them. */
  notices: boolean('notices').notNull().default(true),
  updatedAt: at('updated_at').notNull().defaultNow(),
});

/** The host key that a VM showed first, where that is trusted. */
export const vmHostKey = pgTable('vm_host_key', {
  /** `host:port` */
  target: text('target').primaryKey(),
  /** `type base64` */
  key: text('key').notNull(),
  seenAt: at('seen_at').notNull().defaultNow(),
});

export const networkGrant = pgTable(
  'network_grant',
  {
    id: text('id').primaryKey(),
    approval: text('approval').notNull(),
    session: text('session').notNull(),
    host: text('host').notNull(),
    scope: text('scope').notNull(),
    openedAt: at('opened_at').notNull(),
    expiresAt: at('expires_at'),
    revokedAt: at('revoked_at'),
    detail: jsonb('detail').notNull(),
  },
  (table) => [index('network_grant_session').on(table.session)],
);

/** Append-only. Each row carries the hash of the one before. */
export const auditLog = pgTable(
  'audit_log',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    key: text('key').notNull(),
    at: at('at').notNull(),
    action: text('action').notNull(),
    who: text('who').notNull(),
    subject: text('subject').notNull(),
    detail: jsonb('detail').notNull(),
    prevHash: text('prev_hash').notNull(),
    hash: text('hash').notNull(),
  },
  (table) => [
    uniqueIndex('audit_log_key').on(table.key),
    uniqueIndex('audit_log_prev_hash').on(table.prevHash),
    index('audit_log_at').on(table.at),
  ],
);

const viewColumns = {
  id: text('id'),
  status: text('status'),
  value: jsonb('value'),
  context: jsonb('context'),
  rev: rev('rev'),
  wakeAt: at('wake_at'),
  updatedAt: at('updated_at'),
};

const actorsOf = (kind: 'session' | 'container') => sql`
  select id, status, state->'snapshot'->'value' as value, state->'snapshot'->'context' as context, rev, wake_at, updated_at
  from actor where kind = ${sql.raw(`'${kind}'`)}`;

export const sessions = pgView('sessions', viewColumns).as(actorsOf('session'));
export const containers = pgView('containers', viewColumns).as(actorsOf('container'));
export const pendingRequests = pgView('pending_requests', viewColumns).as(sql`
  select id, status, state->'snapshot'->'value' as value, state->'snapshot'->'context' as context, rev, wake_at, updated_at
  from actor where kind = 'approval' and status = 'active'
    and state->'snapshot'->>'value' in ('checking', 'posting', 'pending', 'applying', 'verifying', 'failed')`);
