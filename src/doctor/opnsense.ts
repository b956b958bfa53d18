/** Whether the alias in OPNsense is there, may be changed, and whether the firewall follows it. */
import { isIP } from 'node:net';
import type { OpnsenseFirewall, ResolveHost } from '../adapters/opnsense/index.ts';
import type { Config } from '../config.ts';
import { checkHosts } from '../policy/domains/index.ts';
import { openOpnsense, resolveHere } from '../wireFirewall.ts';
import type { FirewallOptions } from './firewall.ts';
import { type Finding, failed, ok, tried, warning } from './report.ts';

type Settings = Extract<Config['firewall'], { kind: 'opnsense' }>;

/** @param resolve as containers see names; default: as this machine does */
export async function* opnsenseFindings(
  settings: Settings,
  { createAlias, host }: FirewallOptions,
  resolve: ResolveHost = resolveHere,
): AsyncGenerator<Finding> {
  const { firewall, close } = openOpnsense(settings, resolve);
  try {
    yield* findingsOf(firewall, settings, { createAlias, host });
  } finally {
    await close();
  }
}

async function* findingsOf(
  firewall: OpnsenseFirewall,
  { alias, baseHosts }: Settings,
  { createAlias, host }: FirewallOptions,
): AsyncGenerator<Finding> {
  if (createAlias) {
    const made = await tried('create alias', async () =>
      (await firewall.create())
        ? `${alias} was made, empty. Now add a rule that lets the containers reach it.`
        : `${alias} was there already.`,
    );
    yield made;
    if (made.level === 'failed') return;
  }
  let entries: readonly string[] = [];
  const read = await tried('alias', async () => {
    entries = await firewall.entries();
    return `${alias} is there, of type Host(s), enabled, with ${entries.length} entries.`;
  });
  yield read;
  if (read.level === 'failed') return;
  const change = await tried('privileges', async () => {
    await firewall.prove();
    return 'the alias was saved as it is and put in force.';
  });
  yield change;
  const table = await tried('live table', async () => `can be read: ${(await firewall.live()).size} addresses.`);
  yield table;
  yield baseFinding(alias, baseHosts, entries);
  if (change.level === 'failed' || table.level === 'failed') return;
  yield await followFinding(firewall, entries);
  if (host !== '') yield await trialFinding(firewall, host, entries);
}

function baseFinding(alias: string, baseHosts: readonly string[], entries: readonly string[]): Finding {
  const missing = baseHosts.filter((host) => !entries.includes(host));
  return missing.length === 0
    ? ok('base hosts', `${baseHosts.join(', ')}: in the alias.`)
    : warning(
        'base hosts',
        `${missing.join(', ')} is not in ${alias}. Agents need it: add it there by hand, unless another rule lets them reach it.`,
      );
}

/** What is in the alias has to be in the table that packets are compared with. */
async function followFinding(firewall: OpnsenseFirewall, entries: readonly string[]): Promise<Finding> {
  const names = entries.filter((entry) => entry.includes('.') && isIP(entry) === 0 && /^[a-z0-9.-]+$/.test(entry));
  let late: readonly string[] = [];
  const found = await tried('table follows', async () => {
    ({ late } = await firewall.hold({ ours: [], wanted: names }));
    return `every name of the alias that resolves here is in force (${names.length}).`;
  });
  return late.length === 0
    ? found
    : failed(
        found.check,
        `${late.join(', ')}: in the alias, and still not in its live table. Does the firewall resolve it to the addresses that it has here? See Firewall: Diagnostics: Aliases.`,
      );
}

/** Opens and closes a host that nobody else has entered. */
async function trialFinding(firewall: OpnsenseFirewall, given: string, entries: readonly string[]): Promise<Finding> {
  const check = `open ${given}`;
  const verdict = checkHosts([given]);
  const host = verdict.ok ? verdict.hosts[0]?.host : undefined;
  if (!verdict.ok || host === undefined)
    return failed(check, verdict.ok ? 'There is no host.' : verdict.human.replace('Nobody was asked. ', ''));
  if (entries.includes(host)) return failed(check, 'It is in the alias already. Name a host that is not.');
  const begun = Date.now();
  let late: readonly string[] = [];
  const found = await tried(check, async () => {
    try {
      ({ late } = await firewall.hold({ ours: [], wanted: [host] }));
    } finally {
      await firewall.hold({ ours: [host], wanted: [] });
    }
    return `in force, and taken out again, after ${Date.now() - begun} ms.`;
  });
  return late.length === 0
    ? found
    : failed(
        check,
        'It was entered, did not come into force in time, and was taken out again. Is the firewall busy? See its log.',
      );
}
