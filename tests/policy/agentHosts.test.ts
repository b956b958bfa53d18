// @limit 240
// RT-58: the hosts of its maker that the installed Claude Code names. A new version that names another one fails here, and
// somebody decides whether agents need it (SM_BASE_HOSTS, docs/operations.md) before sessions fail for the lack of it.
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { firewall } from '../../src/config/table/network.ts';

/** Needed by every agent. */
const NEEDED = ['api.anthropic.com'];
/** Needed by those who log in with an account instead of a key. */
const FOR_ACCOUNTS = ['platform.claude.com', 'claude.ai', 'claude.com', 'api.claude.com', 'console.anthropic.com'];
/** Pages for people, updates, connectors and other environments: agents do without. */
const NOT_NEEDED = [
  ...['anthropic.com', 'www.anthropic.com', 'code.claude.com', 'docs.claude.com', 'docs.anthropic.com'],
  ...[
    'support.claude.com',
    'support.anthropic.com',
    'status.anthropic.com',
    'status.claude.com',
    'downloads.claude.ai',
  ],
  ...['api-staging.anthropic.com', 'preview.claude.ai', 'mcp-proxy.anthropic.com', 'slack.mcp.claude.com'],
  ...['microsoft365.mcp.claude.com'],
];

const NAMED = /https:\/\/((?:[a-z0-9-]+\.)*(?:anthropic\.com|claude\.ai|claude\.com))(?![a-z0-9.-])/g;
/** More than any address is long: one that two pieces share is not missed. */
const OVERLAP = 300;

function installed(): string {
  const sdk = createRequire(import.meta.url).resolve('@anthropic-ai/claude-agent-sdk');
  return join(dirname(sdk), '..', `claude-agent-sdk-${process.platform}-${process.arch}`, 'claude');
}

async function hostsIn(file: string): Promise<readonly string[]> {
  const found = new Set<string>();
  let rest = '';
  for await (const chunk of createReadStream(file, { encoding: 'latin1', highWaterMark: 4 * 1024 * 1024 })) {
    const text = rest + chunk;
    for (const [, host = ''] of text.matchAll(NAMED)) found.add(host);
    rest = text.slice(-OVERLAP);
  }
  return [...found].sort();
}

test('RT-58: the installed Claude Code names no host of its maker that nobody has looked at', async () => {
  const named = await hostsIn(installed());
  const known = [...NEEDED, ...FOR_ACCOUNTS, ...NOT_NEEDED];
  assert.equal(
    named.filter((host) => !known.includes(host)),
    [],
  );
  for (const host of NEEDED) assert.ok(named.includes(host), `${host} is still named`);
  assert.equal(firewall.baseHosts.default?.split(','), NEEDED, 'and they are open without anybody asking for them');
});

test.run();
