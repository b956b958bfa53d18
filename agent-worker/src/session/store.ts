// A session's folder in the state directory: `session.json` (what it is), `inputs.ndjson` (what it was asked),
// `log.ndjson` (what it said). Only the worker's own user may read it.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PermissionMode, SessionOptions } from '../generated/claude_agent/v1/agent.ts';
import { openSessionLog, type SessionLog } from '../log/sessionLog.ts';
import { number, record, text } from '../mapping/json.ts';
import { type InputJournal, openInputJournal } from './inputs.ts';

/** What a session keeps across restarts of the worker. */
export interface StoredSession {
  sessionId: string;
  options: SessionOptions;
  /** The id to resume from; empty before the first turn and after a dead one. */
  agentSessionId: string;
  mode: PermissionMode;
  /** The highest term that has attached. */
  term: number;
  totalCostUsd: number;
  /** The agent's memory was lost, and what was said before has not been given back yet. */
  historyLost: boolean;
  /** What was said before, for the next prompt; empty: nothing. */
  history: string;
}

export interface SessionFolder {
  readonly path: string;
  readonly log: SessionLog;
  readonly inputs: InputJournal;
  save(session: StoredSession): void;
  close(): void;
}

const SESSION_ID = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;

/** Whether the id may name a folder. */
export function isSessionId(id: string): boolean {
  return SESSION_ID.test(id);
}

export function openSessionFolder(stateDir: string, sessionId: string, bootId: string): SessionFolder {
  const path = join(stateDir, 'sessions', sessionId);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const log = openSessionLog(join(path, 'log.ndjson'), bootId);
  const inputs = openInputJournal(join(path, 'inputs.ndjson'));
  return {
    path,
    log,
    inputs,
    save(session) {
      const options = Buffer.from(SessionOptions.encode(session.options).finish()).toString('base64');
      const file = join(path, 'session.json');
      writeFileSync(`${file}.new`, JSON.stringify({ ...session, options }), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    },
    close() {
      log.close();
      inputs.close();
    },
  };
}

/** Every session the state directory knows. */
export function loadStoredSessions(stateDir: string): StoredSession[] {
  const root = join(stateDir, 'sessions');
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .filter((name) => existsSync(join(root, name, 'session.json')))
    .map((name) => parse(readFileSync(join(root, name, 'session.json'), 'utf8')));
}

function parse(json: string): StoredSession {
  const stored = record(JSON.parse(json));
  return {
    sessionId: text(stored.sessionId),
    options: SessionOptions.decode(Buffer.from(text(stored.options), 'base64')),
    agentSessionId: text(stored.agentSessionId),
    mode: stored.mode === PermissionMode.PLAN ? PermissionMode.PLAN : PermissionMode.DEFAULT,
    term: number(stored.term),
    totalCostUsd: number(stored.totalCostUsd),
    historyLost: stored.historyLost === true,
    history: text(stored.history),
  };
}
