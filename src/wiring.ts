/** The one place where everything is put together: configuration in, a gateway that can lead out. */
import type { Logger } from 'pino';
import {
  createRuntime,
  type EffectHandlers,
  type FaultPoints,
  type KindDefinition,
  type Runtime,
  type Store,
} from './actors/index.ts';
import { createMetrics, type Metrics, signAction, verifyAction } from './adapters/http/index.ts';
import { localWorkspaceHandlers } from './adapters/local/handlers.ts';
import { createMattermostRest, type MattermostRest } from './adapters/mattermost/index.ts';
import { workerCertificate } from './adapters/worker/certificate.ts';
import { connectWorker, type WorkerClient } from './adapters/worker/client.ts';
import { workerLink } from './adapters/worker/link.ts';
import { createLinkRegistry } from './adapters/worker/registry.ts';
import { canReach, someoneReaches, workerHandlers } from './adapters/worker/requests.ts';
import { tokenHash, workerToken } from './adapters/worker/token.ts';
import { workspaceView } from './adapters/worker/workspace.ts';
import type { Deciders } from './approvers.ts';
import { createMask } from './chat/masking.ts';
import { writtenRequests } from './chat/networkRequests.ts';
import { secretsIn, secretVariables } from './config/secret.ts';
import type { Config } from './config.ts';
import { agentOptions } from './flows/agentOptions.ts';
import { fetchAttachment } from './flows/attachments.ts';
import { auditHandlers } from './flows/audit.ts';
import { type Boards, createBoards } from './flows/board.ts';
import { type Cards, cardHandlers, createCards } from './flows/cards.ts';
import { chatHandlers } from './flows/chatEffects.ts';
import { exportHandlers } from './flows/exports.ts';
import { reachOf } from './flows/firewall/words.ts';
import { createHistory } from './flows/history.ts';
import { maskedCards, maskedRest } from './flows/masking.ts';
import { createNotices, noticeHandlers } from './flows/notices.ts';
import { attachFile } from './flows/offeredFiles.ts';
import { operatorHandlers, tellOperator } from './flows/operatorChannel.ts';
import { createPosting } from './flows/posting.ts';
import { CHAT_BUDGET, createRateGovernor, type RateGovernor } from './flows/rateGovernor.ts';
import { createReply } from './flows/reply.ts';
import { createReports } from './flows/reports.ts';
import { createSpending } from './flows/spending.ts';
import { createStages, type Stages } from './flows/stages.ts';
import { threadHandlers } from './flows/threadEffects.ts';
import { createThreadView, type ThreadView } from './flows/threadView.ts';
import { createVerbosity } from './flows/verbosity.ts';
import { workspaceReportHandlers } from './flows/workspaceReports.ts';
import type { Address } from './machines/addresses.ts';
import type { SessionContext } from './machines/session/context.ts';
import { mayUse } from './policy/people.ts';
import { toolRulesOf } from './toolPolicyFile.ts';
import { type FirewallPart, wireFirewall } from './wireFirewall.ts';
import { type VmPart, wireVm } from './wireVm.ts';

export interface Identity {
  readonly botUserId: string;
  /** The team's name, as in addresses of pages. */
  readonly teamName: string;
}

export interface Gateway {
  /** Undefined with a local workspace. */
  readonly vm: VmPart | undefined;
  readonly runtime: Runtime;
  readonly view: ThreadView;
  readonly cards: Cards;
  readonly boards: Boards;
  /** Closed while nothing may be said in the chat. */
  readonly chatBudget: Pick<RateGovernor, 'open' | 'close'>;
  readonly metrics: Metrics;
  readonly stages: Stages;
  readonly firewall: Pick<FirewallPart, 'keep'>;
}

/** @param timeoutMs of each call */
export function chatClient({ mattermost }: Config, timeoutMs?: number): MattermostRest {
  const limit = timeoutMs === undefined ? {} : { timeoutMs };
  return createMattermostRest({ url: mattermost.url, token: mattermost.token.reveal(), ...limit });
}

/** Addresses of posts' pages. */
export function permalinkOf({ mattermost }: Config, { teamName }: Identity): (postId: string) => string {
  return (postId) => `${mattermost.url}/${teamName}/pl/${postId}`;
}

/** Keys for buttons. The team tells gateways apart that share a secret. */
export function signingKeys({ server, mattermost }: Config) {
  return { secret: server.callbackSecret.reveal(), instance: mattermost.teamId };
}

