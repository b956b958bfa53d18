import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Effect } from '../../src/machines/effects.ts';
import type { JsonObject } from '../../src/machines/json.ts';
import { type Driven, drive } from './support.ts';

const REQUEST = {
  repo: { repo: 'acme/web', source: '/web', branch: '' },
  worktree: 'one',
  plan: false,
  review: false,
  model: '',
  owner: { id: 'u', name: 'alice' },
  askedIn: { channelId: 'c', rootId: '' },
  askedBy: 'p0',
};
const LINK_UP = {
  agentSessionId: 'a',
  agentState: 'idle',
  historyLost: false,
  logLost: false,
  plan: false,
  turnId: '',
  openRequestIds: [],
};
const by = (postId: string): JsonObject => ({ postId, channelId: 'c', rootId: 'r', userId: 'u', userName: 'alice' });
const prompt = (postId: string): JsonObject => ({ ...by(postId), text: `say ${postId}`, fileIds: [] });
const ended = (turnId: string, outcome = 'completed'): JsonObject => ({
  turnId,
  outcome,
  inputTokens: 1,
  outputTokens: 1,
  costUsd: 0.1,
  contextTokens: 10,
  contextWindow: 100,
  agentSessionId: 'a',
});

function begin(): Driven {
  return drive('session', 'session/p0', { type: 'START', request: REQUEST });
}

function open(): Driven {
  const session = begin();
  session.send('THREAD.OPENED', { channelId: 'c', rootId: 'r' });
  session.send('WORKSPACE.READY', { path: '/w', branch: 'one' });
  session.send('CONTAINER.READY', { endpoint: 'e', generation: 1, identity: 'i' });
  session.send('LINK.UP', LINK_UP);
  return session;
}

const prompted = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.kind === 'worker.prompt' ? [effect.params.inputId] : []));
const said = (effects: readonly Effect[]) => effects.flatMap((effect) => (effect.kind === 'say' ? [effect.text] : []));
const conversation = (session: Driven): string => JSON.stringify(session.value());

test('opening asks for thread, workspace and container in order, then says that it is ready', () => {
  const session = open();
  assert.equal(
    session.kinds().filter((kind) => ['chat.openThread', 'bindThread', 'workspace.checkout', 'tell'].includes(kind)),
    ['chat.openThread', 'bindThread', 'workspace.checkout', 'tell'],
  );
  assert.match(said(session.asked).at(-1) ?? '', /Ready on/);
  assert.match(conversation(session), /"idle"/);
});

test('messages written while it opens are sent in order, one turn after the other', () => {
  const session = begin();
  session.send('PROMPT', prompt('p1'));
  session.send('THREAD.OPENED', { channelId: 'c', rootId: 'r' });
  session.send('PROMPT', prompt('p2'));
  session.send('WORKSPACE.READY', { path: '/w', branch: 'one' });
  session.send('CONTAINER.READY', { endpoint: 'e', generation: 1, identity: 'i' });
  assert.equal(prompted(session.send('LINK.UP', LINK_UP)), ['p1']);
  session.send('TURN.STARTED', { turnId: 't1', inputIds: ['p1'] });
  assert.equal(prompted(session.send('TURN.ENDED', ended('t1'))), ['p2']);
});

test('a message that waits is sent as it was last edited, and not at all once deleted', () => {
  const session = open();
  session.send('PROMPT', prompt('p1'));
  session.send('TURN.STARTED', { turnId: 't1', inputIds: ['p1'] });
  session.send('PROMPT', prompt('p2'));
  session.send('PROMPT', prompt('p3'));
  session.send('POST.EDITED', { postId: 'p3', text: 'better words' });
  session.send('POST.DELETED', { postId: 'p2' });
  const effects = session.send('TURN.ENDED', ended('t1'));
  const sent = effects.find((effect) => effect.kind === 'worker.prompt');
  assert.is(sent?.kind === 'worker.prompt' && sent.params.text, 'better words');
});

test('after a worker that lost its log nothing waits for ever, and an unstarted message is sent again under its id', () => {
  const session = open();
  session.send('PROMPT', prompt('p1'));
  session.send('LINK.DOWN', { reason: 'gone' });
  const effects = session.send('LINK.UP', { ...LINK_UP, logLost: true });
  assert.equal(prompted(effects), ['p1']);
});

test('plan mode is what the worker confirmed, not what was asked', () => {
  const session = open();
  session.send('COMMAND.PLAN', { ...by('p1'), on: null });
  assert.match(conversation(session), /"mode":"normal"/);
  session.send('MODE.CHANGED', { plan: true });
  assert.match(conversation(session), /"mode":"plan"/);
  const off = session.send('COMMAND.PLAN', { ...by('p2'), on: null });
  assert.ok(off.some((effect) => effect.kind === 'worker.mode' && !effect.params.plan));
});

