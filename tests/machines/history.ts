/** Histories of the world: first anything may happen, in any order; then calm, in which everything must come to an end. */
import type { Address } from '../../src/machines/addresses.ts';
import type { JsonObject } from '../../src/machines/json.ts';
import { ask, endTurn, startByItself, startNext, steer } from './modelWorker.ts';
import { by, prompt, REQUEST, stop } from './sessionEvents.ts';
import { createWorld, type Seen, type World } from './world.ts';

export const SESSIONS: readonly Address[] = ['session/s1', 'session/s2'];
export const CONTAINER: Address = 'container/acme/web@';
const HOUR_MS = 3_600_000;
const AT_REST = /"conversation":"(idle|asleep)","link":"connected"/;

type Move = () => void;

export interface History {
  readonly world: World;
  /** Every message and what the charts made of it. */
  readonly posted: Map<string, Address>;
  readonly complaints: string[];
}

/** Plays the choices, then lets everything come to rest. @param watch sees every step of every chart */
export function play(choices: readonly number[], watch: (seen: Seen) => void = () => {}): History {
  const posted = new Map<string, Address>();
  const complaints: string[] = [];
  const world = createWorld((seen) => {
    complaints.push(...complaintsAbout(seen));
    watch(seen);
  });
  for (const session of SESSIONS) {
    const request = { ...REQUEST, worktree: session, askedBy: session };
    world.deliver(session, { type: 'START', request });
  }
  for (const choice of choices) {
    const moves = kindOfMove(choice % 20)(world, posted);
    moves[Math.floor(choice / 20) % moves.length]?.();
  }
  settle(world, complaints);
  for (const session of SESSIONS) {
    if (/stopped|failed/.test(world.value(session)))
      world.deliver(session, { type: 'COMMAND.RESUME', ...by('resume') });
  }
  settle(world, complaints);
  return { world, posted, complaints };
}

/** Mostly things go on; sometimes somebody does something; now and then something breaks. */
function kindOfMove(die: number): (world: World, posted: Map<string, Address>) => Move[] {
  if (die < 15) return (world) => progress(world);
  return die < 19 ? people : misfortune;
}

/** In fair turns everything that can go on does, and time passes when nothing else can. */
function settle(world: World, complaints: string[]): void {
  for (let round = 0; round < 600; round += 1) {
    const moves = progress(world, true);
    if (moves.length > 0) for (const move of moves) move();
    else if (!world.sleep(HOUR_MS)) return;
  }
  complaints.push(`it does not come to rest: ${SESSIONS.map((session) => world.value(session)).join(' ')}`);
}

/** What moves on by itself. In the calm links come up at once, turns end, and people answer. */
function progress(world: World, calm = false): Move[] {
  const moves: Move[] = [];
  for (const [address, letters] of world.inboxes) if (letters.length > 0) moves.push(() => world.read(address));
  for (const job of world.ready()) {
    if (job.outcome) moves.push(() => world.report(job));
    else if (world.canAct(job)) moves.push(() => world.canAct(job) && world.act(job, true));
  }
  for (const session of SESSIONS) {
    if (world.streams.has(session)) {
      const model = world.modelOf(session);
      if (model && model.read < model.log.length)
        moves.push(() => world.streams.has(session) && world.readLog(session));
    } else if (world.linkKey(session) !== undefined && (!calm || world.reachable(session))) {
      moves.push(() => world.attach(session));
    }
    moves.push(...agent(world, session, calm));
  }
  if (calm) for (const approval of approvals(world)) moves.push(...click(world, approval, true));
  return moves;
}

function agent(world: World, session: Address, calm: boolean): Move[] {
  const model = world.modelOf(session);
  if (!model) return [];
  const { witness } = world;
  if (!model.turn) {
    const next: Move[] = model.waiting.length > 0 ? [() => startNext(witness, model, true)] : [];
    if (calm) return next;
    return [...next, ...next.map(() => () => startNext(witness, model, false)), () => startByItself(witness, model)];
  }
  const end: Move[] = model.open.length === 0 ? [() => endTurn(model, 'completed')] : [];
  if (calm) return end;
  return [...end, () => ask(witness, model, 'tool'), () => ask(witness, model, 'network'), () => steer(witness, model)];
}

function approvals(world: World): Address[] {
  return [...world.actors.keys()].filter((address) => address.startsWith('approval/'));
}

function click(world: World, approval: Address, yes: boolean): Move[] {
  if (!/pending|failed|posting/.test(world.value(approval))) return [];
  const by = { id: 'u', name: 'alice' };
  const verdict = { outcome: yes ? 'approved' : 'denied', by, at: world.now(), words: '', answers: {} };
  return [() => world.deliver(approval, { type: 'DECIDE', verdict })];
}

