// Who is asked about a network request, and who is not.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ActorSummary } from '../../../src/actors/index.ts';
import { checkRequest } from '../../../src/flows/firewall/check.ts';
import type { Enforcer } from '../../../src/flows/firewall/enforcer.ts';
import type { Address } from '../../../src/machines/addresses.ts';
import { type ApprovalContext, newApproval, WRITTEN } from '../../../src/machines/approval/context.ts';
import { NO_POLICY } from '../../../src/policy/domains/index.ts';

const ASKED = { session: 'session/p0', repo: 'acme/web', written: false } as const;
const OWN = 'approval/p0/own';

function enforcer(kind: Enforcer['kind']): Enforcer {
  return {
    kind,
    capabilities: { perContainer: false, port: false, ttl: false, cuts: false },
    entered: async () => [],
    hold: async () => ({ late: [], drift: [] }),
  };
}

function waiting(address: Address, hosts: readonly string[], askedAt: number): ActorSummary {
  const context: ApprovalContext = newApproval({
    address,
    timeoutMs: 0,
    remindMs: 0,
    twoPeople: false,
    grantMs: 1,
    request: {
      type: 'REQUESTED',
      at: askedAt,
      session: ASKED.session,
      requestId: address,
      kind: 'network',
      toolName: WRITTEN,
      inputJson: JSON.stringify({ hosts }),
      digest: 'd',
      turnId: 't',
      repo: ASKED.repo,
      askedFor: { id: 'u', name: 'alice' },
      channelId: 'c',
      rootId: 'r',
    },
  });
  return {
    address,
    kind: 'approval',
    status: 'active',
    version: 1,
    rev: 1,
    parent: undefined,
    value: 'pending',
    context,
    wakeAt: undefined,
    updatedAt: askedAt,
  };
}

/** @param reachable hosts the container can connect to @param others requests that wait, this one among them */
function check(
  hosts: readonly string[],
  {
    reachable = [] as string[],
    kind = 'nftables' as Enforcer['kind'],
    others = [] as ActorSummary[],
    settled = [] as ActorSummary[],
    written = false,
  },
) {
  const looked: string[] = [];
  const ports = {
    policy: NO_POLICY,
    grants: { active: async () => [], enforcer: enforcer(kind) },
    store: {
      listActors: async ({ states }: { states?: readonly string[] }) =>
        states?.includes('settled') ? settled : others,
    },
    reaches: async (_session: Address, host: string) => {
      looked.push(host);
      return reachable.includes(host);
    },
  };
  return checkRequest(ports, OWN, { ...ASKED, hosts, written }).then((answer) => ({ ...answer, looked }));
}

test('RT-60: a host that answers already raises no card, whoever opened it', async () => {
  const { standing, words } = await check(['pypi.org'], { reachable: ['pypi.org'] });
  assert.is(standing, 'granted');
  assert.match(words, /401 or 403 comes from the server/);
});

test('RT-60: of several hosts only the closed ones are asked about', async () => {
  const { standing, hosts } = await check(['pypi.org', 'crates.io'], { reachable: ['pypi.org'] });
  assert.is(standing, 'ask');
  assert.equal(hosts, ['crates.io']);
});

test('what must not be asked for is not even tried', async () => {
  const { standing, looked } = await check(['10.0.0.1'], { reachable: ['10.0.0.1'] });
  assert.is(standing, 'refused');
  assert.equal(looked, []);
});

test('without a firewall everything is reachable, and people are asked all the same', async () => {
  assert.is((await check(['pypi.org'], { reachable: ['pypi.org'], kind: 'none' })).standing, 'ask');
});

test('what a person has denied before is said on the card, by whom, and for that host alone', async () => {
  const decided = (address: Address, host: string, outcome: 'approved' | 'denied', silent = false): ActorSummary => {
    const asked = waiting(address, [host], 1);
    const by = { id: 'bob-id', name: 'bob' };
    const verdict = { outcome, by, at: 2, words: '', answers: {} };
    return { ...asked, value: { settled: outcome }, context: { ...asked.context, silent, verdict } };
  };
  const settled = [
    decided('approval/p0/1', 'pypi.org', 'denied'),
    decided('approval/p0/2', 'crates.io', 'approved'),
    // By the policy, and not by a person.
    decided('approval/p0/3', 'npmjs.org', 'denied', true),
  ];
  for (const written of [false, true]) {
    const { standing, warnings } = await check(['pypi.org', 'crates.io', 'npmjs.org'], { settled, written });
    assert.is(standing, 'ask', 'people may decide otherwise now');
    assert.equal(warnings, ['pypi.org was denied before in this session, by bob.']);
  }
});

test('in words: what an earlier card asks for is left to it, the rest is asked for; a tool that waits gets its own card', async () => {
  const others = [waiting('approval/p0/first', ['pypi.org'], 1), waiting(OWN, ['pypi.org', 'crates.io'], 2)];
  assert.is((await check(['pypi.org'], { others, written: true })).standing, 'asked');
  assert.equal((await check(['pypi.org', 'crates.io'], { others, written: true })).hosts, ['crates.io']);
  assert.is((await check(['pypi.org'], { others })).standing, 'ask');
});

test('in words: a card that came later does not keep an earlier one back', async () => {
  const others = [waiting('approval/p0/later', ['pypi.org'], 3), waiting(OWN, ['pypi.org'], 2)];
  assert.is((await check(['pypi.org'], { others, written: true })).standing, 'ask');
});

test('in words: three cards may wait, a fourth is refused with the reason', async () => {
  const others = [1, 2, 3].map((at) => waiting(`approval/p0/${at}`, [`h${at}.pypi.org`], at));
  const { standing, words } = await check(['crates.io'], {
    others: [...others, waiting(OWN, ['crates.io'], 9)],
    written: true,
  });
  assert.is(standing, 'refused');
  assert.match(words, /3 network requests are waiting/);
});

test.run();