export function wire(
  config: Config,
  identity: Identity,
  store: Store,
  plainRest: MattermostRest,
  log: Logger,
  kinds: readonly KindDefinition[],
  { whoIsMissing }: Pick<Deciders, 'whoIsMissing'>,
  faults?: FaultPoints,
): Gateway {
  const now = Date.now;
  const secret = config.server.callbackSecret.reveal();
  const keys = signingKeys(config);
  const toolRules = toolRulesOf(config);
  const mask = createMask([...secretsIn(config), ...secretVariables(environment(config.workspace.agentEnv))]);
  const rest = maskedRest(plainRest, mask);
  const metrics = createMetrics();
  const stages = createStages((stage, seconds) => metrics.stageDuration.observe({ stage }, seconds), now);
  const governor = createRateGovernor(CHAT_BUDGET);
  const permalink = permalinkOf(config, identity);
  const posting = createPosting({
    rest,
    store,
    governor,
    botUserId: identity.botUserId,
    secret,
    now,
    leads: () => runtime.leads(),
  });
  const reply = createReply(posting, config.mattermost.botTrigger);
  const cards = maskedCards(
    createCards({
      callbackUrl: callbackUrl(config),
      reach: reachOf(config.firewall.kind),
      sign: (action) => ({ ...action, mac: signAction(keys, action) }),
    }),
    mask,
  );
  const notices = createNotices({
    store,
    runtime: { read: (address) => runtime.read(address) },
    posting,
    afterMs: config.sessions.notifyAfterSecs * 1000,
    quietHours: config.sessions.quietHours,
    log,
    now,
  });
  const clients = new Map<Address, WorkerClient>();
  const workspace = workspaceView((session) => clients.get(session));
  const verbosity = createVerbosity({
    store,
    runtime: { read: (address) => runtime.read(address) },
    reply,
    byDefault: config.sessions.verbosity,
    trigger: config.mattermost.botTrigger,
  });
  const view = createThreadView({
    store: stages.watch(store),
    rest,
    posting,
    attach: attachFile({ workspace, rest, posting }),
    undelivered: async ({ session, key, what, why }) => {
      const event = { type: 'POST.UNDELIVERED', at: now(), what, why };
      await runtime.deliver([{ to: session, event, dedupKey: `undelivered/${session}/${key}` }]);
    },
    notices,
    log,
    mask,
    folderOf: async (session) => ((await runtime.read(session))?.context as SessionContext | undefined)?.cwd ?? '',
    verbosityOf: verbosity.verbosityOf,
    trigger: config.mattermost.botTrigger,
  });
  const registry = createLinkRegistry();
  const token = (container: string, generation: number) => {
    const derived = workerToken(secret, container, generation);
    mask.learn([derived]);
    return derived;
  };
  const hashOfToken = (container: string, generation: number) => tokenHash(token(container, generation));

  // Handlers and the runtime know each other; the handlers run only once the runtime leads.
  const lateRuntime: Pick<Runtime, 'read' | 'deliver'> = {
    read: (address) => runtime.read(address),
    deliver: (items, extra) => runtime.deliver(items, extra),
  };
  const vm =
    config.vm === null
      ? undefined
      : wireVm({
          config: { ...config, vm: config.vm },
          identity,
          runtime: lateRuntime,
          store,
          token,
          tokenHash: hashOfToken,
          certificate: (container, generation) => workerCertificate(secret, container, generation),
          readyWalls: (signal) => firewall.ready(signal),
          wallsCover: (container, signal) => firewall.coversAll(container, signal),
          learn: mask.learn,
          log,
        });
  const firewall = wireFirewall({
    config,
    store,
    runtime: lateRuntime,
    reply,
    vm: vm ?? null,
    someoneReaches: (host) => someoneReaches([...clients.values()], host),
    reaches: async (session, host) => {
      const client = clients.get(session);
      return client !== undefined && (await canReach(client, host));
    },
    tell: (words) => tellOperator(posting, config.mattermost.operatorChannelId, words, now()),
    log,
    now,
  });
  const spending = createSpending({
    caps: config.spending,
    store,
    runtime: lateRuntime,
    trigger: config.mattermost.botTrigger,
    now,
  });
  const runtime: Runtime = createRuntime({
    kinds,
    store,
    log,
    ...(faults === undefined ? {} : { faults }),
    handlers: {
      ...chatHandlers({
        rest,
        store,
        posting,
        reply,
        runtime: lateRuntime,
        reports: createReports({ store, runtime: lateRuntime, trigger: config.mattermost.botTrigger, permalink, now }),
        botUserId: identity.botUserId,
        projectChannel: {
          rest,
          store,
          posting,
          botUserId: identity.botUserId,
          teamId: config.mattermost.teamId,
          category: config.mattermost.channelCategory,
          members: config.mattermost.channelMembers,
          log,
        },
        permalink,
        now,
      }),
      ...threadHandlers({
        rest,
        store,
        posting,
        reply,
        botUserId: identity.botUserId,
        teamId: config.mattermost.teamId,
        mayUse: (person) => mayUse(person, null, { users: config.access.allowedUsers, repos: [] }).ok,
      }),
      ...workspaceReportHandlers({
        workspace,
        rest,
        posting,
        reply,
      }),
      ...cardHandlers({
        cards,
        runtime: lateRuntime,
        store,
        rest,
        posting,
        settleThread: (session) => view.settle(session),
        whoIsMissing,
        notices,
        permalink,
        now,
      }),
      ...spending.handlers,
      ...verbosity.handlers,
      ...workerHandlers({
        registry,
        fetchFile: (id, signal) => fetchAttachment(rest, id, signal),
        mayCost: spending.mayCost,
        historyOf: createHistory({
          store,
          runtime: lateRuntime,
          rest,
          posting,
          botUserId: identity.botUserId,
          trigger: config.mattermost.botTrigger,
        }),
        clientOf: (session) => clients.get(session),
      }),
      ...(vm?.handlers ?? localHandlers(config, hashOfToken)),
      ...operatorHandlers({ posting, channelId: config.mattermost.operatorChannelId, log }),
      ...firewall.handlers,
      ...exportHandlers({ runtime: lateRuntime, store, rest, posting, reply, mask, now }),
      ...noticeHandlers({ store, reply, trigger: config.mattermost.botTrigger }),
      ...auditHandlers(store, now),
    },
    tasks: {
      workerLink: workerLink({
        registry,
        clients,
        connect:
          vm?.connect ??
          (async ({ endpoint, container, generation }) => connectWorker(endpoint, token(container, generation))),
        optionsOf: (input) => agentOptions(config, toolRules, input),
        resumePoint: (session) => store.resumePoint(session),
        writtenRequests: (text) => writtenRequests(text).map((request) => ({ ...request })),
        appendOutputs: async (batch) => {
          const seq = await runtime.appendOutputs(batch);
          stages.onOutputs(batch);
          return seq;
        },
        now,
      }),
    },
  });
  runtime.onDirty(({ session, kinds }) => view.touch(session, kinds));
  runtime.onCommit(stages.onCommit);
  const boards = createBoards({ store, rest, posting, permalink, trigger: config.mattermost.botTrigger, log });
  runtime.onCommit(boards.onCommit);
  return { runtime, view, cards, boards, chatBudget: governor, metrics, stages, vm, firewall };
}

