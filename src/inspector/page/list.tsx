/** The list of actors: search, filters, the newest change first. */
import type { ActorLine } from '../ports.ts';
import { actors, filter, overview, selected } from './data.ts';
import { Count, Kind, Loaded, More, Note, Status } from './parts.tsx';
import { actorLink } from './route.ts';
import { ago, countdown, dateAndTime, keyOf, stateText } from './words.ts';

const STATUSES = ['active', 'parked', 'error', 'done'] as const;

let typing: ReturnType<typeof setTimeout> | undefined;

function search(text: string): void {
  clearTimeout(typing);
  typing = setTimeout(() => {
    filter.value = { ...filter.value, search: text };
  }, 200);
}

export function ActorList() {
  const kinds = overview.value.value?.kinds ?? [];
  return (
    <nav class="list" aria-label="Actors">
      <div class="filters">
        <input
          id="search"
          type="search"
          placeholder="Search addresses  ( / )"
          aria-label="Search addresses"
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => search(event.currentTarget.value)}
        />
        <Choice name="kind" label="All kinds" options={kinds.map(({ kind }) => kind)} />
        <Choice name="status" label="Any status" options={STATUSES} />
      </div>
      <div class="rows">
        <Loaded value={actors.items.value} error={actors.error.value}>
          {(lines) => (
            <>
              {lines.length === 0 && <Nothing />}
              <ul>
                {lines.map((line) => (
                  <li key={line.address}>
                    <Row line={line} />
                  </li>
                ))}
              </ul>
              <More has={actors.hasMore.value} onMore={actors.more} />
            </>
          )}
        </Loaded>
      </div>
    </nav>
  );
}

function Choice({
  name,
  label,
  options,
}: {
  readonly name: 'kind' | 'status';
  readonly label: string;
  readonly options: readonly string[];
}) {
  return (
    <select
      aria-label={name}
      value={filter.value[name]}
      onChange={(event) => {
        filter.value = { ...filter.value, [name]: event.currentTarget.value };
      }}
    >
      <option value="">{label}</option>
      {options.map((option) => (
        <option key={option} value={option}>
          {option}
        </option>
      ))}
    </select>
  );
}

function Nothing() {
  const { kind, status, search: text } = filter.value;
  const narrowed = kind !== '' || status !== '' || text !== '';
  return <Note>{narrowed ? 'No actor fits these filters.' : 'There are no actors yet.'}</Note>;
}

function Row({ line }: { readonly line: ActorLine }) {
  const { address, kind, status, value, inbox, failures, letters, wakeAt, updatedAt, busy } = line;
  const state = stateText(value);
  return (
    <a class={`row ${status}`} href={actorLink(address)} aria-current={selected.value === address ? 'true' : undefined}>
      <span class="first">
        <Kind kind={kind} />
        <span class="mono key" title={address}>
          {keyOf(address)}
        </span>
        <span class="when" title={dateAndTime(updatedAt)}>
          {ago(updatedAt)}
        </span>
      </span>
      <span class="second">
        {status !== 'active' && <Status status={status} />}
        {busy && <span class="spinner" role="img" aria-label="a task runs" title="A task runs" />}
        <span class="state" title={state}>
          {state}
        </span>
        {wakeAt !== undefined && status === 'active' && (
          <span class="timer" title={`Next deadline ${dateAndTime(wakeAt)}`}>
            {countdown(wakeAt)}
          </span>
        )}
        <Count value={inbox} label="events wait" />
        <Count value={letters} label="dead letters" tone="warn" />
        <Count value={failures} label="failures" tone="bad" />
      </span>
    </a>
  );
}
