/** What a person may do with an actor or a dead letter: asked about first, and told what came of it. */
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { OperatorAction } from '../../actors/operator.ts';
import type { ActorStatus } from '../../actors/types.ts';
import { operate, wordsOf } from './ask.ts';
import { overview, refreshAll } from './data.ts';

interface Wish {
  readonly action: OperatorAction;
  readonly address: string;
  readonly letter?: number;
}

interface Outcome {
  readonly tone: 'good' | 'warn' | 'bad';
  readonly text: string;
}

const asked = signal<Wish | undefined>(undefined);
const running = signal(false);
const outcome = signal<Outcome | undefined>(undefined);

const NAMES: Readonly<Record<OperatorAction, string>> = {
  retry: 'Retry',
  skip: 'Skip',
  restart: 'Restart',
  stop: 'Stop',
};

function nameOf({ action, letter }: Wish): string {
  return letter !== undefined && action === 'retry' ? 'Replay' : NAMES[action];
}

/** What will happen, before it does. */
function consequence({ action, letter }: Wish): string {
  switch (action) {
    case 'retry':
      return letter === undefined
        ? 'The actor goes on, beginning with the event that parked it.'
        : 'The event is offered to the actor again.';
    case 'skip':
      return letter === undefined
        ? 'The actor goes on without the event that parked it.'
        : 'The letter is settled and its event forgotten.';
    case 'restart':
      return 'The actor begins anew from what it was made of. Its tasks and timers are replaced.';
    case 'stop':
      return 'The actor is done for good. Whoever holds a place for it is told.';
  }
}

const READ_ONLY = 'This inspector is read-only: set SM_INSPECTOR_ALLOW_SEND=true to allow this';

export function Act({ wish, danger = false }: { readonly wish: Wish; readonly danger?: boolean }) {
  const may = overview.value.value?.maySend ?? false;
  return (
    <button
      type="button"
      class={danger ? 'act danger' : 'act'}
      disabled={!may}
      title={may ? consequence(wish) : READ_ONLY}
      onClick={() => {
        outcome.value = undefined;
        asked.value = wish;
      }}
    >
      {nameOf(wish)}
    </button>
  );
}

/** The actions that make sense for an actor of this status. */
export function ActorActions({ address, status }: { readonly address: string; readonly status: ActorStatus }) {
  const parked = status === 'parked';
  return (
    <div class="acts">
      {parked && <Act wish={{ action: 'retry', address }} />}
      {parked && <Act wish={{ action: 'skip', address }} />}
      {status !== 'done' && <Act wish={{ action: 'restart', address }} danger />}
      {status !== 'done' && <Act wish={{ action: 'stop', address }} danger />}
    </div>
  );
}

async function carryOut(wish: Wish): Promise<void> {
  running.value = true;
  try {
    const { result, reason } = await operate(wish);
    outcome.value = {
      done: { tone: 'good' as const, text: `${nameOf(wish)}: done.` },
      refused: { tone: 'bad' as const, text: `${nameOf(wish)} was refused: ${reason}` },
      timeout: { tone: 'warn' as const, text: `${nameOf(wish)} is noted, but not carried out yet. ${reason}` },
    }[result];
  } catch (error) {
    outcome.value = { tone: 'bad', text: wordsOf(error) };
  }
  running.value = false;
  asked.value = undefined;
  refreshAll();
  const shown = outcome.value;
  // What went well needs no answer; anything else stays until it is read.
  if (shown.tone === 'good') {
    setTimeout(() => {
      if (outcome.value === shown) outcome.value = undefined;
    }, 8_000);
  }
}

export function Confirmation() {
  const dialog = useRef<HTMLDialogElement>(null);
  const wish = asked.value;
  useEffect(() => {
    if (wish !== undefined && dialog.current?.open === false) dialog.current.showModal();
    if (wish === undefined && dialog.current?.open === true) dialog.current.close();
  }, [wish]);
  return (
    <>
      <dialog
        ref={dialog}
        aria-labelledby="confirm-title"
        onClose={() => {
          asked.value = undefined;
        }}
      >
        {wish !== undefined && (
          <>
            <h3 id="confirm-title">
              {nameOf(wish)}
              {wish.letter === undefined ? '?' : ` letter ${wish.letter}?`}
            </h3>
            <p class="mono target">{wish.address}</p>
            <p>{consequence(wish)}</p>
            <div class="acts">
              <button type="button" disabled={running.value} onClick={() => dialog.current?.close()}>
                Cancel
              </button>
              <button type="button" class="primary" disabled={running.value} onClick={() => void carryOut(wish)}>
                {running.value ? 'Working …' : nameOf(wish)}
              </button>
            </div>
          </>
        )}
      </dialog>
      <div class="toast-place" role="status">
        {outcome.value !== undefined && (
          <p class={`toast ${outcome.value.tone}`}>
            {outcome.value.text}
            <button
              type="button"
              aria-label="Dismiss"
              onClick={() => {
                outcome.value = undefined;
              }}
            >
              ×
            </button>
          </p>
        )}
      </div>
    </>
  );
}
