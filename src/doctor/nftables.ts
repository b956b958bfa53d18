/** Whether the VM can wall its containers in, without touching the walls that stand. */
import {
  askResolver,
  nftWalls,
  proveNamesFolder,
  proveNft,
  resolveOn,
  type Shell,
  seesBridged,
} from '../adapters/nftables/index.ts';
import type { Config } from '../config.ts';
import { wallsOf } from '../wireFirewall.ts';
import { type Finding, failed, ok, tried, warning } from './report.ts';

type Settings = Extract<Config['firewall'], { kind: 'nftables' }>;

export async function* nftablesFindings(settings: Settings, shell: Shell): AsyncGenerator<Finding> {
  const { command, resolvers, namesFolder, baseHosts } = settings;
  const nft = await tried('nft', async () => {
    await proveNft(shell, command.split(/\s+/));
    return 'rules were put in force on the VM, read back and taken away.';
  });
  yield nft;
  yield await tried('names folder', async () => {
    await proveNamesFolder(shell, namesFolder);
    return `${namesFolder} can be written to.`;
  });
  for (const address of resolvers) yield await resolverFinding(shell, address);
  yield await bridgedFinding(shell);
  yield await baseFinding(shell, baseHosts);
  if (nft.level === 'ok') yield await wallsFinding(settings, shell);
}

async function resolverFinding(shell: Shell, address: string): Promise<Finding> {
  const check = `resolver ${address}`;
  switch (await askResolver(shell, address)) {
    case 'refuses':
      return ok(check, 'refuses names that nobody opened, without asking anybody.');
    case 'silent':
      return warning(
        check,
        'nobody answers there now. With bind-dynamic it listens as soon as a container is on the network; if there is one, start it as docs/firewall.md says.',
      );
    case 'asks':
      return failed(
        check,
        'looks for names that nobody opened, so queries can carry things out. Make the network with --disable-dns, and run the resolver of docs/firewall.md there.',
      );
  }
}

async function bridgedFinding(shell: Shell): Promise<Finding> {
  return (await seesBridged(shell))
    ? ok('bridged packets', 'pass the walls: containers on one bridge do not reach each other.')
    : failed(
        'bridged packets',
        'do not pass the walls: containers on one bridge reach each other. Load br_netfilter on the VM, as docs/firewall.md says.',
      );
}

async function baseFinding(shell: Shell, baseHosts: readonly string[]): Promise<Finding> {
  const resolved = await resolveOn(shell, baseHosts);
  const unknown = baseHosts.filter((host) => (resolved.get(host)?.length ?? 0) === 0);
  return unknown.length === 0
    ? ok('base hosts', `${baseHosts.join(', ')}: known to the VM.`)
    : failed(
        'base hosts',
        `The VM finds no public address for ${unknown.join(', ')}, so agents cannot reach it. Check the VM's own resolver and SM_BASE_HOSTS.`,
      );
}

async function wallsFinding(settings: Settings, shell: Shell): Promise<Finding> {
  const live = await nftWalls(wallsOf(settings, shell, Date.now)).look();
  if (live) return ok('walls', `stand, with ${live.ways.length} ways through them.`);
  return warning('walls', 'do not stand yet: the gateway that leads puts them up. Is one running?');
}
