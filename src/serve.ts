/**
 * A gateway process, from the outside in: it checks what it depends on, answers HTTP from the beginning, and acts only while
 * it leads (see lead.ts).
 */
import type { Logger } from 'pino';
import type { FaultPoints, Store } from './actors/index.ts';
import { checkHealth, type HttpServer, startHttp } from './adapters/http/index.ts';
import { createStore, openDatabase } from './adapters/postgres/index.ts';
import { approverRules, type Deciders, decidersOf } from './approvers.ts';
import { type ChatFollower, followChat } from './chatFollower.ts';
import type { Config } from './config.ts';
import { recordRefusals } from './flows/audit.ts';
import { answerProbe } from './flows/callbackProbe.ts';
import { decide } from './flows/decisions.ts';
import { kindsOf } from './flows/kinds.ts';
import { observe } from './flows/metrics.ts';
import { inspect } from './inspect.ts';
import { leadWhenever } from './lead.ts';
import { migrate, patiently, sayAccess, whoAmI } from './start.ts';
import { version } from './version.ts';
import { followVm, type VmFollower } from './vmFollower.ts';
import { chatClient, type Gateway, type Identity, verifier, wire } from './wiring.ts';

export interface Service {
  /** Ends what acts, lets go of the lead, then stops answering. */
  stop(): Promise<void>;
}

/** Where tests get in: nothing of this is used otherwise. */
export interface ServiceHooks {
  readonly faults?: FaultPoints;
  readonly wrapStore?: (store: Store) => Store;
}

/** @throws StartError for what a person has to mend. */
export async function serve(config: Config, log: Logger, hooks: ServiceHooks = {}): Promise<Service> {
  sayAccess(config, log);
  const rest = chatClient(config);
  const patience = config.server.startWaitSecs;
  const identity = await patiently(patience, log, () => whoAmI(config, rest));
  const rules = await patiently(patience, log, () => approverRules(config, rest));
  const deciders = decidersOf(config, rules, rest);
  const database = openDatabase({ url: config.database.url.reveal(), poolSize: config.database.poolSize });
  const stopping = new AbortController();
  const closers: (() => Promise<unknown>)[] = [() => database.close()];
  const stop = async (): Promise<void> => {
    stopping.abort(new Error('stopping'));
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    await patiently(patience, log, () => migrate(database));
    const store = (hooks.wrapStore ?? ((plain) => plain))(createStore(database));
    const kinds = kindsOf(config);
    const gateway = wire(config, identity, store, rest, log, kinds, deciders, hooks.faults);
    if (gateway.vm) closers.push(gateway.vm.close);
    const chat = followChat(gateway, log);
    const vm = followVm(gateway, log);
    observe(gateway, store, database, {
      chat: () => chat.name() === 'up',
      ...(vm ? { vm: () => vm.name() === 'up' } : {}),
    });
    const http = await listen(config, identity, gateway, deciders, store, { chat, vm }, stopping.signal, log);
    closers.push(() => http.close());
    closers.push(await inspect(config, gateway.runtime, log));
    const charts = Object.fromEntries(kinds.map(({ kind, version }) => [kind, version]));
    const led = leadWhenever(
      { config, identity, deciders, gateway, database, store, rest, chat, vm, charts, version, log },
      stopping.signal,
    );
    closers.push(() => led);
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function listen(
  config: Config,
  { botUserId }: Identity,
  { runtime, cards, metrics }: Gateway,
  deciders: Deciders,
  store: Store,
  { chat, vm }: { readonly chat: ChatFollower; readonly vm: VmFollower | undefined },
  stopping: AbortSignal,
  log: Logger,
): Promise<HttpServer> {
  const { server } = config;
  return startHttp({
    listen: `${server.listenAddr.host}:${server.listenAddr.port}`,
    health: () =>
      checkHealth({
        database: { critical: true, run: async () => void (await store.health(2_000)) },
        chat: { critical: false, run: async () => chat.name() },
        ...(vm ? { vm: { critical: false, run: async () => vm.name() } } : {}),
        lead: { critical: false, run: async () => (runtime.stats().leading ? 'leading' : 'standing by') },
      }),
    stopping,
    metrics: metrics.registry,
    onCallback: async (click) => {
      const probed = answerProbe({ verify: verifier(config), botUserId }, click);
      if (probed) return probed;
      const done = metrics.callbackDuration.startTimer();
      try {
        return await decide(
          {
            runtime,
            cards,
            verify: verifier(config),
            ...deciders,
            onRefused: recordRefusals(store, Date.now),
            log,
            now: Date.now,
          },
          click,
        );
      } finally {
        done();
      }
    },
    callbackGate: { pathSecret: server.callbackPathSecret?.reveal() ?? '', sources: server.callbackSources },
    rateLimit: { rps: server.rateLimitRps, burst: server.rateLimitBurst },
    trustedProxies: server.trustedProxies,
    log,
  });
}
