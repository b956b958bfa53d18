/**
 * What must hold in the end, each as one statement that returns the rows for which it does not. The simulators' tables
 * (schema `evidence`) are one side of every comparison that is about the outside world.
 */

export type Harm = 'lost' | 'duplicated' | 'inconsistent';

export interface Check {
  readonly harm: Harm;
  readonly promise: string;
  /** Each row is one violation; the column `what` says which. */
  readonly sql: string;
}

/** A person's task in a session's thread, with what became of it at the chat server. */
const TASKS = `
with task as (
  select c.post_id, c.root_id, c.message, t.session, (select p.at from evidence.post p where p.id = c.post_id) as at,
         exists (select from evidence.chat d where d.post_id = c.post_id and d.kind = 'post_deleted') as deleted
  from evidence.chat c join thread t on t.root_id = c.root_id, evidence.about a
  where c.kind = 'post_created' and c.user_id <> a.bot_id and c.message ~ '^do t[0-9]+ '
)`;

export const CHECKS: readonly Check[] = [
  // ---------------------------------------------------------------- lost
  {
    harm: 'lost',
    promise:
      'every message of a person is run by the agent, unless it was deleted, withdrawn, refused in words or answered a question',
    sql: `${TASKS}
select task.session || ' never ran ' || task.message as what from task
where not task.deleted
  and not exists (select from evidence.worker w where w.what = 'ran' and w.session = task.session and w.input_id = task.post_id)
  and not exists (select from evidence.post p where p.root_id = task.root_id
        and p.key in (task.session || '|note/not-running-' || (extract(epoch from task.at) * 1000)::bigint,
                      task.session || '|note/lost-' || task.post_id))
  and not exists (select from evidence.worker d join evidence.chat c on c.message = d.answer
        where d.what = 'decided' and d.session = task.session and c.post_id = task.post_id)
  and not exists (select from evidence.post card, evidence.post said
        where card.root_id = task.root_id and card.card like '%Answered: **' || task.message || '**%'
          and said.root_id = task.root_id and said.key like task.session || '|note/untold-%')`,
  },
  {
    harm: 'lost',
    promise: 'every word that an agent said is shown in its thread',
    sql: `
select w.session || ' does not show ' || w.word as what
from evidence.word w left join thread t on t.session = w.session
where not exists (select from evidence.shown s where s.root_id = t.root_id and s.word = w.word)`,
  },
  {
    harm: 'lost',
    promise: 'every output of a worker is in the transcript',
    sql: `
select w.session || ' lacks output ' || w.output_seq || ' (' || w.kind || ')' as what
from evidence.worker w
where w.what = 'output' and not exists (
  select from transcript t where t.session = w.session and t.log_id = w.log_id
    and w.output_seq between t.first_seq and t.seq)`,
  },
  {
    harm: 'lost',
    promise: 'every question of an agent is answered or withdrawn',
    sql: `
select w.session || ' still asks ' || w.request_id as what
from evidence.worker w
where w.what = 'output' and w.kind = 'approvalRequest'
  and not exists (select from evidence.worker d where d.session = w.session and d.request_id = w.request_id and d.what = 'decided')
  and not exists (select from evidence.worker d where d.session = w.session and d.request_id = w.request_id
                  and d.what = 'output' and d.kind = 'approvalWithdrawn')`,
  },
  {
    harm: 'lost',
    promise: 'every command is taken',
    sql: `
select 'never taken: ' || c.message as what
from evidence.chat c, evidence.about a
where c.kind = 'post_created' and c.user_id <> a.bot_id and c.message like a.trigger || ' %'
  and not exists (select from inbox i where i.dedup_key = 'post/' || c.post_id and i.done_at is not null)`,
  },
  {
    harm: 'lost',
    promise: 'every command in the lobby is answered there',
    sql: `
select 'no answer to ' || c.message as what
from evidence.chat c, evidence.about a
where c.kind = 'post_created' and c.user_id <> a.bot_id and c.channel_id = a.lobby_id and c.message like a.trigger || ' %'
  and not exists (select from evidence.post p where p.root_id = c.post_id and p.user_id = a.bot_id)`,
  },
  {
    harm: 'lost',
    promise: 'every edit is taken, as such or with its post',
    sql: `
select 'edit of ' || p.id || ' never taken' as what
from evidence.post p join thread t on t.root_id = p.root_id, evidence.about a
where p.user_id <> a.bot_id and p.edit_at > p.at
  and not exists (select from inbox i
    where i.dedup_key = 'edit/' || p.id || '/' || (extract(epoch from p.edit_at) * 1000)::bigint
       or i.dedup_key = 'post/' || p.id and i.event->>'text' = p.message)`,
  },
  {
    harm: 'lost',
    promise: 'every channel is read up to its last message of a person',
    sql: `
select c.channel_id || ' is read up to ' || coalesce(k.read_up_to::text, 'nothing') || ', not ' || max(c.at) as what
from evidence.chat c left join chat_cursor k on k.channel_id = c.channel_id, evidence.about a
where c.kind = 'post_created' and c.type = '' and c.user_id <> a.bot_id
group by c.channel_id, k.read_up_to having k.read_up_to is null or k.read_up_to < max(c.at)`,
  },
  // ---------------------------------------------------------------- duplicated
  {
    harm: 'duplicated',
    promise: 'no message that answered a question is run as well',
    sql: `
select w.session || ' ran the answer ' || c.message as what
from evidence.worker d join evidence.chat c on c.message = d.answer and c.kind = 'post_created'
  join evidence.worker w on w.what = 'ran' and w.session = d.session and w.input_id = c.post_id
where d.what = 'decided'`,
  },
  {
    harm: 'duplicated',
    promise: 'no message is run twice',
    sql: `
select session || ' ran ' || count(*) || ' times: ' || min(text) as what
from evidence.worker where what = 'ran' group by session, input_id having count(*) > 1`,
  },
  {
    harm: 'duplicated',
    promise: 'no word of an answer is shown twice',
    sql: `
select root_id || ' shows ' || count(*) || ' times ' || word as what
from evidence.shown group by root_id, word having count(*) > 1`,
  },
  {
    harm: 'duplicated',
    promise: 'no post is made twice',
    sql: `select 'made ' || count(*) || ' times: ' || key as what from evidence.post where key is not null group by key having count(*) > 1`,
  },
  {
    harm: 'duplicated',
    promise: 'the bot knows every post it made',
    sql: `
select 'unknown post ' || c.post_id || ': ' || left(c.message, 60) as what
from evidence.chat c, evidence.about a
where c.kind = 'post_created' and c.type = '' and c.user_id = a.bot_id
  and not exists (select from chat_post p where p.post_id = c.post_id)`,
  },
  {
    harm: 'duplicated',
    promise: 'no command in the lobby is answered twice',
    sql: `
select count(*) || ' answers to ' || c.message as what
from evidence.chat c join evidence.post p on p.root_id = c.post_id, evidence.about a
where c.kind = 'post_created' and c.user_id <> a.bot_id and p.user_id = a.bot_id and c.channel_id = a.lobby_id
  and c.message like a.trigger || ' %'
group by c.post_id, c.message having count(*) > 1`,
  },
  {
    harm: 'duplicated',
    promise: 'a worker is told a decision once',
    sql: `
select session || ' was told ' || count(*) || ' times of ' || request_id as what
from evidence.worker where what = 'decided' group by session, request_id having count(*) > 1`,
  },
  {
    harm: 'duplicated',
    promise: 'a message is one event',
    sql: `
select event->>'type' || ' of post ' || (event->>'postId') || ' was taken ' || count(*) || ' times' as what
from journal where event->>'postId' <> '' and event->>'type' ~ '^(PROMPT|SLASH|COMMAND[.].*)$'
group by event->>'type', event->>'postId' having count(*) > 1`,
  },
  {
    harm: 'duplicated',
    promise: 'a repository has one channel',
    sql: `
select count(distinct channel_id) || ' channels hold threads of ' || (state->'snapshot'->'context'->'request'->'repo'->>'repo') as what
from thread join actor on actor.id = thread.session where channel_id is not null
group by state->'snapshot'->'context'->'request'->'repo'->>'repo' having count(distinct channel_id) > 1`,
  },
  // ---------------------------------------------------------------- inconsistent
  {
    harm: 'inconsistent',
    promise: 'no event is left over',
    sql: `select 'pending event ' || dedup_key as what from inbox where done_at is null`,
  },
  {
    harm: 'inconsistent',
    promise: 'no effect is left over',
    sql: `select 'pending effect ' || key || ' ' || kind || coalesce(': ' || error, '') as what from effect where status = 'pending'`,
  },
  {
    harm: 'inconsistent',
    promise: 'no thread is behind',
    sql: `select 'dirty thread ' || session as what from thread where dirty > clean`,
  },
  {
    harm: 'inconsistent',
    promise: 'no post is half made',
    sql: `select 'half made ' || key as what from chat_post where state = 'creating'`,
  },
  {
    harm: 'inconsistent',
    promise: 'there are no dead letters',
    sql: `select 'dead letter (' || reason || ') ' || actor_id || ' ' || (event->>'type') || coalesce(': ' || error, '') as what from dead_letter`,
  },
  {
    harm: 'inconsistent',
    promise: 'no actor is parked or broken',
    sql: `select status || ' ' || id as what from actor where status not in ('active', 'done')`,
  },
  {
    harm: 'inconsistent',
    promise: "an actor's journal has every revision, once",
    sql: `
select a.id || ' is at ' || a.rev || ' with ' || count(j.rev) || ' journal rows up to ' || coalesce(max(j.rev), 0) as what
from actor a left join journal j on j.actor_id = a.id
group by a.id, a.rev having count(j.rev) <> a.rev or max(j.rev) is distinct from a.rev or min(j.rev) is distinct from 1`,
  },
  {
    harm: 'inconsistent',
    promise: "a container's guests are the sessions that use it",
    sql: `
with guest as (
  select c.id as container, g->>'session' as session
  from actor c, jsonb_array_elements(c.state->'snapshot'->'context'->'guests') as g where c.kind = 'container'
), using_ as (
  select s.state->'snapshot'->'context'->>'container' as container, s.id as session
  from actor s where s.kind = 'session' and s.state->'snapshot'->'value' ? 'active'
)
select coalesce(g.session, u.session) || case when u.session is null then ' is a guest but not active' else ' is active but no guest' end as what
from guest g full join using_ u using (container, session) where g.session is null or u.session is null`,
  },
  {
    harm: 'inconsistent',
    promise: 'a session waits for exactly the requests that are open',
    sql: `
with waits as (
  select s.id as session, r as request
  from actor s, jsonb_array_elements_text(s.state->'snapshot'->'context'->'open') as r where s.kind = 'session'
), is_open as (
  select s.state->'snapshot'->'context'->>'session' as session, s.state->'snapshot'->'context'->>'requestId' as request
  from actor s where s.kind = 'approval' and s.state->'snapshot'->>'value' in
    ('new', 'posting', 'unposted', 'pending', 'applying', 'verifying', 'telling', 'failed')
)
select coalesce(w.session, o.session) || case when o.session is null then ' waits for a settled request ' else ' does not wait for open ' end
  || coalesce(w.request, o.request) as what
from waits w full join is_open o using (session, request) where w.session is null or o.session is null`,
  },
  {
    harm: 'inconsistent',
    promise: 'no session is stuck',
    sql: `
select id || ' is stuck: ' || (state->'snapshot'->'value')::text || ' with ' ||
  jsonb_array_length(state->'snapshot'->'context'->'queue') || ' waiting' as what
from actor where kind = 'session' and (
  not (state->'snapshot'->'value' ? 'active' or state->'snapshot'->>'value' = 'stopped')
  or state->'snapshot'->'value' @? '$.active.agent'
  or state->'snapshot'->'value' ? 'active' and (
    state->'snapshot'->'value'->'active'->'open'->>'conversation' is distinct from 'idle'
    or state->'snapshot'->'value'->'active'->'open'->>'link' is distinct from 'connected'
    or jsonb_array_length(state->'snapshot'->'context'->'queue') > 0))`,
  },
  {
    harm: 'inconsistent',
    promise: 'what a worker was told is what somebody pressed or wrote, and what the card says',
    sql: `
with told as (
  select d.session, d.request_id, d.outcome, d.answer, p.id as card_id, p.card
  from evidence.worker d
  join evidence.worker q on q.session = d.session and q.request_id = d.request_id and q.kind = 'approvalRequest'
  left join thread t on t.session = d.session
  left join evidence.post p on p.root_id = t.root_id and p.card ~ ('\\m' || substring(q.text from '\\mt[0-9]+(?:n[0-9]+)?') || '\\M')
  where d.what = 'decided'
)
select session || ' was told ' || outcome || ' ' || answer || ' of ' || request_id || '; the card says ' || coalesce(right(card, 60), 'nothing') as what
from told
where card_id is null
   or not exists (select from evidence.chat c where c.kind = 'click' and c.post_id = told.card_id
        and (c.action_id = 'deny') = (told.outcome = 'DECISION_OUTCOME_DENIED'))
     and not exists (select from evidence.chat c join thread t on t.root_id = c.root_id
        where t.session = told.session and c.kind in ('post_created', 'post_edited') and c.message = told.answer)
   or (outcome = 'DECISION_OUTCOME_APPROVED' and answer = '' and card not like '%Approved%')
   or (outcome = 'DECISION_OUTCOME_APPROVED' and answer <> '' and card not like '%Answered: **' || answer || '**%')
   or (outcome = 'DECISION_OUTCOME_DENIED' and card not like '%Denied%' and card not like '%Skipped%')`,
  },
  {
    harm: 'inconsistent',
    promise: 'what was run is what the person had written, before or after an edit',
    sql: `
select w.session || ' ran other words than post ' || w.input_id || ' had: ' || w.text as what
from evidence.worker w
where w.what = 'ran' and w.text ~ 'do t[0-9]+ ' and not exists (
  select from evidence.chat c where c.post_id = w.input_id and c.kind in ('post_created', 'post_edited')
    and w.text like '%' || c.message)`,
  },
  {
    harm: 'inconsistent',
    promise: 'messages run in the order in which they were written',
    sql: `
with ran as (
  select w.session, w.input_id, w.seq, c.seq as written, lag(c.seq) over (partition by w.session order by w.seq) as before
  from evidence.worker w join evidence.chat c on c.post_id = w.input_id and c.kind = 'post_created'
  where w.what = 'ran'
)
select session || ' ran post ' || input_id || ' after one that was written later' as what from ran where before > written`,
  },
  {
    harm: 'inconsistent',
    promise: 'no effect failed that had no reason to',
    sql: `
select 'failed ' || kind || ' ' || key || ': ' || coalesce(error, '') as what from effect where status = 'failed'
  and not (kind = 'worker.interrupt' and error like 'NO_SUCH_TURN%')
  and not (kind = 'worker.decide' and error like 'NO_SUCH_REQUEST%')`,
  },
];
