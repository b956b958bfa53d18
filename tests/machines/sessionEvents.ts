/** Sessions brought to a state, and the events that people and workers send them. */
import type { JsonObject } from '../../src/machines/json.ts';
import { type Driven, drive } from './support.ts';

export const REQUEST = {
  repo: { repo: 'acme/web', source: '/web', branch: '' },
  worktree: 'one',
  plan: false,
  review: false,
  model: '',
  owner: { id: 'u', name: 'alice' },
  askedIn: { channelId: 'c', rootId: '' },
  askedBy: 'p0',
};

export const LINK_UP = {
  agentSessionId: 'a',
  agentState: 'idle',
  historyLost: false,
  logId: 'log1',
  plan: false,
  turnId: '',
  openRequestIds: [],
};

export const by = (postId: string): JsonObject => ({
  postId,
  channelId: 'c',
  rootId: 'r',
  userId: 'u',
  userName: 'alice',
});
export const prompt = (postId: string): JsonObject => ({
  ...by(postId),
  text: `say ${postId}`,
  fileIds: [],
  addressed: false,
});
export const started = (turnId: string, ...inputIds: string[]): JsonObject => ({ turnId, inputIds });
export const ended = (turnId: string, outcome = 'completed', ...inputIds: string[]): JsonObject => ({
  turnId,
  outcome,
  inputTokens: 1,
  outputTokens: 1,
  costUsd: 0.1,
  contextTokens: 10,
  contextWindow: 100,
  agentSessionId: 'a',
  inputIds,
});
export const request = (requestId: string): JsonObject => ({
  requestId,
  kind: 'tool',
  toolName: 'Bash',
  inputJson: '{"command":"ls"}',
  digest: 'd',
  turnId: 't1',
});
export const READY = { endpoint: 'e1', generation: 1, identity: 'i1' };
export const stop = (postId: string, reach: { container?: boolean; all?: boolean } = {}): JsonObject => ({
  ...by(postId),
  container: false,
  all: false,
  ...reach,
});

export function begin(request: JsonObject = REQUEST): Driven {
  return drive('session', 'session/p0', { type: 'START', request });
}

export function preparing(request: JsonObject = REQUEST): Driven {
  const session = begin(request);
  session.done('chat.openThread', { channelId: 'c', rootId: 'r' });
  return session;
}

export function attaching(request: JsonObject = REQUEST): Driven {
  const session = preparing(request);
  session.done('workspace.checkout', { path: '/w', branch: 'one' });
  return session;
}

export function connecting(request: JsonObject = REQUEST): Driven {
  const session = attaching(request);
  session.send('CONTAINER.READY', READY);
  return session;
}

export function open(request: JsonObject = REQUEST): Driven {
  const session = connecting(request);
  session.send('LINK.UP', LINK_UP);
  return session;
}

/** With the turn `t1` that answers the message `p1`. */
export function working(request: JsonObject = REQUEST): Driven {
  const session = open(request);
  session.send('PROMPT', prompt('p1'));
  session.done('worker.prompt');
  session.send('TURN.STARTED', started('t1', 'p1'));
  return session;
}

export function stopped(request: JsonObject = REQUEST): Driven {
  const session = open(request);
  session.send('COMMAND.STOP', stop('s1'));
  session.send('SESSION.CLOSED', { reason: 'requested', agentSessionId: 'a', error: '' });
  session.done('workspace.tidy', { kept: '', path: '/w' });
  return session;
}

/** The state of one region of an open session, or of the whole. */
export function stateOf(session: Driven, region?: string): string {
  const value = session.value();
  const part = region === undefined ? value : dig(value, region);
  return typeof part === 'string' ? part : JSON.stringify(part);
}

function dig(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const found = key === name ? inner : dig(inner, name);
    if (found !== undefined) return found;
  }
  return undefined;
}
