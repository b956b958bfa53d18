/** `csm doctor firewall`: whether the firewall of the settings can be changed, and whether changes take effect. */
import { failureOf, silentLog } from '../actors/index.ts';
import { resolveOn } from '../adapters/nftables/index.ts';
import { createStore, openDatabase } from '../adapters/postgres/index.ts';
import type { Vm } from '../adapters/ssh/index.ts';
import type { Config } from '../config.ts';
import { assertNever } from '../machines/json.ts';
import { connectToVm } from '../wireVm.ts';
import { nftablesFindings } from './nftables.ts';
import { opnsenseFindings } from './opnsense.ts';
import { type Finding, failed, ok, warning } from './report.ts';

export interface FirewallOptions {
  /** Make the alias if it is not there. */
  readonly createAlias: boolean;
  /** A host to open and close again for real; empty: none. */
  readonly host: string;
}

/** Every finding as soon as it is made; ends early where the rest would only repeat a failure. */
export async function* firewallFindings(config: Config, options: FirewallOptions): AsyncGenerator<Finding> {
  const { firewall } = config;
  if (firewall.kind === 'none') {
    yield failed(
      'firewall',
      'SM_FIREWALL is none: nothing stands between agents and the network. Set it to opnsense or nftables.',
    );
    return;
  }
  // Where the first key was trusted, the gateway has kept it.
  const db = config.vm?.trustOnFirstUse
    ? openDatabase({ url: config.database.url.reveal(), poolSize: 1, applicationName: 'claude-session-manager doctor' })
    : undefined;
  const memory = db ? { memory: createStore(db) } : {};
  const vm = config.vm === null ? undefined : connectToVm({ vm: config.vm }, { log: silentLog, ...memory });
  try {
    const isThere = vm ? await look(vm, firewall.kind === 'nftables') : undefined;
    if (isThere) yield isThere;
    switch (firewall.kind) {
      case 'nftables':
        if (!vm)
          yield failed(
            'VM',
            'SM_FIREWALL=nftables walls in containers on a VM; there is none with SM_WORKSPACE=local.',
          );
        else if (isThere?.level === 'ok') yield* nftablesFindings(firewall, vm);
        return;
      case 'opnsense': {
        const known = vm && isThere?.level === 'ok' ? vm : undefined;
        const resolve = known && (async (host: string) => (await resolveOn(known, [host])).get(host) ?? []);
        yield* opnsenseFindings(firewall, options, resolve);
        return;
      }
      default:
        assertNever(firewall);
    }
  } finally {
    await vm?.close();
    await db?.close();
  }
}

/** @param isNeeded without it, names are resolved on this machine */
async function look(vm: Vm, isNeeded: boolean): Promise<Finding> {
  try {
    await vm.ready();
    return ok('VM', 'commands can be run there.');
  } catch (error) {
    const { human } = failureOf(error);
    return isNeeded ? failed('VM', human) : warning('VM', `${human} Names are resolved on this machine instead.`);
  }
}
