/** One actor: what it is, where it stands, what waits for it, and what happened to it. */
import { signal } from '@preact/signals';
import type { ActorStatus } from '../../actors/types.ts';
import type { ActorAnswer } from '../wire.ts';
import { Chart } from './chart.tsx';
import { actor, journal, letters, overview, revision } from './data.ts';
import { closeRevision, Journal, openRevision } from './journal.tsx';
import { Letters } from './letters.tsx';
import { ActorActions } from './operate.tsx';
import { ActorLink, Fact, Json, Kind, Loaded, Status } from './parts.tsx';
import { Waiting, waitingCount } from './waiting.tsx';
import { ago, dateAndTime, keyOf, stateText, until } from './words.ts';

type Tab = 'journal' | 'waiting' | 'letters' | 'context';

const tab = signal<Tab>('journal');

export function Actor() {
  return (
    <Loaded value={actor.value.value} error={actor.error.value}>
      {(answer) => (
        <>
          <Head answer={answer} />
          <Picture answer={answer} />
          <Tabs answer={answer} />
        </>
      )}
    </Loaded>
  );
}

function Head({ answer }: { readonly answer: ActorAnswer }) {
  const { actor: it } = answer;
  const { address, kind, status, envelope } = it;
  return (
    <header class="head">
      <div class="title">
        <Kind kind={kind} />
        <h2 class="mono">{keyOf(address)}</h2>
        <Status status={status} />
        <ActorActions address={address} status={status} />
      </div>
      <p class="state" aria-live="polite" id="state">
        {stateText(envelope.snapshot.value)}
      </p>
      <Trouble status={status} />
      <Facts answer={answer} />
    </header>
  );
}

/** Why it is parked or gave up, as the runtime wrote it into the journal. */
function Trouble({ status }: { readonly status: ActorStatus }) {
  if (status !== 'parked' && status !== 'error') return null;
  const line = journal.items.value?.find(({ eventType }) => eventType === `runtime.${status}`);
  if (line?.cause === undefined) return null;
  return (
    <p class={`trouble ${status}`}>
      <strong>{status === 'parked' ? 'Parked' : 'Gave up'}</strong> <span class="mono">{line.cause}</span>
    </p>
  );
}

function Facts({ answer: { actor: it } }: { readonly answer: ActorAnswer }) {
  const current = overview.value.value?.kinds.find(({ kind }) => kind === it.kind)?.version;
  const timers = Object.keys(it.envelope.timers).length;
  return (
    <dl class="facts">
      <Fact name="Revision">{it.rev.toLocaleString()}</Fact>
      <Fact name="Updated">
        <span title={dateAndTime(it.updatedAt)}>{ago(it.updatedAt)}</span>
      </Fact>
      <Fact name="Created">
        <span title={dateAndTime(it.createdAt)}>{ago(it.createdAt)}</span>
      </Fact>
      <Fact name="Next deadline">
        {it.wakeAt === undefined || timers === 0 ? '-' : <span title={dateAndTime(it.wakeAt)}>{until(it.wakeAt)}</span>}
      </Fact>
      <Fact name="Inbox">{it.inbox}</Fact>
      <Fact name="Failures">{it.failures}</Fact>
      <Fact name="Chart version">
        {it.version}
        {current !== undefined && current !== it.version && (
          <span class="warn" title="The chart below is the newer one">
            {' '}
            (now {current})
          </span>
        )}
      </Fact>
      <Fact name="Written in term">{it.term}</Fact>
      {it.parent !== undefined && (
        <Fact name="Parent">
          <ActorLink address={it.parent} />
        </Fact>
      )}
    </dl>
  );
}

function Picture({ answer: { actor: it } }: { readonly answer: ActorAnswer }) {
  const open = openRevision();
  const past = open === undefined || open === it.rev ? undefined : revision.value.value;
  const lines = journal.items.value ?? [];
  const [newest, previous] = lines;
  const isNewest = newest?.rev === it.rev;
  const moment =
    past === undefined
      ? {
          machine: it.kind,
          value: it.envelope.snapshot.value,
          before: isNewest ? previous?.value : undefined,
          event: isNewest ? newest.eventType : undefined,
        }
      : { machine: it.kind, value: past.value, before: past.before, event: String(past.event.type) };
  return (
    <>
      {past !== undefined && (
        <p class="past" role="status">
          The chart shows revision {past.rev}, not now.
          <button type="button" onClick={closeRevision}>
            Back to now
          </button>
        </p>
      )}
      <Chart
        kind={it.kind}
        moment={moment}
        work={past === undefined && it.status === 'active' ? it.envelope : undefined}
      />
    </>
  );
}

function Tabs({ answer }: { readonly answer: ActorAnswer }) {
  const { actor: it } = answer;
  const tabs: readonly { readonly id: Tab; readonly name: string; readonly count: number }[] = [
    { id: 'journal', name: 'Journal', count: 0 },
    { id: 'waiting', name: 'Waiting', count: waitingCount(answer) },
    { id: 'letters', name: 'Dead letters', count: it.letters },
    { id: 'context', name: 'Context', count: 0 },
  ];
  return (
    <section class="below">
      <div class="tabs" role="tablist" aria-label="About this actor" onKeyDown={moveAlong}>
        {tabs.map(({ id, name, count }) => (
          <button
            key={id}
            type="button"
            role="tab"
            id={`tab-${id}`}
            aria-selected={tab.value === id}
            aria-controls="panel"
            tabIndex={tab.value === id ? 0 : -1}
            onClick={() => {
              tab.value = id;
              if (id === 'letters') letters.refresh();
            }}
          >
            {name}
            {count > 0 && <span class="count">{count}</span>}
          </button>
        ))}
      </div>
      <div id="panel" role="tabpanel" aria-labelledby={`tab-${tab.value}`}>
        <Panel answer={answer} />
      </div>
    </section>
  );
}

function Panel({ answer }: { readonly answer: ActorAnswer }) {
  switch (tab.value) {
    case 'journal':
      return <Journal />;
    case 'waiting':
      return <Waiting answer={answer} />;
    case 'letters':
      return <Letters withActor={false} />;
    case 'context':
      return <Json value={answer.actor.envelope.snapshot.context} label="Context now" />;
  }
}

/** Arrow keys move between tabs, as everywhere. */
function moveAlong(event: KeyboardEvent): void {
  const step =
    event.key === 'ArrowRight'
      ? 'nextElementSibling'
      : event.key === 'ArrowLeft'
        ? 'previousElementSibling'
        : undefined;
  if (step === undefined || !(event.target instanceof HTMLElement)) return;
  const next = event.target[step];
  if (!(next instanceof HTMLElement)) return;
  next.click();
  next.focus();
}
