// What the gateway asks of a session. Each input is on the disk before it takes effect, and takes effect once.
import type { Logger } from 'pino';
import { assertNever, messageOf } from '../errors.ts';
import {
  CloseReason,
  type Decision,
  type Interrupt,
  PermissionMode,
  type Prompt,
  type SessionRequest,
  type SetModel,
  type SetPermissionMode,
} from '../generated/claude_agent/v1/agent.ts';
import { ADDRESS, creditAsker } from './credit.ts';
import type { InputKind } from './inputs.ts';
import { promptContent } from './prompt.ts';
import { sayMode } from './session.ts';
import type { Session, SessionConfig, Waiting } from './types.ts';

/** Every request but the Attach that opens a stream. */
export type Request = Exclude<NonNullable<SessionRequest['request']>, { $case: 'attach' }>;

interface Refusal {
  code: string;
  reason: string;
}

export function handleRequest(session: Session, request: Request, config: SessionConfig, logger: Logger): void {
  switch (request.$case) {
    case 'ack':
      session.acknowledged(request.value.seq);
      return;
    case 'prompt':
      if (accept(session, request.value.inputId, 'turn')) prompt(session, request.value, config, logger);
      return;
    case 'compact': {
      const { inputId, hint } = request.value;
      if (!accept(session, inputId, 'turn')) return;
      session.enqueue({ inputId, command: 'compact', content: `/compact ${hint.replace(/\s+/g, ' ')}`.trim() });
      return;
    }
    case 'clear': {
      const { inputId } = request.value;
      if (accept(session, inputId, 'turn')) session.enqueue({ inputId, command: 'clear', content: '/clear' });
      return;
    }
    case 'interrupt': {
      const interrupt = request.value;
      const check = () => checkInterrupt(session, interrupt);
      if (accept(session, interrupt.inputId, 'control', check)) guard(session.agent()?.interrupt(), logger);
      return;
    }
    case 'setPermissionMode': {
      const wanted = request.value;
      const check = () => checkMode(wanted.mode);
      if (accept(session, wanted.inputId, 'control', check)) guard(setMode(session, wanted, logger), logger);
      return;
    }
    case 'setModel':
      if (accept(session, request.value.inputId, 'control')) guard(setModel(session, request.value), logger);
      return;
    case 'decision': {
      const decision: Decision = request.value;
      const check = () => session.approvals.check(decision);
      if (accept(session, decision.inputId, 'control', check)) session.approvals.decide(decision);
      return;
    }
    case 'history':
      if (accept(session, request.value.inputId, 'control')) session.takeHistory(request.value.text);
      return;
    case 'close':
      if (accept(session, request.value.inputId, 'control')) {
        guard(session.closeSession(CloseReason.REQUESTED), logger);
      }
      return;
    default:
      assertNever(request);
  }
}

/** True if the input is new, possible and now on the disk; otherwise it has been answered. */
function accept(
  session: Session,
  inputId: string,
  kind: InputKind,
  check: () => Refusal | undefined = () => undefined,
): boolean {
  const duplicate = session.folder.inputs.has(inputId);
  const refusal = inputId === '' ? { code: 'INPUT_ID_MISSING', reason: 'The request has no input_id.' } : undefined;
  const refused = refusal ?? (duplicate ? undefined : check());
  if (refused) {
    session.answer({ $case: 'inputRefused', value: { inputId, code: refused.code, reason: refused.reason } });
    return false;
  }
  if (!duplicate) session.folder.inputs.accept(inputId, kind);
  session.answer({ $case: 'inputAccepted', value: { inputId, duplicate } });
  return !duplicate;
}

function prompt(session: Session, request: Prompt, config: SessionConfig, logger: Logger): void {
  const { inputId } = request;
  let item: Waiting;
  try {
    item = { inputId, command: undefined, content: promptContent(session.id, request, config) };
  } catch (error) {
    // It is accepted already, so its end must be told even if its attachments cannot be written.
    logger.error({ error: messageOf(error) }, 'a prompt could not be prepared');
    session.emit([{ $case: 'promptLost', value: { inputId } }]);
    return;
  }
  credit(session, request.author, config, logger);
  if (request.steer && session.mapper.turn) session.giveNow(item);
  else session.enqueue(item);
}

/** In place long before the agent can have something to commit. That it fails is no reason not to work. */
function credit(session: Session, author: string, config: SessionConfig, logger: Logger): void {
  const { cwd, env } = session.stored.options;
  const { agentEnv, runAs } = config;
  const user = { runAs, path: agentEnv.PATH ?? '', home: agentEnv.HOME ?? '' };
  creditAsker({ cwd, author, address: env[ADDRESS] ?? '' }, user).catch((error: unknown) =>
    logger.warn({ error: messageOf(error) }, 'who asked cannot be credited in commits'),
  );
}

function checkInterrupt(session: Session, interrupt: Interrupt): Refusal | undefined {
  if (session.mapper.turn && session.mapper.turn.id === interrupt.turnId) return undefined;
  return { code: 'NO_SUCH_TURN', reason: 'That turn does not run.' };
}

function checkMode(mode: PermissionMode): Refusal | undefined {
  if (mode === PermissionMode.DEFAULT || mode === PermissionMode.PLAN) return undefined;
  return { code: 'NO_SUCH_MODE', reason: 'The mode is not one of this protocol.' };
}

/** Enforced from here on by the hook, told to Claude Code, and said when that is done. */
async function setMode(session: Session, wanted: SetPermissionMode, logger: Logger): Promise<void> {
  session.enforceMode(wanted.mode);
  session.stored.mode = wanted.mode;
  session.save();
  try {
    await session.agent()?.setPlanMode(wanted.mode === PermissionMode.PLAN);
  } catch (error) {
    // The hook enforces the mode in any case; Claude Code only does not know it yet.
    logger.warn({ error: messageOf(error) }, 'Claude Code did not take the permission mode');
  }
  sayMode(session, wanted.mode);
}

async function setModel(session: Session, wanted: SetModel): Promise<void> {
  try {
    await session.agent()?.setModel(wanted.model);
  } catch (error) {
    const said = { turnId: session.mapper.turn?.id ?? '', command: 'model', text: messageOf(error) };
    session.emit([{ $case: 'commandOutput', value: said }]);
    return;
  }
  session.stored.options.model = wanted.model;
  session.save();
  session.mapper.model = wanted.model;
  session.emit([{ $case: 'modelChanged', value: { model: wanted.model } }]);
}

function guard(work: Promise<void> | undefined, logger: Logger): void {
  work?.catch((error: unknown) => logger.error({ error: messageOf(error) }, 'a request could not be carried out'));
}
