/** All that the page has read, and how it is kept up to date. */
import { batch, effect, signal, untracked } from '@preact/signals';
import type { Revision } from '../ports.ts';
import type {
  ActorAnswer,
  ActorsAnswer,
  Change,
  JournalAnswer,
  LettersAnswer,
  OverviewAnswer,
  Pulse,
} from '../wire.ts';
import { AskError, ask, signedOut } from './ask.ts';
import { loading, throttled } from './loading.ts';
import { paged } from './paged.ts';
import { route } from './route.ts';
import { orderStates, serverTime } from './words.ts';

export const filter = signal({ kind: '', status: '', search: '' });
export const pulse = signal<Pulse | undefined>(undefined);
export const connected = signal<'connecting' | 'live' | 'lost'>('connecting');

/** The address that is looked at. */
export const selected = signal('');

export const overview = loading(async () => {
  const answer = await ask<OverviewAnswer>('overview');
  serverTime(answer.now);
  orderStates(answer.kinds.flatMap(({ states }) => states));
  return answer;
});

export const actors = paged<ActorsAnswer, ActorsAnswer['actors'][number], string>({
  read: (before) => ask<ActorsAnswer>('actors', { ...filter.value, before }),
  items: (answer) => answer.actors,
  keyOf: (line) => line.address,
  isAfter: (line, other) =>
    line.updatedAt < other.updatedAt || (line.updatedAt === other.updatedAt && line.address < other.address),
});

export const actor = loading(async () => {
  const answer = await ask<ActorAnswer>('actor', { address: selected.value });
  serverTime(answer.now);
  return answer;
});

export const journal = paged<JournalAnswer, JournalAnswer['lines'][number], number>({
  read: (before) => ask<JournalAnswer>('journal', { address: selected.value, before }),
  items: (answer) => answer.lines,
  keyOf: (line) => line.rev,
  isAfter: (line, other) => line.rev < other.rev,
});

export const letters = paged<LettersAnswer, LettersAnswer['letters'][number], number>({
  read: (before) => {
    const at = route.value;
    return ask<LettersAnswer>('letters', { address: at.page === 'actor' ? at.address : undefined, before });
  },
  items: (answer) => answer.letters,
  keyOf: (letter) => letter.id,
  isAfter: (letter, other) => letter.id < other.id,
});

export const revision = loading(async (): Promise<Revision> => {
  const at = route.value;
  if (at.page !== 'actor' || at.rev === undefined) throw new AskError(404, '');
  return ask<Revision>('revision', { address: at.address, rev: at.rev });
});

const soonActors = throttled(2_000, () => actors.refresh());
const soonOverview = throttled(3_000, () => overview.refresh());
const soonLetters = throttled(1_000, () => letters.refresh());
const soonActor = throttled(150, () => {
  actor.refresh();
  journal.refresh();
});

export function refreshAll(): void {
  overview.refresh();
  actors.refresh();
  letters.refresh();
  if (selected.value !== '') soonActor();
}

/** What the stream told; rows that are shown change at once, the rest is read again soon. */
function take(changes: readonly Change[]): void {
  const byAddress = new Map(changes.map((change) => [change.address, change]));
  batch(() => {
    actors.update((line) => {
      const change = byAddress.get(line.address);
      if (change?.status === undefined || change.value === undefined || change.rev <= line.rev) return line;
      return { ...line, rev: change.rev, status: change.status, value: change.value, updatedAt: Date.now() };
    });
  });
  soonActors();
  soonOverview();
  soonLetters();
  if (byAddress.has(selected.value)) soonActor();
}

let stream: EventSource | undefined;

/** Listens until signed out; the browser connects again by itself, and everything is read anew then. */
function listen(): void {
  stream?.close();
  const source = new EventSource('/api/events');
  stream = source;
  source.addEventListener('pulse', (event) => {
    const told = JSON.parse(event.data) as Pulse;
    serverTime(told.now);
    pulse.value = told;
  });
  source.addEventListener('changes', (event) => take(JSON.parse(event.data) as Change[]));
  source.addEventListener('open', () => {
    connected.value = 'live';
    refreshAll();
  });
  source.addEventListener('error', () => {
    connected.value = 'lost';
    // Refused outright, not merely interrupted: the browser gives up, we do not.
    if (source.readyState !== EventSource.CLOSED) return;
    overview.refresh();
    setTimeout(() => {
      if (stream === source && !signedOut.value) listen();
    }, 2_000);
  });
}

/** Follows the address bar and the filters. */
export function follow(): void {
  effect(() => {
    const at = route.value;
    const address = at.page === 'actor' ? at.address : '';
    if (address === selected.peek()) return;
    selected.value = address;
    actor.reset();
    journal.reset();
    letters.reset();
    letters.refresh();
    if (address === '') return;
    actor.refresh();
    journal.refresh();
  });
  effect(() => {
    const at = route.value;
    revision.reset();
    if (at.page === 'actor' && at.rev !== undefined) revision.refresh();
  });
  effect(() => {
    filter.value;
    actors.reset();
    actors.refresh();
  });
  effect(() => {
    if (signedOut.value) stream?.close();
    else untracked(listen);
  });
}
