// What somebody else changed in the firewall is told once, even if it was mended while a host was opened or closed.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Enforcer } from '../../../src/flows/firewall/enforcer.ts';
import { createGrants, type GrantWish } from '../../../src/flows/firewall/grants.ts';

const WISH: GrantWish = {
  key: 'approval/s1/a/1/0',
  approval: 'approval/s1/a',
  session: 'session/s1',
  container: 'container/acme/web@main',
  repo: 'acme/web',
  hosts: ['pypi.org'],
  scope: 'session',
  expiresAt: undefined,
  by: 'alice',
};

test('drift that opening and closing came upon is in the next look, and in no later one', async () => {
  const found = [['one'], ['two'], ['three'], []];
  const enforcer: Enforcer = {
    kind: 'nftables',
    capabilities: { perContainer: true, port: true, ttl: true, cuts: true },
    entered: async () => [],
    hold: async () => ({ late: [], drift: found.shift() ?? [] }),
  };
  const store = {
    putGrant: async () => {},
    revokeGrant: async () => {},
    grantsRevokedUnder: async () => [],
    activeGrants: async () => [],
    claimedHosts: async () => [],
    claimHosts: async () => {},
    releaseHosts: async () => {},
    listActors: async () => [],
  };
  const grants = createGrants({ enforcer, store, now: () => 1 });
  await grants.open(WISH);
  await grants.close(() => true);
  assert.equal((await grants.sync()).drift, ['one', 'two', 'three']);
  assert.equal((await grants.sync()).drift, []);
});

test.run();
