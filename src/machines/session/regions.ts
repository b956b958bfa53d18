/** What goes on beside the conversation of an open session: its link, its mode, and whether the agent is heard. */
import { not } from 'xstate';
import { sessionSetup } from './setup.ts';

/** How long a broken link may take to come back before the container is asked to look after the worker. */
const RECONNECT_PATIENCE_MS = 5_000;
/** How often the container is asked again while the link stays down. */
const LOST_PATIENCE_MS = 60_000;

/** Longer than all steps of bringing a container up may take together. Who is silent for so long cannot answer. */
export const GIVE_UP_MS = 4 * 3_600_000;

/** News of what did not survive comes first: it is about what was known before. */
const UP = ['reportLoss', 'linkUp', 'keepPlace'] as const;

export const link = sessionSetup.createStateConfig({
  initial: 'connected',
  states: {
    connected: {
      tags: 'waiting',
      on: { 'LINK.UP': { actions: UP }, 'LINK.DOWN': { target: 'reconnecting' } },
    },
    reconnecting: {
      tags: 'busy',
      after: { [RECONNECT_PATIENCE_MS]: { target: 'lost', actions: 'sayMovedOn' } },
      on: { 'LINK.UP': { target: 'connected', actions: UP } },
    },
    /** The container looks after its worker; the link goes on trying meanwhile. */
    lost: {
      tags: 'busy',
      initial: 'asking',
      after: { [GIVE_UP_MS]: { target: '#session.failed', actions: 'recordSilence' } },
      on: { 'LINK.UP': { target: 'connected', actions: UP } },
      states: {
        asking: {
          entry: 'askContainerForHelp',
          after: { [LOST_PATIENCE_MS]: { target: 'asking', reenter: true } },
        },
      },
    },
  },
});

/** What the worker confirmed, not what was asked for. */
export const mode = sessionSetup.createStateConfig({
  initial: 'known',
  states: {
    known: { always: [{ guard: 'plans', target: 'plan' }, { target: 'normal' }] },
    normal: {
      tags: 'waiting',
      on: {
        'COMMAND.PLAN': { actions: 'planOn' },
        'MODE.CHANGED': [
          { guard: 'turnsPlanOn', target: 'plan', actions: ['modeChanged', 'sayMode'] },
          { actions: ['modeChanged', 'sayMode'] },
        ],
        'LINK.UP': { guard: 'turnsPlanOn', target: 'plan' },
      },
    },
    plan: {
      tags: 'waiting',
      on: {
        'COMMAND.PLAN': { actions: 'planOff' },
        'MODE.CHANGED': [
          { guard: not('turnsPlanOn'), target: 'normal', actions: ['modeChanged', 'sayMode'] },
          { actions: ['modeChanged', 'sayMode'] },
        ],
        'LINK.UP': { guard: not('turnsPlanOn'), target: 'normal' },
      },
    },
  },
});

/** Warns once when the agent should be heard and is not; the warning goes when it is heard or has nothing to do. */
export const liveness = sessionSetup.createStateConfig({
  initial: 'fresh',
  states: {
    fresh: {
      tags: 'waiting',
      after: { livenessMs: { guard: 'shouldBeHeard', target: 'quiet' } },
      on: {
        'OUTPUT.SEEN': { target: 'fresh', reenter: true },
        'PROMPT.TAKEN': { target: 'fresh', reenter: true },
        'TURN.STARTED': { target: 'fresh', reenter: true },
        'APPROVAL.SETTLED': { target: 'fresh', reenter: true },
        'APPROVAL.WITHDRAWN': { target: 'fresh', reenter: true },
        'LINK.UP': { target: 'fresh', reenter: true },
      },
    },
    quiet: {
      tags: 'waiting',
      entry: ['recordQuiet', 'sayQuiet'],
      exit: 'withdrawQuiet',
      always: { guard: not('shouldBeHeard'), target: 'fresh' },
      on: {
        'OUTPUT.SEEN': { target: 'fresh' },
        'TURN.STARTED': { target: 'fresh' },
        'LINK.UP': { target: 'fresh' },
      },
    },
  },
});
