// @limit 240
// RT-21: clicks around the deadline, by a clock of our own. What the card says, what the agent is told and what is recorded
// must be one and the same, whoever was first by a millisecond.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renderCard } from '../../src/chat/cards.ts';
import type { ApprovalContext } from '../../src/machines/approval/context.ts';
import { generator } from '../policy/domains/fuzz.ts';
import { request } from './sessionEvents.ts';
import { drive } from './support.ts';

const RACES = 10_000;
const LIMIT_MS = 60_000;
const ENV = { SM_APPROVAL_TIMEOUT_SECS: String(LIMIT_MS / 1000) };
const ASKED = { session: 'session/p0', repo: 'acme/web', channelId: 'c', rootId: 'r' };

test('RT-21: in 10,000 races of clicks against the deadline, card, agent and record always agree', () => {
  const next = generator(21);
  const seen = new Map<string, number>();
  for (let race = 0; race < RACES; race += 1) {
    const approval = drive(
      'approval',
      'approval/p0/r1',
      { type: 'REQUESTED', ...ASKED, askedFor: { id: 'u', name: 'alice' }, ...request('r1') },
      ENV,
    );
    approval.send('CARD.POSTED', { postId: 'p1' });
    const early = Math.floor(next() * 7) - 3;
    const deadline = Number(approval.context().askedAt) + LIMIT_MS;
    // A step takes 10 ms of this clock. What is due by the time of an event comes before it, as in the runtime.
    approval.wait(deadline - early - (early > 0 ? 10 : 0) - approval.now());
    // Two people at once, who do not want the same.
    for (const name of ['bob', 'carol']) {
      const outcome = next() < 0.5 ? 'approved' : 'denied';
      const by = { id: name, name };
      approval.send('DECIDE', { verdict: { outcome, by, at: approval.now(), words: '', answers: {} } });
    }
    approval.wait(next() < 0.5 ? LIMIT_MS : 0);
    approval.done('worker.decide');

    const told = approval.asked.flatMap((effect) =>
      effect.kind === 'worker.decide' ? [String(effect.params.outcome)] : [],
    );
    const recorded = approval.asked.flatMap((effect) =>
      effect.kind === 'audit.record' && effect.params.action !== 'approval.requested'
        ? [effect.params.action.replace('approval.', '')]
        : [],
    );
    const context = approval.context() as ApprovalContext;
    const card = JSON.stringify(renderCard(context, 'settled', () => ({}), { reach: '', url: '' }));
    const shown = card.includes('✅ Approved') ? 'approved' : card.includes('⛔') ? 'denied' : 'expired';
    assert.equal([told, recorded, shown], [[shown], [shown], shown], `race ${race}, ${early} ms early`);
    assert.not.ok(card.includes('"actions":[{'), 'no buttons are left');
    const place = `${shown} ${early > 0 ? 'before' : early < 0 ? 'after' : 'at'} the deadline`;
    seen.set(place, (seen.get(place) ?? 0) + 1);
  }
  assert.is(seen.has('expired before the deadline'), false);
  assert.is(seen.has('approved after the deadline') || seen.has('denied after the deadline'), false);
  for (const place of ['approved before', 'denied before', 'expired after'])
    assert.ok((seen.get(`${place} the deadline`) ?? 0) > 500, `${place}: ${[...seen]}`);
});

test.run();
