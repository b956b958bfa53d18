// @limit 240
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  createRuntime,
  type InboxItem,
  RetryableError,
  type Runtime,
  TerminalError,
  UnknownOutcomeError,
} from '../../src/actors/index.ts';
import type { Address } from '../../src/machines/addresses.ts';
import { behindBadLine, createLaboratory, type Laboratory } from './laboratory.ts';
import { LEDGERS, SINK } from './ledger.ts';
import { createMemoryStore, type MemoryStore } from './memoryStore.ts';

const RUNS = Number(process.env.CSM_LOOP_RUNS ?? 150);
const SESSIONS = ['session/a', 'session/b', 'session/c'] as const;
type What = 'NOTE' | 'WORK' | 'WAIT' | 'BREAK';
/** What each session is sent, in order. Few break it: more would park it. */
const letters = fc.array(fc.constantFrom<What>('NOTE', 'NOTE', 'NOTE', 'WORK', 'WAIT'), { maxLength: 8 });
const scripts = fc.tuple(
  letters,
  letters,
  fc.tuple(letters, letters).map(([before, after]) => [...before, 'BREAK' as const, ...after]),
);
const dice = fc.array(fc.nat(1_000), { maxLength: 400, size: 'max' });
/** How the lead changes: in order, or by a process that still believes it leads. */
const changes = fc.array(fc.constantFrom('orderly', 'taken over'), { maxLength: 3 });

// Jitter would make a failing run unrepeatable.
Math.random = () => 0.5;

interface Process {
  readonly runtime: Runtime;
  readonly term: number;
}

interface Played {
  readonly store: MemoryStore;
  /** The keys under which each message was carried out, once per call. */
  readonly calls: ReadonlyMap<string, readonly string[]>;
  readonly finished: boolean;
}

async function play(
  scheduler: fc.Scheduler,
  scripted: readonly (readonly What[])[],
  rolled: readonly number[],
  leaders: readonly string[],
): Promise<Played> {
  const store = createMemoryStore();
  const laboratory = createLaboratory(scheduler, rolled);
  const calls = new Map<string, string[]>();
  const processes: Process[] = [];
  const failures: unknown[] = [];
  let open = 0;
  const going = (work: Promise<void>): void => {
    open += 1;
    const over = () => {
      open -= 1;
    };
    work.then(over, (error: unknown) => {
      over();
      failures.push(error);
    });
  };

  async function leadAnew(): Promise<void> {
    let started = false;
    const runtime = newRuntime(
      behindBadLine(store, laboratory, () => started),
      laboratory,
      calls,
    );
    const term = store.lead();
    await runtime.start({ term });
    started = true;
    processes.push({ runtime, term });
  }

  async function chaos(): Promise<void> {
    for (const how of leaders) {
      for (let pause = 0; pause < 15; pause += 1) await laboratory.turn('the lead stays');
      if (how === 'orderly') await processes.at(-1)?.runtime.stop();
      await leadAnew();
    }
  }

  /** One attempt, under a key that stays the same. */
  async function deliver(process: Process | undefined, item: InboxItem): Promise<'taken' | 'unknown' | 'again'> {
    await laboratory.turn('somebody writes');
    try {
      const [result] = (await process?.runtime.deliver([item])) ?? [];
      return result === undefined ? 'again' : 'taken';
    } catch (error) {
      return error instanceof UnknownOutcomeError ? 'unknown' : 'again';
    }
  }

  /** What is written in order goes to the process that leads; another one first reads again what came before. */
  async function chat(items: readonly InboxItem[]): Promise<void> {
    let reader: Process | undefined;
    let next = 0;
    for (let item = items[next]; item !== undefined; item = items[next]) {
      const leading = processes.at(-1);
      if (leading !== reader) {
        reader = leading;
        next = 0;
      } else if ((await deliver(leading, item)) === 'taken') next += 1;
    }
  }

  /**
   * Clicks go to any process, whether it leads, only thinks so, or never will again. Some people do not click again when the
   * answer is lost; what was written all the same must be taken.
   */
  async function clicks(items: readonly InboxItem[]): Promise<void> {
    for (const item of items) {
      const patient = item.event.type === 'BREAK';
      let outcome: Awaited<ReturnType<typeof deliver>> = 'again';
      while (outcome === 'again' || (outcome === 'unknown' && patient)) {
        outcome = await deliver(processes[laboratory.roll(processes.length)], item);
      }
    }
  }

  function write(session: Address, script: readonly What[]): void {
    let notes = 0;
    const items = script.map((type, index): InboxItem => {
      const event = { type, at: laboratory.clock.now(), ...(type === 'NOTE' ? { n: notes++ } : {}) };
      return { to: session, event, dedupKey: `${session}/${index}` };
    });
    going(chat(items.filter(({ event }) => event.type === 'NOTE')));
    going(clicks(items.filter(({ event }) => event.type !== 'NOTE')));
  }

  going(leadAnew());
  await laboratory.runUntil(() => open === 0);
  for (const [index, session] of SESSIONS.entries()) write(session, scripted[index] ?? []);
  going(chaos());
  const finished = await laboratory.runUntil(() => open === 0 && isCalm(store, processes));
  for (const { runtime } of processes) going(runtime.stop());
  await laboratory.runUntil(() => open === 0);
  if (failures.length > 0) throw failures[0];
  return { store, calls, finished };
}

