/** Events that came to nothing: of everybody, or of one actor. */
import type { DeadReason } from '../../actors/store.ts';
import type { Letter } from '../ports.ts';
import { letters } from './data.ts';
import { Act } from './operate.tsx';
import { ActorLink, Json, Loaded, More, Note } from './parts.tsx';
import { ago, dateAndTime } from './words.ts';

const REASONS: Readonly<Record<DeadReason, string>> = {
  absent: 'nobody there',
  unhandled: 'not expected in its state',
  poison: 'its chart threw',
  done: 'the actor had ended',
  stale: 'from a task that had been replaced',
};

export function Letters({ withActor }: { readonly withActor: boolean }) {
  return (
    <Loaded value={letters.items.value} error={letters.error.value}>
      {(found) => (
        <>
          {found.length === 0 && <Note>No dead letters. Every event was taken or settled.</Note>}
          <ul class="letters">
            {found.map((letter) => (
              <li key={letter.id}>
                <LetterCard letter={letter} withActor={withActor} />
              </li>
            ))}
          </ul>
          <More has={letters.hasMore.value} onMore={letters.more} />
        </>
      )}
    </Loaded>
  );
}

function LetterCard({ letter, withActor }: { readonly letter: Letter; readonly withActor: boolean }) {
  const { id, address, reason, event, cause, error, at } = letter;
  return (
    <article class="letter" aria-label={`Letter ${id}`}>
      <header>
        <strong class="mono">{String(event.type)}</strong>
        <span class={`reason ${reason}`}>{REASONS[reason]}</span>
        <span class="when" title={dateAndTime(at)}>
          {ago(at)}
        </span>
        <span class="acts">
          <Act wish={{ action: 'retry', address, letter: id }} />
          <Act wish={{ action: 'skip', address, letter: id }} />
        </span>
      </header>
      {withActor && <ActorLink address={address} />}
      {error !== undefined && <p class="error mono">{error}</p>}
      <details>
        <summary>Event{cause === undefined ? '' : <span class="cause mono"> caused by {cause}</span>}</summary>
        <Json value={event} label="Event" />
      </details>
    </article>
  );
}
