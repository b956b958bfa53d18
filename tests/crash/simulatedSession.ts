/**
 * A session of the simulated worker: the real worker's log, inputs, approvals and stream, around an agent that answers from
 * a script. So it is exactly as strict as the real one, and costs no process.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ApprovalKind,
  CloseReason,
  type Decision,
  SessionState,
  TurnOrigin,
  TurnOutcome,
  WithdrawalReason,
} from '../../agent-worker/src/generated/claude_agent/v1/agent.ts';
import { newMapperState, type Output } from '../../agent-worker/src/mapping/state.ts';
import { type Approvals, createApprovals, type Verdict } from '../../agent-worker/src/session/approvals.ts';
import { createLink, type Link } from '../../agent-worker/src/session/link.ts';
import { recoveryOutputs } from '../../agent-worker/src/session/recovery.ts';
import type { SessionFolder, StoredSession } from '../../agent-worker/src/session/store.ts';
import type { Session, Waiting } from '../../agent-worker/src/session/types.ts';
import type { WriteDown } from './evidenceLog.ts';
import { type Asks, CHOICES, hostOf, piecesOf, readTask, type Task, wordsOf } from './script.ts';

export function simulatedSession(stored: StoredSession, folder: SessionFolder, write: WriteDown): Session {
  const id = stored.sessionId;
  const mapper = newMapperState(stored);
  const waiting: Waiting[] = [];
  let link: Link | undefined;
  let turn: { readonly abort: AbortController; readonly done: Promise<void> } | undefined;
  let closing = false;

  const approvals = watched(
    createApprovals(
      (output) => emit([output]),
      (requestId) => folder.log.noteApprovalSettled(requestId),
    ),
    id,
    write,
  );

  function emit(outputs: readonly Output[]): void {
    for (const output of outputs) {
      const { seq } = folder.log.append(output, Date.now());
      write({
        what: 'output',
        session: id,
        logId: folder.log.logId,
        seq,
        kind: output.$case,
        words: output.$case === 'textDelta' ? wordsOf(output.value.text) : [],
        requestId: 'requestId' in output.value ? output.value.requestId : '',
        text: output.$case === 'approvalRequest' ? output.value.inputJson : '',
      });
      link?.pump();
    }
  }

  function pump(): void {
    if (closing || turn) return;
    const item = waiting.shift();
    if (!item) return;
    const abort = new AbortController();
    // Nothing is waited for before `turn` is set, so no second one can begin.
    turn = { abort, done: run(item, abort.signal) };
  }

  async function run(item: Waiting, signal: AbortSignal): Promise<void> {
    const turnId = randomUUID();
    const origin = item.command === undefined ? TurnOrigin.PROMPT : TurnOrigin.COMMAND;
    const inputIds = [item.inputId];
    mapper.turn = { id: turnId, origin, inputIds, initSeen: true, apiError: undefined, compactionReported: false };
    const text = typeof item.content === 'string' ? item.content : '';
    write({ what: 'ran', session: id, inputId: item.inputId, text });
    emit([{ $case: 'turnStarted', value: { turnId, inputIds, origin, model: 'simulated' } }]);
    let outcome: TurnOutcome = TurnOutcome.COMPLETED;
    try {
      const task = readTask(text);
      if (item.command !== undefined) command(item.command);
      else if (task) await answer(turnId, task, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      outcome = TurnOutcome.INTERRUPTED;
    }
    mapper.turn = undefined;
    turn = undefined;
    if (outcome !== TurnOutcome.COMPLETED) {
      approvals.withdraw((request) => request.turnId === turnId, WithdrawalReason.TURN_ENDED);
    }
    emit([turnEnded(turnId, inputIds, outcome, stored.agentSessionId)]);
    pump();
  }

  function command(name: 'compact' | 'clear'): void {
    if (name === 'clear') {
      stored.agentSessionId = randomUUID();
      emit([{ $case: 'cleared', value: { agentSessionId: stored.agentSessionId } }]);
      return;
    }
    const value = { ok: true, automatic: false, tokensBefore: 2, tokensAfter: 1, error: '' };
    emit([{ $case: 'compacted', value }]);
  }

  async function answer(turnId: string, task: Task, signal: AbortSignal): Promise<void> {
    const words = Array.from({ length: task.words }, (_, index) => `${task.token}w${index + 1}`);
    const half = Math.ceil(words.length / 2);
    await say(turnId, 1, words.slice(0, half), task.pace, signal);
    const outcome = await askAll(turnId, task, signal);
    await say(turnId, 2, [...words.slice(half), ...outcome, `${task.token}end`], task.pace, signal);
  }

  /** A block of text, streamed in pieces and then said as a whole. */
  async function say(turnId: string, number: number, words: readonly string[], pace: number, signal: AbortSignal) {
    const blockId = `${turnId}-${number}`;
    const pieces = piecesOf(words);
    for (const text of pieces) {
      emit([{ $case: 'textDelta', value: { turnId, blockId, text, parentToolUseId: '' } }]);
      await sleep(pace, undefined, { signal });
    }
    emit([{ $case: 'textBlock', value: { turnId, blockId, text: pieces.join(''), parentToolUseId: '' } }]);
  }

  /** @returns a word for each answer, in the order of asking. */
  async function askAll(turnId: string, { token, ask: asks }: Task, signal: AbortSignal): Promise<string[]> {
    if (asks === 'nothing') return [];
    if (asks !== 'five') return [`${token}${await ask(turnId, token, asks, signal)}`];
    const names = [1, 2, 3, 4, 5].map((number) => `${token}n${number}`);
    const verdicts = await Promise.all(names.map((name) => ask(turnId, name, 'tool', signal)));
    return names.map((name, index) => `${name}${verdicts[index]}`);
  }

  async function ask(
    turnId: string,
    name: string,
    asks: Exclude<Asks, 'nothing' | 'five'>,
    signal: AbortSignal,
  ): Promise<Verdict['kind']> {
    const toolUseId = `use-${name}`;
    const { kind, toolName, input } = questionOf(name, asks);
    const use = { turnId, toolUseId, name: toolName, inputJson: JSON.stringify(input), parentToolUseId: '' };
    emit([{ $case: 'toolUse', value: use }]);
    const verdict = await approvals.ask({ kind, turnId, toolName, input, toolUseId, parentToolUseId: '', signal });
    signal.throwIfAborted();
    const isError = verdict.kind !== 'approved';
    const result = { turnId, toolUseId, isError, summary: verdict.kind, fullLength: 0, parentToolUseId: '' };
    emit([{ $case: 'toolResult', value: result }]);
    return verdict.kind;
  }

  async function interrupt(): Promise<void> {
    const running = turn;
    running?.abort.abort(new Error('interrupted'));
    await running?.done;
  }

  function stateNow(): SessionState {
    return turn || waiting.length > 0 ? SessionState.RUNNING : SessionState.IDLE;
  }

  const agent = {
    push: () => {},
    interrupt,
    setPlanMode: done,
    setModel: done,
    spent: async () => undefined,
    close: interrupt,
  };

  emit(recoveryOutputs(folder.log.facts, folder.inputs.wantingTurns(), stored));

  return {
    id,
    stored,
    folder,
    mapper,
    approvals,
    attach(wire, at) {
      if (at.term < stored.term) {
        wire.end('taken-over', `term ${at.term} is lower than ${stored.term}`);
        return () => {};
      }
      link?.end('taken-over', 'another stream took the session over');
      stored.term = at.term;
      folder.save(stored);
      const known = at.logId === folder.log.logId;
      if (known && at.afterSeq > folder.log.lastSeq) folder.log.restart();
      const mine = createLink(wire, folder.log, at.term, known && at.afterSeq <= folder.log.lastSeq ? at.afterSeq : 0);
      link = mine;
      write({ what: 'attached', session: id, logId: folder.log.logId, term: at.term });
      mine.answer({
        $case: 'attached',
        value: {
          logId: folder.log.logId,
          agentSessionId: stored.agentSessionId,
          lastSeq: folder.log.lastSeq,
          state: stateNow(),
          historyLost: false,
          permissionMode: stored.mode,
          turnId: mapper.turn?.id ?? '',
          openRequestIds: approvals.openIds(),
        },
      });
      mine.pump();
      return () => {
        if (link === mine) link = undefined;
      };
    },
    answer: (output) => link?.answer(output),
    emit,
    enqueue(item) {
      waiting.push(item);
      pump();
    },
    giveNow(item) {
      waiting.push(item);
      pump();
    },
    agent: () => (closing ? undefined : agent),
    mode: () => stored.mode,
    enforceMode: (mode) => {
      stored.mode = mode;
    },
    takeHistory() {},
    acknowledged(seq) {
      write({ what: 'ack', session: id, logId: folder.log.logId, seq });
      folder.log.acknowledge(seq);
    },
    closeAgent: interrupt,
    async closeSession(reason) {
      const lost = waiting.splice(0);
      emit(lost.map(({ inputId }) => ({ $case: 'promptLost', value: { inputId } })));
      closing = true;
      await interrupt();
      closing = false;
      const value = { reason, agentSessionId: stored.agentSessionId, error: '' };
      emit([{ $case: 'sessionClosed', value }]);
      if (reason !== CloseReason.REQUESTED) return;
      pump();
    },
    save: () => folder.save(stored),
    summary: () => ({
      sessionId: id,
      logId: folder.log.logId,
      state: stateNow(),
      agentSessionId: stored.agentSessionId,
      lastSeq: folder.log.lastSeq,
      attached: link !== undefined,
    }),
    async shutdown() {
      await interrupt();
      link?.end('stopping', 'the worker stops');
      folder.close();
    },
  };
}

