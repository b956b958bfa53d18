import type { Address } from '../addresses.ts';
import type { GrantScope } from '../effects.ts';
import type { ChartEvent } from '../events.ts';
import type { JsonObject } from '../json.ts';
import type { Person } from '../session/context.ts';

export type ApprovalKind = 'network' | 'tool' | 'plan' | 'question';

/** Stands for the tool where the agent asked in the words of its answer: nothing waits for the outcome. */
export const WRITTEN = '[NETWORK_REQUEST]';

/** What was decided, by whom, in which words. Taken once. */
export interface Verdict extends JsonObject {
  readonly outcome: 'approved' | 'denied' | 'expired';
  readonly by: Person;
  readonly at: number;
  readonly words: string;
  /** For questions: the question's text to the answer. */
  readonly answers: JsonObject;
  /** For network requests: how far it reaches. Absent: this session. */
  readonly scope?: GrantScope;
}

/** What is known of a network request before anybody is asked. */
export interface Checked extends JsonObject {
  /** `asked`: another card asks for it already. */
  readonly standing: 'ask' | 'granted' | 'always' | 'refused' | 'asked';
  /** As they will be opened: lower case, each once. */
  readonly hosts: readonly string[];
  /** For people, about the hosts. */
  readonly warnings: readonly string[];
  /** For the agent, where nobody is asked. */
  readonly words: string;
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
  /** Whose session it is. */
  readonly askedFor: Person;
  /** Whose words the agent was working on. Earlier versions did not ask. */
  readonly askedBy?: Person;
  /** Ids of all whose words those were, as far as that can be told from those of others. */
  readonly askers?: readonly string[];
  readonly channelId: string;
  readonly rootId: string;
  readonly hosts: readonly string[];
  readonly warnings: readonly string[];
  /** Nobody is asked: there is no card. */
  readonly silent: boolean;
  /** Something was opened for it in the firewall. */
  readonly opened: boolean;
  /** When what was opened closes again; 0: not by itself. */
  readonly closesAt: number;
  /** Why it was closed; empty while it is open. */
  readonly closed: string;
  /** Who closed it; null: nobody, it ended by itself or with its session. */
  readonly closedBy: Person | null;
  /** It was closed while the agent was to be told that it is open. */
  readonly retold?: boolean;
  readonly askedAt: number;
  /** 0: it never expires. Milliseconds. */
  readonly timeoutMs: number;
  /** After so many milliseconds people are reminded for the first time; 0: never. */
  readonly remindMs: number;
  /** How often they were reminded. */
  readonly reminded: number;
  /** Milliseconds that a grant for a repository lasts. */
  readonly grantMs: number;
  readonly cardPostId: string;
  /** Grows when the card is posted anew; buttons of an older card are void. */
  readonly cardGeneration: number;
  /** How many people have to say yes. */
  readonly needed: number;
  /** Who has said yes so far, and how far that reaches, while more are needed. */
  readonly agreed: readonly Verdict[];
  readonly verdict: Verdict | null;
  readonly enforced: boolean;
  /** How many of the hosts were reached from inside the container. */
  readonly probed: number;
  /** How often a host could not be reached. */
  readonly probes: number;
  /** All of them were reached. */
  readonly proven: boolean;
  readonly problem: string;
  /** It has ended, and its session was told so. */
  readonly over: boolean;
}

export interface ApprovalInput extends JsonObject {
  readonly address: Address;
  readonly timeoutMs: number;
  readonly remindMs: number;
  /** Whether tools and domains need two people. */
  readonly twoPeople: boolean;
  /** How long a grant for a repository lasts. */
  readonly grantMs: number;
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
  readonly askedBy?: Person;
  readonly askers?: readonly string[];
  readonly channelId: string;
  readonly rootId: string;
}

export type ApprovalEvent =
  | Requested
  | (Event<'CHECKED'> & Checked)
  | Failed<'CHECK.FAILED'>
  /** With `said`: in words, which are passed on to the session as the message they would otherwise be if it comes too late. */
  | (Event<'DECIDE'> & { readonly verdict: Verdict; readonly said?: ChartEvent & { readonly postId: string } })
  | (Event<'WITHDRAW'> & { readonly reason: string })
  | (Event<'CARD.POSTED'> & { readonly postId: string; readonly missing?: string })
  | Failed<'CARD.FAILED'>
  | Event<'CARD.DELETED'>
  | (Event<'OPENED'> & { readonly enforced: boolean })
  | Failed<'OPEN.FAILED'>
  | (Event<'PROBED'> & { readonly reachable: boolean })
  | Failed<'PROBE.FAILED'>
  | (Event<'TOLD'> & { readonly retold?: boolean })
  | (Failed<'TELL.FAILED'> & { readonly retold?: boolean })
  | Event<'RETRY'>
  /** Somebody, or the end of the session, closes what was opened. */
  | (Event<'REVOKE'> & { readonly reason: string; readonly by?: Person })
  | Event<'REVOKED'>
  | Failed<'REVOKE.FAILED'>
  /** It was set aside for a while, and the agent was told that nobody answers. */
  | (Event<'GIVEN.UP'> & { readonly reason: string });

export function newApproval(input: ApprovalInput): ApprovalContext {
  const { address, timeoutMs, remindMs, twoPeople, grantMs, request } = input;
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
    askedBy: request.askedBy ?? askedFor,
    askers: request.askers ?? [],
    channelId,
    rootId,
    hosts: kind === 'network' ? hostsOf(inputJson) : [],
    warnings: [],
    silent: kind === 'network',
    opened: false,
    closesAt: 0,
    closed: '',
    closedBy: null,
    askedAt: at,
    timeoutMs,
    remindMs,
    reminded: 0,
    grantMs,
    cardPostId: '',
    cardGeneration: 1,
    needed: twoPeople && (kind === 'network' || kind === 'tool') ? 2 : 1,
    agreed: [],
    verdict: null,
    enforced: true,
    probed: 0,
    probes: 0,
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
