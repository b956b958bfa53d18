import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog, type Trouble } from '../../src/actors/index.ts';
import { noRecords, type Records, recordEffects } from '../../src/actors/records.ts';
import { renderThread } from '../../src/chat/render/index.ts';
import { readEntry } from '../../src/chat/transcript.ts';
import { operatorHandlers } from '../../src/flows/operatorChannel.ts';
import type { Effect } from '../../src/machines/effects.ts';
import { begin, REQUEST, request, working } from '../machines/sessionEvents.ts';
import { type Driven, definitionOf, definitions, drive, said, tells, told } from '../machines/support.ts';

type Kind = 'session' | 'container' | 'approval';
const ADDRESSES = { session: 'session/p0', container: 'container/acme/web@', approval: 'approval/p0/r1' } as const;
const STATUSES = ['parked', 'error', 'stopped'] as const;

function trouble(kind: Kind, actor: Driven, status: Trouble['status'] = 'parked'): readonly Effect[] {
  const address = ADDRESSES[kind];
  const at = actor.now();
  const effects =
    definitionOf(kind).onTrouble?.({ address, status, reason: 'boom', context: actor.context(), at }) ?? [];
  // They are written with the end of the actor, so they must be writable.
  const records = { tells: [], effects: [], transcript: [], threads: [] };
  recordEffects(records, address, 9, effects, { at, now: at, cause: 'test' });
  return effects;
}

function approval(): Driven {
  const asked = { type: 'REQUESTED', session: 'session/p0', repo: 'acme/web', askedFor: { id: 'u', name: 'alice' } };
  return drive('approval', ADDRESSES.approval, { ...asked, ...request('r1'), channelId: 'c', rootId: 'r' });
}

function container(): Driven {
  const { repo } = REQUEST;
  const actor = drive('container', ADDRESSES.container, { type: 'ATTACH', session: 'session/p0', repo, main: false });
  actor.send('ATTACH', { session: 'session/p1', repo, main: false });
  return actor;
}

const ACTORS = { session: working, container, approval };

test('every kind but the root tells the root, which knows what to do with that', () => {
  for (const status of STATUSES) {
    for (const kind of ['session', 'container', 'approval'] as const) {
      const [told, ...others] = tells(trouble(kind, ACTORS[kind](), status), 'CHILD.TROUBLED');
      assert.is(told?.to, 'gateway/root');
      assert.equal(others, []);
      const root = drive('gateway', 'gateway/root', { type: 'BOOT' });
      const { type, at: _at, ...fields } = told?.event ?? { type: '' };
      assert.match(JSON.stringify(root.send(type, fields)), new RegExp(ADDRESSES[kind]));
    }
  }
});

test('a root that cannot go on tells the operators itself: above it is nobody else', () => {
  const root = definitions().find(({ kind }) => kind === 'gateway');
  for (const status of STATUSES) {
    const effects = root?.onTrouble?.({ address: 'gateway/root', status, reason: 'boom', context: {}, at: 1 }) ?? [];
    const records = { tells: [], effects: [], transcript: [], threads: [] };
    recordEffects(records, 'gateway/root', 9, effects, { at: 1, now: 1, cause: 'test' });
    assert.is(effects.length, 1);
    const [effect] = effects;
    assert.is(effect?.kind, 'chat.tellOperator');
    assert.match(JSON.stringify(effect), new RegExp(`${status}.*boom.*csm retry gateway/root`));
  }
});

test('a session that cannot go on says so in its thread, takes its questions back and leaves its container', () => {
  for (const status of STATUSES) {
    const session = working();
    session.send('APPROVAL.REQUESTED', request('r1'));
    const effects = trouble('session', session, status);
    assert.match(said(effects).join(), /boom[\s\S]*@claude start/);
    assert.equal(told(effects, 'WITHDRAW'), ['approval/p0/r1']);
    assert.equal(told(effects, 'DETACH'), ['container/acme/web@']);
  }
});