async function done(): Promise<void> {}

/** What people are asked. The name stands in it, so that the card can be told from others. */
function questionOf(name: string, asks: Exclude<Asks, 'nothing' | 'five'>) {
  switch (asks) {
    case 'tool':
      return { kind: ApprovalKind.TOOL, toolName: 'Bash', input: { command: `touch ${name}` } };
    case 'network': {
      const input = { hosts: [hostOf(name)], reason: `for ${name}` };
      return { kind: ApprovalKind.NETWORK, toolName: 'mcp__session_manager__request_network_access', input };
    }
    case 'question': {
      const options = CHOICES.map((label) => ({ label, description: 'a bird' }));
      const question = { question: `Which for ${name}?`, header: 'Bird', options, multiSelect: false };
      return { kind: ApprovalKind.QUESTION, toolName: 'AskUserQuestion', input: { questions: [question] } };
    }
  }
}

/** The same approvals, with every decision written down that takes effect or is refused. */
function watched(approvals: Approvals, session: string, write: WriteDown): Approvals {
  return {
    ...approvals,
    check(decision: Decision) {
      const refusal = approvals.check(decision);
      if (refusal) write({ what: 'refused', session, requestId: decision.requestId, code: refusal.code });
      return refusal;
    },
    decide(decision: Decision) {
      const answer = Object.values(decision.answers).join();
      const { requestId, outcome } = decision;
      write({ what: 'decided', session, requestId, outcome: String(outcome), answer });
      approvals.decide(decision);
    },
  };
}

function turnEnded(turnId: string, inputIds: string[], outcome: TurnOutcome, agentSessionId: string): Output {
  return {
    $case: 'turnEnded',
    value: {
      turnId,
      outcome,
      error: '',
      errorCode: '',
      usage: { inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0 },
      costUsd: 0.01,
      totalCostUsd: 0,
      contextTokens: 100,
      contextWindow: 1000,
      durationMs: 1000,
      inputIds,
      agentSessionId,
    },
  };
}
