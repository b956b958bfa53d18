/** What an actor waits for: events in its inbox, requests to the outside, timers and tasks. */
import type { ActorAnswer } from '../wire.ts';
import { Json, Note } from './parts.tsx';
import { ago, countdown, dateAndTime, now, plural, until } from './words.ts';

export function waitingCount({ actor, effects }: ActorAnswer): number {
  return actor.inbox + effects.length;
}

export function Waiting({ answer }: { readonly answer: ActorAnswer }) {
  const { actor, inbox, effects } = answer;
  const timers = Object.entries(actor.envelope.timers).sort(([, left], [, right]) => left.due - right.due);
  const tasks = Object.entries(actor.envelope.tasks);
  if (inbox.length + effects.length + timers.length + tasks.length === 0) {
    return <Note>Nothing waits: no events, no requests, no timers, no tasks.</Note>;
  }
  return (
    <div class="waiting">
      {inbox.length > 0 && (
        <section>
          <h3>{plural(actor.inbox, 'event')} in the inbox</h3>
          {inbox.length < actor.inbox && <p class="quiet">The first {inbox.length} of them.</p>}
          <ul>
            {inbox.map(({ seq, event, attempts, createdAt, cause }) => (
              <li key={seq}>
                <details>
                  <summary>
                    <span class="mono">{String(event.type)}</span> · {ago(createdAt)}
                    {attempts > 0 && <span class="bad"> · {plural(attempts, 'attempt')} failed</span>}
                    {cause !== undefined && <span class="cause mono"> {cause}</span>}
                  </summary>
                  <Json value={event} label="Event" />
                </details>
              </li>
            ))}
          </ul>
        </section>
      )}
      {effects.length > 0 && (
        <section>
          <h3>{plural(effects.length, 'request')} not done yet</h3>
          <ul>
            {effects.map(({ key, kind, params, attempts, runAt, deadline, error }) => (
              <li key={key}>
                <details>
                  <summary>
                    <span class="mono">{kind}</span> · {plural(attempts, 'attempt')} ·{' '}
                    {runAt > now.value ? `next ${until(runAt)}` : 'runs or is next'} · given up {until(deadline)}
                    {error !== undefined && <span class="error mono">{error}</span>}
                  </summary>
                  <Json value={params} label={key} />
                </details>
              </li>
            ))}
          </ul>
        </section>
      )}
      {timers.length > 0 && (
        <section>
          <h3>Timers</h3>
          <ul>
            {timers.map(([id, { due }]) => (
              <li key={id} title={dateAndTime(due)}>
                <span class="timer">{countdown(due)}</span>{' '}
                <span class="mono">{id.replace(/^xstate\.after\./, 'after ')}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {tasks.length > 0 && (
        <section>
          <h3>Tasks</h3>
          <ul>
            {tasks.map(([id, task]) => (
              <li key={id}>
                <details>
                  <summary>
                    {task.ended ? <span class="quiet">ended</span> : <span class="spinner" />}{' '}
                    <span class="mono">
                      {id}: {task.src}
                    </span>
                  </summary>
                  <Json value={task.input} label={task.key} />
                </details>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}