/** What people in the thread may do at any time. */
function people(world: World, posted: Map<string, Address>): Move[] {
  const moves: Move[] = [];
  for (const session of SESSIONS) {
    const send = (type: string, fields: (id: string) => JsonObject) => () => {
      const id = `post${world.witness.nextId++}`;
      if (type === 'PROMPT' || type === 'COMMAND.STEER') posted.set(id, session);
      world.deliver(session, { type, ...fields(id) });
    };
    const mine = [...posted].filter(([, of]) => of === session).map(([id]) => id);
    const last = mine.at(-1) ?? 'none';
    moves.push(
      ...Array.from({ length: 12 }, () => send('PROMPT', prompt)),
      send('POST.EDITED', () => ({ postId: last, text: 'better' })),
      send('POST.DELETED', () => ({ postId: last })),
      send('COMMAND.STEER', (id) => ({ ...by(id), text: 'also this', fileIds: [] })),
      send('COMMAND.STEER', (id) => ({ ...by(id), text: '', fileIds: [] })),
      send('COMMAND.QUEUE', (id) => ({ ...by(id), drop: 'all' })),
      send('COMMAND.TITLE', (id) => ({ ...by(id), text: '' })),
      send('COMMAND.INTERRUPT', by),
      send('COMMAND.COMPACT', (id) => ({ ...by(id), hint: '' })),
      send('COMMAND.CLEAR', by),
      send('COMMAND.RESTART', by),
      send('COMMAND.PLAN', (id) => ({ ...by(id), on: null })),
      send('COMMAND.STOP', stop),
      send('COMMAND.STOP', (id) => stop(id, { container: true })),
      send('COMMAND.RESUME', by),
      send('COMMAND.RESUME', by),
    );
  }
  for (const approval of approvals(world))
    moves.push(...click(world, approval, true), ...click(world, approval, false));
  return moves;
}

/** What breaks. */
function misfortune(world: World): Move[] {
  const moves: Move[] = [() => world.sleep(HOUR_MS), () => world.sleep(HOUR_MS)];
  for (const session of world.streams.keys()) moves.push(() => world.drop(session));
  for (const how of ['soft', 'reboot', 'gone', 'wiped'] as const)
    if (world.worker.alive) moves.push(() => world.crash(how));
  const [job] = world.ready().filter(({ outcome }) => !outcome);
  if (job) moves.push(() => world.act(job, false));
  // The process died between doing and telling: it is done once more.
  const [twice] = world.ready().filter((each) => each.outcome?.ok && world.canAct(each));
  if (twice) moves.push(() => world.act(twice, true));
  return moves;
}

/** A message leaves the queue because it began, with words, or because its author took it back. */
function complaintsAbout({ address, event, before, after, effects }: Seen): string[] {
  if (address === CONTAINER) {
    const guests = after.guests as readonly { readonly session: string }[];
    return guests.length > 5 || new Set(guests.map(({ session }) => session)).size < guests.length
      ? [`${guests.length} guests`]
      : [];
  }
  if (!address.startsWith('session/')) return [];
  const queue = (context: JsonObject | undefined) =>
    ((context?.queue ?? []) as readonly JsonObject[]).map(({ postId }) => String(postId));
  const begun = [
    ...((event.inputIds ?? []) as readonly string[]),
    ...(event.type === 'PROMPT.STEERED' ? [event.inputId] : []),
  ];
  const spoke = effects.some((effect) => effect.kind === 'say' && effect.text !== '');
  const gone = queue(before).filter((id) => !queue(after).includes(id) && !begun.includes(id));
  const kept = gone.filter((id) => !(event.type === 'POST.DELETED' && event.postId === id));
  const complaints = kept.length > 0 && !spoke ? [`${event.type} silently drops ${kept}`] : [];
  const says = event.type === 'PROMPT' || (event.type === 'COMMAND.STEER' && event.text !== '');
  const unheard = says && !queue(after).includes(String(event.postId)) && !spoke;
  return unheard ? [...complaints, `a message gets no answer: ${event.postId}`] : complaints;
}

/** Everything that does not hold when the world has come to rest. */
export function problems({ world, posted, complaints }: History): string[] {
  const found = [...complaints, ...world.dead.map((letter) => `dead letter: ${letter}`)];
  for (const session of SESSIONS) {
    const { queue, sent, turn, open } = world.context(session);
    if (!AT_REST.test(world.value(session))) found.push(`${session} is ${world.value(session)}`);
    const left = JSON.stringify({ queue, sent, turn, open });
    if (left !== '{"queue":[],"sent":null,"turn":null,"open":[]}') found.push(`${session} has left ${left}`);
  }
  const guests = (world.context(CONTAINER).guests as readonly JsonObject[]).map(({ session }) => String(session));
  if (guests.sort().join() !== [...SESSIONS].sort().join()) found.push(`guests: ${guests}`);
  for (const [input, times] of world.witness.begun) {
    if (times > 1) found.push(`${input} began ${times} times`);
    const id = input.split(' ').at(-1) ?? '';
    if (!id.startsWith('post')) found.push(`nobody wrote ${id}`);
  }
  if (posted.size > 0 && world.witness.begun.size === 0 && complaints.length > 0) found.push('nothing ever began');
  for (const address of world.actors.keys()) {
    if (!address.startsWith('approval/')) continue;
    const { requestId, verdict } = world.context(address);
    if (!/settled|withdrawn|active|closed/.test(world.value(address)))
      found.push(`${address} is ${world.value(address)}`);
    const told = world.witness.decided.get(String(requestId)) ?? [];
    if (told.length > 1) found.push(`${requestId} was decided ${told.length} times`);
    if (told.length === 1 && told[0] !== (verdict as JsonObject).outcome)
      found.push(`${requestId}: card and agent differ`);
  }
  return found;
}
