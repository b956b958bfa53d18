// One session: its log, its agent, what waits for the agent, and the stream that listens. Everything that happens goes
// through `emit`, which writes before it sends.
//
// Prompts: the gateway owns the queue. A prompt that arrives while a turn runs and does not steer waits here until the
// conversation is idle, one at a time; a steering one is given to the SDK at once.
import { randomUUID } from 'node:crypto';
import type { SDKUserMessage } from '@anthropic-ai/claude-agent-sdk';
import type { Logger } from 'pino';
import { messageOf } from '../errors.ts';
import {
  CloseReason,
  type PermissionMode,
  SessionState,
  TurnOutcome,
  WithdrawalReason,
} from '../generated/claude_agent/v1/agent.ts';
import { type JsonRecord, record } from '../mapping/json.ts';
import { isDeadResume, isIdle, mapMessage, mapProcessEnd, notePush } from '../mapping/mapper.ts';
import { confirmMode } from '../mapping/mode.ts';
import { newMapperState, type Output } from '../mapping/state.ts';
import { hasBackgroundWork } from '../mapping/tasks.ts';
import { type Agent, startAgent, userMessage } from './agent.ts';
import { agentStart } from './agentStart.ts';
import { createApprovals } from './approvals.ts';
import { createLink, type Link } from './link.ts';
import { recoveryOutputs } from './recovery.ts';
import { createSpending } from './spending.ts';
import type { SessionFolder, StoredSession } from './store.ts';
import { later, withinGrace } from './time.ts';
import type { Session, SessionConfig, Waiting } from './types.ts';

type Content = SDKUserMessage['message']['content'];

/** How long a running turn may take to be interrupted before its agent is closed anyway, milliseconds. */
const INTERRUPT_GRACE_MS = 3_000;

