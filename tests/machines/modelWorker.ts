/**
 * A worker as the contract describes it, as a model: it journals inputs and does each once, runs one turn at a time, keeps a
 * log until it is read, and may die with or without what it has stored.
 */
import type { JsonObject } from '../../src/machines/json.ts';

export type Input =
  | { readonly kind: 'prompt' | 'compact' | 'clear' | 'close'; readonly inputId: string }
  | { readonly kind: 'interrupt'; readonly inputId: string; readonly turnId: string }
  | { readonly kind: 'mode'; readonly inputId: string; readonly plan: boolean }
  | { readonly kind: 'decide'; readonly inputId: string; readonly requestId: string; readonly outcome: string };

export type Entry = JsonObject & { readonly type: string };

interface Waiting {
  readonly kind: 'prompt' | 'compact' | 'clear';
  readonly inputId: string;
}

interface Turn {
  readonly id: string;
  readonly inputIds: string[];
  readonly command: Waiting['kind'] | undefined;
}

export interface ModelSession {
  logId: string;
  log: Entry[];
  /** How much of the log is stored by whoever reads it. */
  read: number;
  plan: boolean;
  readonly inputs: Set<string>;
  waiting: Waiting[];
  turn: Turn | undefined;
  open: string[];
}

export interface ModelWorker {
  alive: boolean;
  generation: number;
  endpoint: string;
  sessions: Map<string, ModelSession>;
}

/** What happened at workers, whoever heard of it. */
export interface Witness {
  /** How often an input began, per journal that knows it. */
  readonly begun: Map<string, number>;
  /** The outcomes a request was given. */
  readonly decided: Map<string, string[]>;
  nextId: number;
}

export function newWitness(): Witness {
  return { begun: new Map(), decided: new Map(), nextId: 1 };
}

export function newSession(witness: Witness, plan: boolean): ModelSession {
  const logId = `log${witness.nextId++}`;
  return { logId, log: [], read: 0, plan, inputs: new Set([logId]), waiting: [], turn: undefined, open: [] };
}

function begin(witness: Witness, session: ModelSession, inputIds: readonly string[]): void {
  const [journal] = session.inputs;
  for (const inputId of inputIds) {
    const key = `${journal} ${inputId}`;
    witness.begun.set(key, (witness.begun.get(key) ?? 0) + 1);
  }
}

/** @returns the code of a refusal; undefined when it is taken */
export function take(witness: Witness, session: ModelSession, input: Input): string | undefined {
  if (session.inputs.has(input.inputId)) return undefined;
  if (input.kind === 'interrupt' && session.turn?.id !== input.turnId) return 'NO_SUCH_TURN';
  if (input.kind === 'decide' && !session.open.includes(input.requestId)) return 'NO_SUCH_REQUEST';
  session.inputs.add(input.inputId);
  switch (input.kind) {
    case 'prompt':
    case 'compact':
    case 'clear':
      session.waiting.push({ kind: input.kind, inputId: input.inputId });
      return undefined;
    case 'interrupt':
      endTurn(session, 'interrupted');
      return undefined;
    case 'mode':
      session.plan = input.plan;
      session.log.push({ type: 'MODE.CHANGED', plan: input.plan });
      return undefined;
    case 'decide':
      session.open = session.open.filter((id) => id !== input.requestId);
      witness.decided.set(input.requestId, [...(witness.decided.get(input.requestId) ?? []), input.outcome]);
      return undefined;
    case 'close':
      loseWaiting(session);
      endTurn(session, 'lost');
      session.log.push({ type: 'SESSION.CLOSED', reason: 'requested', agentSessionId: 'a', error: '' });
      return undefined;
  }
}

function loseWaiting(session: ModelSession): void {
  for (const { inputId } of session.waiting) session.log.push({ type: 'PROMPT.LOST', inputId });
  session.waiting = [];
}

/** What it was given begins. @param told whether the start of the turn already names it; its end does in any case */
export function startNext(witness: Witness, session: ModelSession, told: boolean): void {
  const next = session.waiting.shift();
  if (!next) return;
  const id = `t${witness.nextId++}`;
  session.turn = { id, inputIds: [next.inputId], command: next.kind };
  begin(witness, session, [next.inputId]);
  session.log.push({ type: 'TURN.STARTED', turnId: id, inputIds: told ? [next.inputId] : [] });
}

/** A background task has ended and the agent goes on by itself. */
export function startByItself(witness: Witness, session: ModelSession): void {
  const id = `t${witness.nextId++}`;
  session.turn = { id, inputIds: [], command: undefined };
  session.log.push({ type: 'TURN.STARTED', turnId: id, inputIds: [] });
}

/** The SDK folds what waits into the turn that runs. */
export function steer(witness: Witness, session: ModelSession): void {
  const next = session.waiting.shift();
  if (!next || !session.turn) return;
  session.turn.inputIds.push(next.inputId);
  begin(witness, session, [next.inputId]);
  session.log.push({ type: 'PROMPT.STEERED', turnId: session.turn.id, inputId: next.inputId });
}

export function ask(witness: Witness, session: ModelSession, kind: string): void {
  if (!session.turn) return;
  const requestId = `r${witness.nextId++}`;
  session.open.push(requestId);
  const inputJson = kind === 'network' ? '{"hosts":["pypi.org"],"reason":"pip"}' : '{"command":"ls"}';
  session.log.push({
    type: 'APPROVAL.REQUESTED',
    requestId,
    kind,
    toolName: 'Bash',
    inputJson,
    digest: 'd',
    turnId: session.turn.id,
  });
}

export function endTurn(session: ModelSession, outcome: string): void {
  for (const requestId of session.open) session.log.push({ type: 'APPROVAL.WITHDRAWN', requestId });
  session.open = [];
  const { turn } = session;
  if (!turn) return;
  if (outcome === 'completed' && turn.command === 'compact') {
    session.log.push({ type: 'COMPACTED', ok: true, error: '' });
  }
  if (outcome === 'completed' && turn.command === 'clear') session.log.push({ type: 'CLEARED', agentSessionId: 'b' });
  session.turn = undefined;
  session.log.push({
    type: 'TURN.ENDED',
    turnId: turn.id,
    outcome,
    inputTokens: 1,
    outputTokens: 1,
    costUsd: 0.1,
    contextTokens: 1,
    contextWindow: 100,
    agentSessionId: 'a',
    inputIds: [...turn.inputIds],
  });
}

/** The worker's process dies and comes back. @param reboot it begins a new log, with its journal intact */
export function restart(witness: Witness, session: ModelSession, reboot: boolean): void {
  if (reboot) {
    session.logId = `log${witness.nextId++}`;
    session.log = [];
    session.read = 0;
  }
  endTurn(session, 'lost');
  loseWaiting(session);
}

/** What Attached says. */
export function attached(session: ModelSession): JsonObject {
  const busy = session.turn !== undefined || session.waiting.length > 0;
  return {
    agentSessionId: 'a',
    agentState: busy ? 'running' : 'asleep',
    historyLost: false,
    logId: session.logId,
    plan: session.plan,
    turnId: session.turn?.id ?? '',
    openRequestIds: [...session.open],
  };
}
