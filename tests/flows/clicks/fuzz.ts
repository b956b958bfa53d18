/** Clicks made from true ones by changing them, at requests in any state, as bytes that go through the whole way in. */
import { silentLog } from '../../../src/actors/index.ts';
import { callbackBody } from '../../../src/adapters/http/callback.ts';
import { signAction, verifyAction } from '../../../src/adapters/http/index.ts';
import { createCards } from '../../../src/flows/cards.ts';
import { decide } from '../../../src/flows/decisions.ts';
import { mayOpenForGood, whyNot } from '../../../src/policy/approvers.ts';
import type { Driven } from '../../machines/support.ts';
import { generator } from '../../policy/domains/fuzz.ts';
import { type Made, mayCount } from './oracle.ts';
import { CARD, CHANNEL, request, viewOf } from './request.ts';

const KEYS = { secret: 'the secret of the fuzz', instance: 'one' };
const RULES = { approvers: ['bob', 'ada'], admins: ['ada'], channelAdmins: false, notTheAsker: false };
const BUTTONS = ['approve', 'approverepo', 'approvealways', 'deny', 'close'] as const;
const STATES = ['open', 'open', 'open', 'decided', 'withdrawn', 'reposted', 'opened'] as const;

export interface Found {
  readonly wronglyTaken: readonly string[];
  readonly wronglyRefused: readonly string[];
  readonly taken: number;
  /** Refusals that gave the person no words. */
  readonly silent: readonly string[];
}

export async function fuzzClicks(count: number, seed: number): Promise<Found> {
  const next = generator(seed);
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(next() * items.length)] as Item;
  const cards = createCards({ callbackUrl: 'http://gateway/callback', reach: '', sign: (action) => ({ ...action }) });
  const found = { wronglyTaken: [] as string[], wronglyRefused: [] as string[], taken: 0, silent: [] as string[] };

  const requests = new Map<Made['request'], Driven>();
  for (let index = 0; index < count; index += 1) {
    const state = pick(STATES);
    const button = pick(BUTTONS);
    const person = pick(['bob', 'ada', 'eve', 'BOB', 'bo', 'bob ']);
    const approval = requests.get(state) ?? request(state);
    requests.set(state, approval);
    const action = { approval: `approval/p0/r1`, action: button as string, generation: 1 };
    const context: Record<string, unknown> = { ...action, mac: signAction(KEYS, action) };
    const body: Record<string, unknown> = {
      user_id: person,
      // A stranger may well call himself like somebody else.
      user_name: pick(['bob', 'ada', 'eve']),
      channel_id: CHANNEL,
      post_id: CARD,
      trigger_id: `t${index}`,
      context,
    };
    const changed = next() < 0.4 ? [] : change(body, context, next, pick);
    const made: Made = {
      changed,
      by: RULES.approvers.includes(person) ? 'approver' : 'stranger',
      request: state,
      button,
      admin: RULES.admins.includes(person),
    };
    const wire = JSON.stringify(body);
    const parsed = callbackBody.safeParse(JSON.parse(wire));
    let taken = false;
    if (parsed.success) {
      const before = JSON.stringify(approval.context());
      const answer = await decide(
        {
          runtime: {
            read: async (address) => (address === 'approval/p0/r1' ? viewOf(approval) : undefined),
            async deliverAndWait({ event: { type, ...fields } }) {
              approval.send(type, fields);
              return 'done';
            },
          },
          cards,
          verify: (signed) => verifyAction(KEYS, signed),
          mayClose: ({ id }) => RULES.approvers.includes(id),
          mayOpenForGood: (by) => mayOpenForGood(by, RULES),
          whyNot: ({ id }, { askedFor }) =>
            whyNot({ id, mayUse: true, isChannelAdmin: async () => false }, [askedFor.id], RULES),
          onRefused: async () => undefined,
          log: silentLog,
          now: () => index,
        },
        parsed.data,
      );
      taken = JSON.stringify(approval.context()) !== before;
      if (!taken && !answer.ephemeralText) found.silent.push(wire);
    }
    if (taken) {
      found.taken += 1;
      requests.delete(state);
    }
    if (taken && !mayCount(made)) found.wronglyTaken.push(wire);
    if (!taken && mayCount(made)) found.wronglyRefused.push(wire);
  }
  return found;
}

/** @returns the names of what is no longer as it was */
function change(
  body: Record<string, unknown>,
  context: Record<string, unknown>,
  next: () => number,
  pick: <Item>(items: readonly Item[]) => Item,
): string[] {
  const before = asRead(body, context);
  const times = 1 + Math.floor(next() * 3);
  for (let time = 0; time < times; time += 1) {
    const field = pick(['channel_id', 'post_id', 'approval', 'action', 'generation', 'mac', 'gone', 'more'] as const);
    const at = field === 'channel_id' || field === 'post_id' ? body : context;
    if (field === 'gone') delete context[pick(['approval', 'action', 'generation', 'mac'])];
    else if (field === 'more') at[pick(['__proto__', 'constructor', 'toString'])] = pick(STRANGE);
    else at[field] = pick([...STRANGE, ...twisted(at[field], next)]);
  }
  return asRead(body, context) === before ? [] : ['changed'];
}

/** What nobody reads changes nothing, nor does the order in which it stands. */
function asRead(body: Record<string, unknown>, { approval, action, generation, mac }: Record<string, unknown>): string {
  return JSON.stringify([body.channel_id, body.post_id, approval, action, generation, mac]);
}

const STRANGE: readonly unknown[] = [
  '',
  '0',
  0,
  -1,
  1,
  2,
  1.5,
  1e21,
  null,
  true,
  [],
  {},
  ['approve'],
  'approve',
  'approvealways',
  'close',
  'deny',
  'answer0',
  'approval/p0/r2',
  'approval/p0/r1/',
  'approval/',
  'session/p0',
  'a'.repeat(64),
  'A'.repeat(64),
  '0'.repeat(64),
  '\u0000',
  '\ud800',
  'x'.repeat(5_000),
  CARD,
  `${CARD}x`,
  CHANNEL,
  'the-second-card',
];

/** A little different from what it was. */
function twisted(value: unknown, next: () => number): unknown[] {
  if (typeof value === 'number') return [value + 1, value - 1, String(value), value + 0.5];
  if (typeof value !== 'string') return [];
  const at = Math.floor(next() * value.length);
  const other = String.fromCharCode(33 + Math.floor(next() * 90));
  return [
    value.slice(0, at) + other + value.slice(at + 1),
    value.slice(0, -1),
    `${value} `,
    ` ${value}`,
    value.toUpperCase(),
    `${value}${value}`,
    [value],
  ];
}
