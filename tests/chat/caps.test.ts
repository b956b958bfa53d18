// Which cap on spending is reached, and what people are told of it.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Caps, reachedCap, type Spent } from '../../src/chat/caps.ts';

const NONE: Caps = { turnUsd: 0, sessionUsd: 0, userUsd: 0, dayUsd: 0 };
const SPENT: Spent = { turn: 1, session: 2, user: 3, day: 4 };
const WHO = { name: 'ann', trigger: '@claude' };

const reached = (caps: Partial<Caps>, who = WHO) => reachedCap(SPENT, { ...NONE, ...caps }, who);

test('without caps anything may be spent', () => {
  assert.is(reached({}), undefined);
});

test('a cap is reached by as much as it says, not by less', () => {
  assert.is(reached({ turnUsd: 1.01, sessionUsd: 2.01, userUsd: 3.01, dayUsd: 4.01 }), undefined);
  assert.is(reached({ turnUsd: 1 })?.cap, 'turn');
  assert.is(reached({ sessionUsd: 2 })?.cap, 'session');
  assert.is(reached({ userUsd: 3 })?.cap, 'user');
  assert.is(reached({ dayUsd: 4 })?.cap, 'day');
});

test('of several the widest is told', () => {
  assert.is(reached({ turnUsd: 1, sessionUsd: 1, userUsd: 1, dayUsd: 1 })?.cap, 'day');
  assert.is(reached({ turnUsd: 1, sessionUsd: 1, userUsd: 1 })?.cap, 'user');
  assert.is(reached({ turnUsd: 1, sessionUsd: 1 })?.cap, 'session');
});

test('each says who or what has spent how much, and how it goes on', () => {
  assert.match(reached({ turnUsd: 1 })?.words ?? '', /\$1\.00.*one turn is \$1\.00.*next turn/);
  assert.match(reached({ sessionUsd: 2 })?.words ?? '', /session has cost \$2\.00.*`@claude raise 5`/);
  assert.match(reached({ userUsd: 3 })?.words ?? '', /`ann` have cost \$3\.00 today.*tomorrow.*SM_CAP_USER_USD/);
  assert.match(reached({ dayUsd: 4 })?.words ?? '', /All sessions.*\$4\.00 today.*tomorrow.*SM_CAP_DAY_USD/);
});

test('nobody is called by a mention', () => {
  assert.not.match(reached({ userUsd: 3 }, { ...WHO, name: 'all' })?.words ?? '', /@all/);
});

test.run();
