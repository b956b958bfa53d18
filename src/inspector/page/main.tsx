/** The page, put together. */
import { signal } from '@preact/signals';
import { render } from 'preact';
import { Actor } from './actor.tsx';
import { login, signedOut, wordsOf } from './ask.ts';
import { connected, follow, overview, refreshAll } from './data.ts';
import { closeRevision, openRevision, stepRevision } from './journal.tsx';
import { Letters } from './letters.tsx';
import { ActorList } from './list.tsx';
import { Confirmation } from './operate.tsx';
import { Overview } from './overview.tsx';
import { Note } from './parts.tsx';
import { route } from './route.ts';

function Page() {
  if (signedOut.value) return <Login />;
  const at = route.value;
  return (
    <div class={`page at-${at.page}`}>
      <Bar />
      <ActorList />
      <main>
        {at.page === 'overview' && <Overview />}
        {at.page === 'letters' && (
          <>
            <h2 class="alone">Dead letters</h2>
            <Letters withActor />
          </>
        )}
        {at.page === 'actor' && <Actor key={at.address} />}
      </main>
      <Confirmation />
    </div>
  );
}

const CONNECTION = { connecting: 'connecting …', live: 'live', lost: 'connection lost, trying again' } as const;

function Bar() {
  const at = route.value;
  const found = overview.value.value;
  const letters = found?.letters ?? 0;
  return (
    <header class="bar">
      <a class="brand" href="#/" aria-label="Inspector, overview">
        <span class="back" aria-hidden="true">
          ‹
        </span>
        Inspector
      </a>
      <a class="tab" href="#/letters" aria-current={at.page === 'letters' ? 'page' : undefined}>
        Dead letters{letters > 0 && <span class="count warn">{letters}</span>}
      </a>
      <span class="space" />
      {found !== undefined && (
        <span class="role" title={found.leading ? 'This process leads' : 'Another process leads'}>
          {found.leading ? 'leader' : 'standby'}
          {found.maySend ? '' : ' · read-only'}
        </span>
      )}
      <span class={`connection ${connected.value}`} role="status">
        <span class="words">{CONNECTION[connected.value]}</span>
      </span>
    </header>
  );
}

const problem = signal('');

function Login() {
  return (
    <form
      class="login"
      onSubmit={(event) => {
        event.preventDefault();
        const given = new FormData(event.currentTarget).get('token');
        void enter(typeof given === 'string' ? given : '');
      }}
    >
      <h1>Inspector</h1>
      <label>
        Token
        <input name="token" type="password" autocomplete="current-password" required />
      </label>
      {problem.value !== '' && <Note tone="bad">{problem.value}</Note>}
      <button type="submit" class="primary">
        Open
      </button>
      <p class="quiet">The value of SM_INSPECTOR_TOKEN.</p>
    </form>
  );
}

async function enter(token: string): Promise<void> {
  try {
    await login(token);
    problem.value = '';
    refreshAll();
  } catch (error) {
    signedOut.value = true;
    problem.value = wordsOf(error);
  }
}

/** A link with `?token=` opens the page once; the token leaves the address bar before anything else happens. */
async function takeToken(): Promise<void> {
  const query = new URLSearchParams(location.search);
  const token = query.get('token');
  if (token === null) return;
  history.replaceState(null, '', `${location.pathname}${location.hash}`);
  await enter(token);
}

addEventListener('keydown', (event) => {
  const typing = event.target instanceof HTMLElement && /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (event.key === 'Escape' && typing) (event.target as HTMLElement).blur();
  if (typing || event.metaKey || event.ctrlKey || event.altKey || document.querySelector('dialog[open]')) return;
  if (event.key === '/') {
    event.preventDefault();
    document.getElementById('search')?.focus();
  } else if (event.key === 'j') stepRevision('older');
  else if (event.key === 'k') stepRevision('newer');
  else if (event.key === 'Escape' && openRevision() !== undefined) closeRevision();
  else if (event.key === 'Escape' && route.value.page !== 'overview') location.hash = '#/';
});

await takeToken();
follow();
render(<Page />, document.body);