/** Where buttons call: with the secret part, if there is one. */
/** With the secret part of its path: nothing to show. */
export function callbackUrl({ server }: Config): string {
  const { callbackPathSecret: secret } = server;
  return secret
    ? `${server.callbackUrl.replace(/\/+$/, '')}/${encodeURIComponent(secret.reveal())}`
    : server.callbackUrl;
}

export function verifier(config: Config) {
  const keys = signingKeys(config);
  return (action: Parameters<typeof verifyAction>[1]): boolean => verifyAction(keys, action);
}

function localHandlers(config: Config, hashOfToken: (container: string, generation: number) => string): EffectHandlers {
  return localWorkspaceHandlers({
    dataDir: config.workspace.dataDir,
    workerCommand: workerCommand(config),
    env: workerEnv(config),
    agentIdleSeconds: config.sessions.agentIdleSecs,
    autoPull: config.git.autoPull,
    tokenHash: hashOfToken,
  });
}

function workerCommand({ workspace }: Config): readonly string[] {
  return workspace.workerCommand === null ? ['agent-worker'] : workspace.workerCommand.split(/\s+/);
}

/** All that local workers and their agents get to see of the gateway's environment. */
function workerEnv({ workspace }: Config): Record<string, string> {
  return environment(['PATH', 'HOME', 'LANG', 'TMPDIR', ...workspace.agentEnv]);
}

function environment(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