function newRuntime(
  store: Parameters<typeof createRuntime>[0]['store'],
  laboratory: Laboratory,
  calls: Map<string, string[]>,
): Runtime {
  return createRuntime({
    kinds: LEDGERS,
    store,
    clock: laboratory.clock,
    limits: { batch: 2, fold: 3, cached: 2, events: 2, effects: 1 },
    handlers: {
      'chat.reply': async ({ key, params: { message } }) => {
        calls.set(message, [...(calls.get(message) ?? []), key]);
        await laboratory.turn('an effect');
        const luck = laboratory.roll(8);
        if (luck === 1) throw new RetryableError('away', 'not now');
        if (luck === 2) throw new TerminalError('refused', 'never');
      },
    },
    tasks: {
      job: async () => {
        await laboratory.turn('a task');
        if (laboratory.roll(4) === 1) throw new TerminalError('broken', 'the task failed');
      },
    },
  });
}

/** Nothing is left to do, neither in the store nor in the process that leads. */
function isCalm({ inbox, effects, actors }: MemoryStore, processes: readonly Process[]): boolean {
  if (inbox.some(({ done }) => !done) || [...effects.values()].some(({ status }) => status === 'pending')) return false;
  const stats = processes.at(-1)?.runtime.stats();
  if (stats === undefined || stats.pendingEvents + stats.pendingEffects + stats.runningTasks > 0) return false;
  return [...actors.values()].every(
    ({ envelope }) => Object.keys({ ...envelope.timers, ...envelope.tasks }).length === 0,
  );
}

function problemsOf({ store, calls, finished }: Played, scripted: readonly (readonly What[])[]): string[] {
  const problems: string[] = [];
  const complain = (what: string, found: unknown, wanted: unknown): void => {
    const [got, want] = [JSON.stringify(found), JSON.stringify(wanted)];
    if (got !== want) problems.push(`${what}: ${got} instead of ${want}`);
  };
  if (!finished) problems.push(`stuck: ${JSON.stringify(store.inbox.filter(({ done }) => !done))}`);
  const contextOf = (address: Address) =>
    store.actors.get(address)?.envelope.snapshot.context as Record<string, unknown> | undefined;
  const told = (contextOf(SINK)?.told ?? []) as string[];
  for (const [index, session] of SESSIONS.entries()) {
    const script = scripted[index] ?? [];
    const notes = script.filter((type) => type === 'NOTE').map((_, n) => n);
    const context = contextOf(session);
    complain(`${session} saw`, context?.seen ?? [], notes);
    complain(
      `${session} was answered`,
      [...((context?.answers ?? []) as number[])].sort((a, b) => a - b),
      notes,
    );
    complain(
      `${session} told`,
      told.filter((line) => line.startsWith(`${session}#`)),
      notes.map((n) => `${session}#${n}`),
    );
    for (const n of notes) complain(`keys of ${session}#${n}`, new Set(calls.get(`${session}#${n}`)).size, 1);
    const buried = store.deadLetters.filter(({ address }) => address === session).map(({ reason }) => reason);
    complain(
      `dead letters of ${session}`,
      buried,
      script.filter((type) => type === 'BREAK').map(() => 'poison'),
    );
    const journal = store.journal.filter(({ address }) => address === session);
    complain(
      `revisions of ${session}`,
      journal.map(({ rev }) => rev),
      journal.map((_, at) => at + 1),
    );
    const begun = journal.filter(({ event, value }) => event.type === 'WORK' && value === 'working').length;
    const ends = journal.filter(({ event }) => /^xstate\.(done|error)\.actor\.job$/.test(event.type));
    if (ends.length > begun) problems.push(`${session} began ${begun} jobs and heard of ${ends.length} ends`);
    if (script.length > 0 && begun + notes.length > 0)
      complain(`${session} is`, store.actors.get(session)?.envelope.snapshot.value, 'idle');
  }
  complain(
    'dead letters of the sink',
    store.deadLetters.filter(({ address }) => address === SINK),
    [],
  );
  return problems;
}

test('whatever fails in whichever order, events are taken once and in order, tells once, effects at least once with one reply', async () => {
  let faulty = 0;
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), scripts, dice, changes, async (scheduler, scripted, rolled, leaders) => {
      const played = await play(scheduler, scripted, rolled, leaders);
      if ([...played.calls.values()].some((keys) => keys.length > 1)) faulty += 1;
      const problems = problemsOf(played, scripted);
      if (problems.length > 0) throw new Error(problems.join('\n'));
    }),
    { numRuns: RUNS, includeErrorInReport: true },
  );
  assert.ok(faulty > 0, 'something was done more than once');
});

test.run();
