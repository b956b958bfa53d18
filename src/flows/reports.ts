/** Texts made from what is stored: `status`, `context`, `help`, and the answer to `stop <prefix>`. */
import type { ActorSummary, Runtime, StorePorts } from '../actors/index.ts';
import { type CostLine, costsText, costText } from '../chat/cost.ts';
import { helpText } from '../chat/help.ts';
import { contextText, type SessionLine, statusText } from '../chat/status.ts';
import { stopByPrefixText } from '../chat/texts.ts';
import { type Address, keyOf } from '../machines/addresses.ts';
import type { ContainerContext } from '../machines/container/context.ts';
import type { Json } from '../machines/json.ts';
import type { SessionContext } from '../machines/session/context.ts';

export interface Reports {
  help(inThread: boolean, about: string): string;
  status(): Promise<string>;
  cost(session: Address): Promise<string>;
  costs(): Promise<string>;
  context(session: Address): Promise<string>;
  /** @param live whether those that match run */
  stopped(prefix: string, matches: readonly ActorSummary[], live: boolean): string;
}

export interface ReportPorts {
  readonly store: StorePorts;
  readonly runtime: Pick<Runtime, 'read'>;
  readonly trigger: string;
  /** Address of a post's page. */
  readonly permalink: (postId: string) => string;
  readonly now: () => number;
}

export function createReports({ store, runtime, trigger, permalink, now }: ReportPorts): Reports {
  return {
    help: (inThread, about) => helpText(inThread ? 'thread' : 'top', trigger, about),
    async cost(session) {
      const view = await runtime.read(session);
      return view ? costText(costLine(view)) : 'There is no such session.';
    },
    async costs() {
      return costsText((await store.listActors({ kind: 'session' })).map(costLine));
    },
    async status() {
      const sessions = await store.listActors({ kind: 'session', status: 'active', states: LIVE_STATES });
      const containers = await store.listActors({ kind: 'container' });
      const linesOf = (container: Address) =>
        sessions
          .filter(({ context }) => (context as SessionContext).container === container)
          .map((session) => sessionLine(session, permalink, now()));
      const known = containers.map(({ address, value, context }) => ({
        name: (context as ContainerContext).repo.repo + branchOf(context as ContainerContext),
        state: topOf(value),
        sessions: linesOf(address),
      }));
      // Asked for a moment ago: its checkout is still being made, and nobody has asked for a container yet.
      const asked = new Set(sessions.map(({ context }) => (context as SessionContext).container));
      for (const { address } of containers) asked.delete(address);
      const coming = [...asked].map((container) => ({
        name: keyOf(container).replace(/@$/, ''),
        state: 'not made yet',
        sessions: linesOf(container),
      }));
      return statusText([...known, ...coming]);
    },
    async context(session) {
      const view = await runtime.read(session);
      if (!view) return 'There is no such session.';
      const context = view.context as SessionContext;
      return contextText({
        ...context.usage,
        plan: isIn(view.value, 'plan'),
        ageMs: now() - context.createdAt,
        idleMs: now() - context.activeAt,
        container: keyOf(context.container),
        model: context.model,
        audience: context.audience,
        waiting: context.queue.length,
        state: conversationOf(view.value),
      });
    },
    stopped: (prefix, matches, live) =>
      stopByPrefixText(
        prefix,
        matches.map(({ address, context }) => ({
          id: keyOf(address),
          repo: (context as SessionContext).request.repo.repo,
        })),
        live,
      ),
  };
}

function costLine({ address, context }: Pick<ActorSummary, 'address' | 'context'>): CostLine {
  const { request, usage } = context as SessionContext;
  const { turns, inputTokens, outputTokens, costUsd } = usage;
  return {
    id: keyOf(address),
    repo: request.repo.repo,
    owner: request.owner.name,
    turns,
    inputTokens,
    outputTokens,
    costUsd,
  };
}

function sessionLine(
  { address, value, context }: ActorSummary,
  permalink: ReportPorts['permalink'],
  now: number,
): SessionLine {
  const { request, rootId, activeAt, usage, title } = context as SessionContext;
  return {
    id: keyOf(address),
    title,
    link: rootId === '' ? '' : permalink(rootId),
    state: conversationOf(value),
    owner: request.owner.name,
    idleMs: Math.max(0, now - activeAt),
    contextTokens: usage.contextTokens,
    contextWindow: usage.contextWindow,
  };
}

function branchOf({ repo }: ContainerContext): string {
  return repo.branch === '' ? '' : `@${repo.branch}`;
}

/** Top-level states of a session that people would call running. */
export const LIVE_STATES = ['opening', 'active', 'stopping'] as const;

export function isLive(value: Json): boolean {
  return LIVE_STATES.some((state) => state === topOf(value));
}

function topOf(value: Json): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' && value !== null ? (Object.keys(value)[0] ?? '') : '';
}

/** The word for what a session does: the conversation's state where there is one. */
export function conversationOf(value: Json): string {
  const found = find(value, 'conversation');
  return topOf(found ?? value);
}

function isIn(value: Json, state: string): boolean {
  return find(value, 'mode') === state;
}

/** The part of a nested state value under this name. */
function find(value: Json, name: string): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    if (key === name) return inner;
    const found = find(inner, name);
    if (found !== undefined) return found;
  }
  return undefined;
}