test('the turn of a session whose workspace was taken down says in its post how to go on: the session has to be resumed', () => {
  const records: Records = noRecords();
  const effects = working().send('CONTAINER.STOPPED');
  recordEffects(records, ADDRESSES.session, 9, effects, { at: 1, now: 1, cause: 'test' });
  const started = { kind: 'turnStarted', body: { turnId: 't1' } };
  const entries = [started, ...records.transcript].flatMap(({ kind, body }, index) => {
    const entry = readEntry({ id: index + 1, at: 1, kind, body });
    return entry === null ? [] : [entry];
  });
  const turn = renderThread(entries, { verbosity: 'normal' }).find(({ key }) => key.startsWith('t1/'));
  assert.match(turn?.message ?? '', /taken down[\s\S]*`@claude resume` goes on/);
});

test('a session without a thread answers where it was asked for', () => {
  const effects = trouble('session', begin());
  const reply = effects.find((effect) => effect.kind === 'chat.reply');
  assert.is(reply?.kind === 'chat.reply' && reply.params.replyTo, 'p0');
});

test('the guests of a container that cannot go on fail with the reason instead of waiting', () => {
  for (const status of STATUSES) {
    const effects = trouble('container', container(), status);
    assert.equal(told(effects, 'CONTAINER.REFUSED'), ['session/p0', 'session/p1']);
    const [refused] = tells(effects, 'CONTAINER.REFUSED');
    const { type, at: _at, ...fields } = refused?.event ?? { type: '' };
    const guest = working();
    assert.match(said(guest.send(type, fields)).join(), /boom[\s\S]*retry/);
    assert.is(guest.value(), 'failed');
  }
});

test('a question that nobody can answer any more is answered with "no answer", never with consent', () => {
  for (const status of STATUSES) {
    const undecided = approval();
    undecided.done('chat.card', { postId: 'p' });
    const approved = approval();
    const verdict = { outcome: 'approved', by: { id: 'u', name: 'alice' }, at: 1, words: '', answers: {} };
    approved.send('DECIDE', { verdict });
    for (const each of [approval(), undecided, approved]) {
      const effects = trouble('approval', each, status);
      const decided = effects.flatMap((effect) => (effect.kind === 'worker.decide' ? [effect.params] : []));
      assert.equal(
        decided.map(({ outcome, inputId, digest }) => [outcome, inputId, digest]),
        [['expired', 'decision-r1', 'd']],
      );
      assert.equal(told(effects, 'APPROVAL.SETTLED'), ['session/p0']);
      assert.match(said(effects).join(), /boom[\s\S]*nobody answered/);
    }
  }
});

test('a question that has ended already is not answered again', () => {
  const withdrawn = approval();
  withdrawn.send('WITHDRAW', { reason: 'x' });
  assert.equal(told(trouble('approval', withdrawn), 'CHILD.TROUBLED'), ['gateway/root']);
  assert.is(trouble('approval', withdrawn).length, 1);
});

test('a question that goes on after it was set aside knows that its agent waits no more', () => {
  const undecided = approval();
  undecided.done('chat.card', { postId: 'p' });
  assert.equal(told(trouble('approval', undecided), 'GIVEN.UP'), [ADDRESSES.approval]);
  undecided.send('GIVEN.UP', { reason: 'boom' });
  assert.is(undecided.value(), 'withdrawn');
  assert.equal(told(trouble('approval', approval(), 'stopped'), 'GIVEN.UP'), []);
});

test('operators are told in the log, and once in their channel if there is one', async () => {
  for (const channelId of [null, 'c'.repeat(26)]) {
    const logged: unknown[] = [];
    const posted: unknown[] = [];
    const log = { ...silentLog, error: (fields: object) => logged.push(fields) };
    const posting = { create: async (post: object) => `post-${posted.push(post)}` };
    const tell = operatorHandlers({ posting, channelId, log })['chat.tellOperator'];
    const params = { message: 'session/p0 was set aside' };
    const request = {
      key: 'k',
      actor: 'gateway/root',
      kind: 'chat.tellOperator',
      params,
      attempt: 1,
      deadline: 9,
    } as const;
    await tell(request);
    assert.is(logged.length, 1);
    const post = { key: 'operator/k', owner: 'gateway/root', channelId, rootId: '', message: params.message };
    assert.equal(posted, channelId === null ? [] : [post]);
  }
});

test.run();
