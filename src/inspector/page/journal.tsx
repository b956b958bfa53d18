/** What happened to an actor, newest first; a revision opens to its event, context and effects. */
import { useEffect, useRef } from 'preact/hooks';
import type { JournalLine, Revision } from '../ports.ts';
import { journal, revision, selected } from './data.ts';
import { Json, Loaded, More, Note } from './parts.tsx';
import { actorLink, replaceRoute, route } from './route.ts';
import { ago, clock, dateAndTime, stateText, until } from './words.ts';

export function Journal() {
  const open = openRevision();
  return (
    <Loaded value={journal.items.value} error={journal.error.value}>
      {(lines) => (
        <>
          {lines.length === 0 && <Note>The journal of this actor is empty.</Note>}
          {open !== undefined && lines.every(({ rev }) => rev !== open) && (
            <div class="outside">
              <Detail />
            </div>
          )}
          <ol class="journal" aria-label="Journal">
            {lines.map((line) => (
              <Line key={line.rev} line={line} open={line.rev === open} />
            ))}
          </ol>
          <More has={journal.hasMore.value} onMore={journal.more} />
        </>
      )}
    </Loaded>
  );
}

export function openRevision(): number | undefined {
  const at = route.value;
  return at.page === 'actor' ? at.rev : undefined;
}

/** j: to the older neighbour, k: to the newer one. */
export function stepRevision(direction: 'older' | 'newer'): void {
  const lines = journal.items.value ?? [];
  const open = openRevision();
  const place = lines.findIndex(({ rev }) => rev === open);
  const wanted = open === undefined ? 0 : place + (direction === 'older' ? 1 : -1);
  const line = lines[wanted];
  if (line !== undefined) replaceRoute(actorLink(selected.value, line.rev));
  else if (direction === 'older') journal.more();
  else if (open !== undefined) closeRevision();
}

export function closeRevision(): void {
  replaceRoute(actorLink(selected.value));
}

function Line({ line, open }: { readonly line: JournalLine; readonly open: boolean }) {
  const { rev, at, eventType, cause, value, effects } = line;
  const place = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (open) place.current?.scrollIntoView({ block: 'nearest' });
  }, [open]);
  return (
    <li ref={place} class={open ? 'open' : ''}>
      <a
        class="line"
        href={open ? actorLink(selected.value) : actorLink(selected.value, rev)}
        aria-expanded={open}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey) return;
          event.preventDefault();
          replaceRoute(event.currentTarget.hash);
        }}
      >
        <span class="rev">{rev}</span>
        <time dateTime={new Date(at).toISOString()} title={dateAndTime(at)}>
          {clock(at)}
        </time>
        <span class="mono event">{eventType}</span>
        <span class="state" title={stateText(value)}>
          {stateText(value)}
        </span>
        <span class="effects" title={effects.join('\n')}>
          {summary(effects)}
        </span>
        <span class="cause mono" title={cause}>
          {cause ?? ''}
        </span>
      </a>
      {open && <Detail />}
    </li>
  );
}

/** `say ×2, worker.prompt` */
function summary(effects: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const kind of effects) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => (count > 1 ? `${kind} ×${count}` : kind)).join(', ');
}

function Detail() {
  return (
    <div class="detail">
      <Loaded value={revision.value.value} error={revision.error.value}>
        {(found) => (
          <>
            <p class="from">
              Revision {found.rev} · {dateAndTime(found.at)} · chart version {found.version}
              {found.cause !== undefined && (
                <>
                  {' '}
                  · caused by <Cause cause={found.cause} />
                </>
              )}
            </p>
            <Effects found={found} />
            <div class="pair">
              <Json value={found.event} label="Event" />
              <Json value={found.context} label="Context afterwards" />
            </div>
          </>
        )}
      </Loaded>
    </div>
  );
}

/** The key of an effect names the actor and revision that asked for it. */
function Cause({ cause }: { readonly cause: string }) {
  const [, address, rev] = /^((?:gateway|container|session|approval)\/.+)\/(\d+)\/\d+$/.exec(cause) ?? [];
  if (address === undefined || rev === undefined) return <span class="mono">{cause}</span>;
  return (
    <a class="mono" href={actorLink(address, Number(rev))}>
      {cause}
    </a>
  );
}

function Effects({ found }: { readonly found: Revision }) {
  if (found.effects.length === 0) return <p class="quiet">No effects.</p>;
  return (
    <ul class="effect-list" aria-label="Effects">
      {found.effects.map((effect, index) => {
        const outcome = found.outcomes.find((entry) => entry.index === index);
        return (
          <li key={String(index)}>
            <details>
              <summary>
                <span class="mono">{String(effect.kind)}</span>
                {typeof effect.to === 'string' && (
                  <>
                    {' '}
                    → <a href={actorLink(effect.to)}>{effect.to}</a>
                  </>
                )}
                {outcome !== undefined && (
                  <span class={`outcome ${outcome.status}`}>
                    {outcome.status}
                    {outcome.attempts > 1 || outcome.status === 'pending' ? ` · ${outcome.attempts} attempts` : ''}
                    {outcome.status === 'pending' ? ` · next ${until(outcome.runAt)}` : ''}
                    {outcome.doneAt === undefined ? '' : ` · ${ago(outcome.doneAt)}`}
                  </span>
                )}
              </summary>
              {outcome?.error !== undefined && <p class="error mono">{outcome.error}</p>}
              <Json value={effect} label="Effect" />
            </details>
          </li>
        );
      })}
    </ul>
  );
}
