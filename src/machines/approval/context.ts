import type { Address } from '../addresses.ts';
import type { ChartEvent } from '../events.ts';
import type { JsonObject } from '../json.ts';
import type { Person } from '../session/context.ts';

export type ApprovalKind = 'network' | 'tool' | 'plan' | 'question';

/** What was decided, by whom, in which words. Taken once. */
export interface Verdict extends JsonObject {
  readonly outcome: 'approved' | 'denied' | 'expired';
  readonly by: Person;
  readonly at: number;
  readonly words: string;
  /** For questions: the question's text to the answer. */
  readonly answers: JsonObject;
}

export interface ApprovalContext extends JsonObject {
  readonly address: Address;
  readonly session: Address;
  readonly requestId: string;
  readonly kind: ApprovalKind;
  readonly toolName: string;
  /** The exact arguments, as the tool gave them. */
  readonly inputJson: string;
  readonly digest: string;
  readonly repo: string;
  readonly askedFor: Person;
  readonly channelId: string;
  readonly rootId: string;
  readonly hosts: readonly string[];
  readonly askedAt: number;
  /** 0: it never expires. Milliseconds. */
  readonly timeoutMs: number;
  readonly cardPostId: string;
  /** Grows when the card is posted anew; buttons of an older card are void. */
  readonly cardGeneration: number;
  readonly verdict: Verdict | null;
  readonly enforced: boolean;
  readonly proven: boolean;
  readonly problem: string;
  /** It has ended, and its session was told so. */
  readonly over: boolean;
}

export interface ApprovalInput extends JsonObject {
  readonly address: Address;
  readonly timeoutMs: number;
  readonly request: Requested;
}

interface Event<Type extends string> extends ChartEvent {
  readonly type: Type;
}

interface Failed<Type extends string> extends Event<Type> {
  readonly human: string;
}

export interface Requested extends Event<'REQUESTED'> {
  readonly session: Address;
  readonly requestId: string;
  readonly kind: ApprovalKind;
  readonly toolName: string;
  readonly inputJson: string;
  readonly digest: string;
  readonly turnId: string;
  readonly repo: string;
  readonly askedFor: Person;
  readonly channelId: string;
  readonly rootId: string;
}

export type ApprovalEvent =
  | Requested
  /** With `said`: in words, which are passed on to the session as the message they would otherwise be if it comes too late. */
  | (Event<'DECIDE'> & { readonly verdict: Verdict; readonly said?: ChartEvent & { readonly postId: string } })
  | (Event<'WITHDRAW'> & { readonly reason: string })
  | (Event<'CARD.POSTED'> & { readonly postId: string })
  | Failed<'CARD.FAILED'>
  | Event<'CARD.DELETED'>
  | (Event<'OPENED'> & { readonly enforced: boolean })
  | Failed<'OPEN.FAILED'>
  | (Event<'PROBED'> & { readonly reachable: boolean })
  | Failed<'PROBE.FAILED'>
  | Event<'TOLD'>
  | Failed<'TELL.FAILED'>
  | Event<'RETRY'>
  /** It was set aside for a while, and the agent was told that nobody answers. */
  | (Event<'GIVEN.UP'> & { readonly reason: string });

export function newApproval({ address, timeoutMs, request }: ApprovalInput): ApprovalContext {
  const { session, requestId, kind, toolName, inputJson, digest, repo, askedFor, channelId, rootId, at } = request;
  return {
    address,
    session,
    requestId,
    kind,
    toolName,
    inputJson,
    digest,
    repo,
    askedFor,
    channelId,
    rootId,
    hosts: kind === 'network' ? hostsOf(inputJson) : [],
    askedAt: at,
    timeoutMs,
    cardPostId: '',
    cardGeneration: 1,
    verdict: null,
    enforced: true,
    proven: false,
    problem: '',
    over: false,
  };
}

/** What the agent wrote may be anything; a request that cannot be read asks for no host and is still shown as it is. */
function hostsOf(inputJson: string): readonly string[] {
  const input = parsed(inputJson);
  if (typeof input !== 'object' || input === null || !('hosts' in input) || !Array.isArray(input.hosts)) return [];
  return input.hosts.filter((host): host is string => typeof host === 'string');
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
