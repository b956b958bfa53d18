// Who may decide.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ApproverRules, mayOpenForGood, whyNot } from '../../src/policy/approvers.ts';

const RULES: ApproverRules = { approvers: [], admins: [], channelAdmins: false, notTheAsker: false };
const ASKER = { id: 'alice-id', name: 'alice' };

const may = async (id: string, rules: Partial<ApproverRules>, { mayUse = true, isAdmin = false } = {}) => {
  const decider = { id, mayUse, isChannelAdmin: async () => isAdmin };
  return (await whyNot(decider, [ASKER.id], { ...RULES, ...rules })) === undefined;
};

test('without approvers everybody decides who may use the bot, and nobody else', async () => {
  assert.is(await may('bob-id', {}), true);
  assert.is(await may('bob-id', {}, { mayUse: false }), false);
});

test('with approvers only they decide, by their ids, whatever others call themselves', async () => {
  assert.is(await may('bob-id', { approvers: ['bob-id'] }), true);
  assert.is(await may('eve-id', { approvers: ['bob-id'] }), false);
  assert.is(await may('bob-i', { approvers: ['bob-id'] }), false);
});

test("admins of the session's channel decide where that is wanted, besides the approvers", async () => {
  const rules = { channelAdmins: true };
  assert.is(await may('eve-id', rules), false);
  assert.is(await may('eve-id', rules, { isAdmin: true }), true);
  assert.is(await may('bob-id', { ...rules, approvers: ['bob-id'] }), true);
});

test('where others must decide, the person whom the agent works for may not, not even as an approver', async () => {
  assert.is(await may(ASKER.id, { notTheAsker: true, approvers: [ASKER.id] }), false);
  assert.is(await may('bob-id', { notTheAsker: true }), true);
});

test('nobody opens a host for good unless admins are named', () => {
  assert.is(mayOpenForGood(ASKER, RULES), false);
  assert.is(mayOpenForGood(ASKER, { admins: ['bob-id'] }), false);
  assert.is(mayOpenForGood(ASKER, { admins: [ASKER.id] }), true);
});

test.run();