/** Opens the session and says what an earlier worker left unsaid. */
export function createSession(
  stored: StoredSession,
  folder: SessionFolder,
  config: SessionConfig,
  logger: Logger,
): Session {
  const mapper = newMapperState(stored);
  const waiting: Waiting[] = [];
  const given = new Map<ReturnType<typeof randomUUID>, SDKUserMessage>();
  let agent: Agent | undefined;
  let closing: Promise<void> | undefined;
  let enforced = stored.mode;
  let deadResume = false;
  /** While what was given to a dead conversation waits to be given to a fresh one. */
  let historyTimer: NodeJS.Timeout | undefined;
  let link: Link | undefined;
  let orphanSince = Date.now();
  let orphaned = false;
  let stopped = false;
  let unrecognised = 0;
  let idleTimer: NodeJS.Timeout | undefined;
  let orphanTimer: NodeJS.Timeout | undefined;

  const approvals = createApprovals(
    (output) => session.emit([output]),
    (requestId) => folder.log.noteApprovalSettled(requestId),
  );

  const spending = createSpending({
    ask: async () => agent?.spent(),
    everyMs: () => stored.options.spendingEveryMs,
    now: Date.now,
    tell: (turnId, costUsd) => {
      if (mapper.turn?.id === turnId) session.emit([{ $case: 'spent', value: { turnId, costUsd } }]);
    },
    failed: (error) => logger.warn({ error: messageOf(error) }, 'what a turn has cost could not be told'),
  });

  const session: Session = {
    id: stored.sessionId,
    stored,
    folder,
    mapper,
    approvals,
    attach(wire, at) {
      if (at.term < stored.term) {
        wire.end('taken-over', `term ${at.term} is lower than ${stored.term}`);
        return () => undefined;
      }
      link?.end('taken-over', 'another stream took the session over');
      stored.term = at.term;
      session.save();
      const known = at.logId === folder.log.logId;
      if (known && at.afterSeq > folder.log.lastSeq) folder.log.restart();
      const afterSeq = known && at.afterSeq <= folder.log.lastSeq ? at.afterSeq : 0;
      const mine = createLink(wire, folder.log, at.term, afterSeq);
      link = mine;
      orphaned = false;
      mine.answer(attached());
      mine.pump();
      rearm();
      return () => {
        if (link !== mine) return;
        link = undefined;
        orphanSince = Date.now();
        rearm();
      };
    },
    answer: (output) => link?.answer(output),
    emit(outputs) {
      for (const output of outputs) folder.log.append(output, Date.now());
      link?.pump();
      for (const output of outputs) react(output);
    },
    enqueue(item) {
      waiting.push(item);
      pump();
    },
    giveNow: give,
    agent: () => agent,
    mode: () => enforced,
    enforceMode(mode) {
      enforced = mode;
    },
    acknowledged: (seq) => folder.log.acknowledge(seq),
    takeHistory(said) {
      stored.history = said;
      stored.historyLost = false;
      session.save();
      if (historyTimer) goOn();
    },
    async closeAgent() {
      if (!agent) return closing;
      const ending = agent;
      agent = undefined;
      closing = ending.close();
      await closing;
    },
    async closeSession(reason) {
      // First, or the end of the running turn would start the next one.
      const lost = [...(historyTimer ? takeBack() : []), ...waiting.splice(0)];
      session.emit(lost.map(({ inputId }) => ({ $case: 'promptLost', value: { inputId } })));
      if (agent && mapper.turn) await withinGrace(agent.interrupt(), INTERRUPT_GRACE_MS);
      await session.closeAgent();
      session.emit([{ $case: 'sessionClosed', value: { reason, agentSessionId: stored.agentSessionId, error: '' } }]);
    },
    save: () => folder.save(stored),
    summary: () => ({
      sessionId: stored.sessionId,
      logId: folder.log.logId,
      state: stateNow(),
      agentSessionId: stored.agentSessionId,
      lastSeq: folder.log.lastSeq,
      attached: link !== undefined,
    }),
    async shutdown() {
      stopped = true;
      clearTimeout(idleTimer);
      clearTimeout(orphanTimer);
      clearTimeout(historyTimer);
      await session.closeAgent();
      link?.end('stopping', 'the worker stops');
      folder.close();
    },
  };

  function attached(): Output {
    return {
      $case: 'attached',
      value: {
        logId: folder.log.logId,
        agentSessionId: stored.agentSessionId,
        lastSeq: folder.log.lastSeq,
        state: stateNow(),
        historyLost: stored.historyLost,
        permissionMode: enforced,
        turnId: mapper.turn?.id ?? '',
        openRequestIds: approvals.openIds(),
      },
    };
  }

  function stateNow(): SessionState {
    if (!isIdle(mapper) || waiting.length > 0) return SessionState.RUNNING;
    return agent ? SessionState.IDLE : SessionState.ASLEEP;
  }

  function react(output: Output): void {
    switch (output.$case) {
      case 'turnEnded': {
        const { turnId, outcome, totalCostUsd } = output.value;
        if (outcome !== TurnOutcome.COMPLETED) {
          approvals.withdraw((request) => request.turnId === turnId, WithdrawalReason.TURN_ENDED);
        }
        stored.totalCostUsd = totalCostUsd;
        for (const uuid of given.keys()) if (!mapper.pushes.has(uuid)) given.delete(uuid);
        session.save();
        pump();
        return;
      }
      case 'permissionModeChanged':
        enforced = output.value.mode;
        stored.mode = output.value.mode;
        session.save();
        return;
      case 'promptLost':
        pump();
        return;
      case 'turnStarted':
        spending.turnBegan(output.value.turnId);
        return;
      case 'toolResult':
      case 'textBlock':
        spending.wentOn(output.value.turnId);
        return;
      case 'unrecognised':
        unrecognised += 1;
        logger.warn({ kind: rawKind(output.value.rawJson), count: unrecognised }, 'unrecognised SDK message');
        return;
      default:
        return;
    }
  }

  function pump(): void {
    if (!stopped && !closing && isIdle(mapper)) {
      const item = waiting.shift();
      if (item) give(item);
    }
    rearm();
  }

  function give(item: Waiting): void {
    if (closing) {
      waiting.push(item);
      return;
    }
    const uuid = randomUUID();
    const message = userMessage(uuid, item.command === undefined ? withHistory(item.content) : item.content);
    notePush(mapper, { uuid, inputId: item.inputId, command: item.command });
    given.set(uuid, message);
    wake().push(message);
    rearm();
  }

  function wake(): Agent {
    if (agent) return agent;
    const start = agentStart(session, config);
    logger.info({ resume: start.resumeId !== '' }, 'starting the agent');
    const started = startAgent(start, {
      onMessage(message) {
        if (isDeadResume(mapper, message)) deadResume = true;
        else take(message);
      },
      onEnd: (error) => ended(error),
      onStderr: (line) => logger.debug({ line: line.slice(0, 500) }, 'agent stderr'),
    });
    agent = started;
    return started;
  }

  function take(message: unknown): void {
    if (logger.isLevelEnabled('debug')) logger.debug({ kind: kindOf(record(message)) }, 'agent message');
    session.emit(mapMessage(mapper, message));
    if (mapper.agentSessionId !== stored.agentSessionId) {
      stored.agentSessionId = mapper.agentSessionId;
      session.save();
    }
  }

  function ended(error: string): void {
    // What the worker takes down when it stops itself is lost like what it loses in a crash.
    const wanted = closing !== undefined && !stopped;
    agent = undefined;
    closing = undefined;
    if (deadResume) {
      goOnFresh();
      return;
    }
    logger.info({ error: error.slice(0, 500) }, 'the agent ended');
    approvals.withdraw(() => true, WithdrawalReason.TURN_ENDED);
    const words = wanted ? 'The agent was closed.' : 'The agent ended unexpectedly.';
    session.emit(mapProcessEnd(mapper, { id: randomUUID(), error: error || words, wanted }));
    pump();
  }

  /**
   * The resume id is dead: what was pushed never ran, so a fresh conversation gets it. The loss is told, and what was said
   * before waited for: without it the answer would be to somebody who has forgotten everything.
   */
  function goOnFresh(): void {
    deadResume = false;
    logger.warn('the conversation could not be resumed');
    stored.agentSessionId = '';
    mapper.agentSessionId = '';
    stored.historyLost = true;
    session.save();
    link?.answer(attached());
    if (!stopped) historyTimer = setTimeout(goOn, config.historyGraceMs);
  }

  function goOn(): void {
    clearTimeout(historyTimer);
    historyTimer = undefined;
    for (const [uuid, message] of given) {
      const push = mapper.pushes.get(uuid);
      const content = message.message.content;
      const again = push?.command === undefined ? userMessage(uuid, withHistory(content)) : message;
      given.set(uuid, again);
      wake().push(again);
    }
    pump();
  }

  /** What was said before stands before what is asked now, once. A slash command must stand alone. */
  function withHistory(content: Content): Content {
    const history = stored.history;
    if (history === '' || (typeof content === 'string' && content.startsWith('/'))) return content;
    stored.history = '';
    session.save();
    const asked: Exclude<Content, string> = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
    return [{ type: 'text', text: history }, ...asked];
  }

  /** What waits for a fresh conversation will not get one. */
  function takeBack(): { inputId: string }[] {
    clearTimeout(historyTimer);
    historyTimer = undefined;
    const pushes = [...mapper.pushes.values()];
    mapper.pushes.clear();
    given.clear();
    return pushes;
  }

  function failed(error: unknown): void {
    logger.error({ error: messageOf(error) }, 'a session could not be closed');
  }

  function rearm(): void {
    clearTimeout(idleTimer);
    clearTimeout(orphanTimer);
    if (stopped || closing) return;
    const idle = isIdle(mapper) && waiting.length === 0;
    if (!idle) return;
    if (agent && !hasBackgroundWork(mapper) && approvals.openIds().length === 0) {
      idleTimer = later(config.agentIdleMs, () => session.closeAgent(), failed);
    }
    if (!link && !orphaned) {
      const close = () => {
        orphaned = true;
        return session.closeSession(CloseReason.ORPHANED);
      };
      orphanTimer = later(Math.max(0, orphanSince + config.orphanGraceMs - Date.now()), close, failed);
    }
  }

  const recovered = recoveryOutputs(folder.log.facts, folder.inputs.wantingTurns(), stored);
  if (recovered.length > 0) session.emit(recovered);
  rearm();
  return session;
}

/** The same of a raw message, which may be cut short and so no longer be JSON. */
function rawKind(rawJson: string): string {
  return [...rawJson.slice(0, 500).matchAll(/"(?:sub)?type":"([\w-]{1,60})"/g)].map((match) => match[1]).join('/');
}

/** What sort of message it is; never its content, which may be what people wrote. */
function kindOf(message: JsonRecord): string {
  return [message.type, message.subtype, message.state].filter((part) => typeof part === 'string').join('/');
}

/** Says that a mode holds, even if it did before: whoever asked for it waits for this. */
export function sayMode(session: Session, mode: PermissionMode): void {
  const outputs = confirmMode(session.mapper, mode);
  session.emit(outputs.length > 0 ? outputs : [{ $case: 'permissionModeChanged', value: { mode } }]);
}