test('an open question makes the session wait for a person, and its answer makes it work again', () => {
  const session = open();
  session.send('PROMPT', prompt('p1'));
  session.send('TURN.STARTED', { turnId: 't1', inputIds: ['p1'] });
  session.send('APPROVAL.REQUESTED', {
    requestId: 'r1',
    kind: 'tool',
    toolName: 'Bash',
    inputJson: '{}',
    digest: 'd',
    turnId: 't1',
  });
  assert.match(conversation(session), /waitingForPerson/);
  session.send('APPROVAL.SETTLED', { requestId: 'r1' });
  assert.match(conversation(session), /working/);
});

test('stopping closes the agent, looks at the checkout, leaves the container, and late events do not bring it back', () => {
  const session = open();
  session.send('COMMAND.STOP', { ...by('p1'), container: false, all: false });
  session.send('SESSION.CLOSED', { reason: 'requested', agentSessionId: 'a', error: '' });
  session.send('WORKSPACE.TIDIED', { kept: '', path: '/w' });
  assert.is(session.value(), 'stopped');
  assert.ok(session.asked.some((effect) => effect.kind === 'tell' && effect.event.type === 'DETACH'));
  for (const late of ['LINK.UP', 'CONTAINER.READY', 'TURN.STARTED', 'THREAD.OPENED', 'WORKSPACE.READY']) {
    session.send(late, {
      ...LINK_UP,
      endpoint: 'x',
      generation: 9,
      identity: 'i',
      inputIds: [],
      channelId: 'c',
      rootId: 'r',
      path: '/',
    });
    assert.is(session.value(), 'stopped');
  }
  assert.match(said(session.send('PROMPT', prompt('p9'))).join(), /not running/);
});

test('a failure is said with its cause and next step, where the command was typed if there is no thread', () => {
  const session = begin();
  const effects = session.send('THREAD.FAILED', { code: 'X', message: 'm', human: 'The channel could not be made.' });
  const reply = effects.find((effect) => effect.kind === 'chat.reply');
  assert.match(reply?.kind === 'chat.reply' ? reply.params.message : '', /could not be made[\s\S]*retry/);
});

test('whatever happens in whichever order, every message is waiting, begun, or answered in words', () => {
  const post = fc.nat(30).map((n) => `q${n}`);
  const event = fc.oneof(
    post.map((id) => ['PROMPT', prompt(id)] as const),
    post.map((id) => ['TURN.STARTED', { turnId: `t-${id}`, inputIds: [id] }] as const),
    post.map((id) => ['TURN.ENDED', ended(`t-${id}`)] as const),
    post.map((id) => ['PROMPT.LOST', { inputId: id }] as const),
    post.map((id) => ['PROMPT.REFUSED', { postId: id, code: 'X', message: 'm', human: 'No.' }] as const),
    fc.constant(['LINK.DOWN', { reason: 'x' }] as const),
    fc.boolean().map((logLost) => ['LINK.UP', { ...LINK_UP, logLost }] as const),
    fc.constant(['COMMAND.INTERRUPT', by('i1')] as const),
    fc.constant(['COMMAND.COMPACT', { ...by('i2'), hint: '' }] as const),
    fc.constant(['COMMAND.RESTART', by('i3')] as const),
    fc.constant(['COMMAND.STOP', { ...by('i4'), container: false, all: false }] as const),
    fc.constant(['COMMAND.RESUME', by('i5')] as const),
    fc.constant(['SESSION.CLOSED', { reason: 'requested', agentSessionId: 'a', error: '' }] as const),
    fc.constant(['WORKSPACE.TIDIED', { kept: '', path: '' }] as const),
    fc.constant(['WORKSPACE.READY', { path: '/w', branch: 'b' }] as const),
    fc.constant(['CONTAINER.READY', { endpoint: 'e', generation: 1, identity: 'i' }] as const),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const session = open();
      const posted = new Set<string>();
      const accounted = new Set<string>();
      for (const [type, fields] of events) {
        const id = type === 'PROMPT' ? String(fields.postId) : undefined;
        const effects = session.send(type, fields);
        if (type === 'TURN.STARTED') for (const each of fields.inputIds) accounted.add(each);
        if (type === 'PROMPT.LOST') accounted.add(fields.inputId);
        if (type === 'PROMPT.REFUSED') accounted.add(fields.postId);
        if (id === undefined) continue;
        posted.add(id);
        if (said(effects).length > 0) accounted.add(id);
      }
      const queue = (session.context().queue as { postId: string }[]).map(({ postId }) => postId);
      const missing = [...posted].filter((id) => !accounted.has(id) && !queue.includes(id));
      assert.equal(missing, []);
    }),
    { numRuns: 150 },
  );
});

test.run();
