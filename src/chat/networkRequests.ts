/**
 * The written form of a request for network access, for agents that do not have the tool: `[NETWORK_REQUEST: host]` at the
 * start of a line, outside of code. What follows on the line is the reason.
 */
import { type Fence, fenceAfter } from './render/fences.ts';

export interface WrittenRequest {
  /** As they were written, each once; at most {@link MAX_HOSTS}. */
  readonly hosts: readonly string[];
  readonly reason: string;
}

/** What one card takes; more become further requests. */
const MAX_HOSTS = 5;
/** Of one text. A list of the whole internet is no request. */
const MAX_REQUESTS = 3;

const REQUEST = /^\[NETWORK_REQUEST:([^\]]{1,1000})\](.*)$/;

/** @param text of one finished block of an answer */
export function writtenRequests(text: string): readonly WrittenRequest[] {
  const hosts = new Map<string, string>();
  const reasons: string[] = [];
  let fence: Fence | null = null;
  for (const raw of text.split('\n')) {
    const before: Fence | null = fence;
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    fence = fenceAfter(line, fence);
    const [, named = '', rest = ''] = before === null && fence === null ? (REQUEST.exec(line) ?? []) : [];
    for (const host of named.split(/[\s,]+/)) if (host !== '') hosts.set(host.toLowerCase(), host);
    if (named !== '' && rest.trim() !== '') reasons.push(rest.replace(/^[\s:,.–—-]+/, '').trim());
  }
  const reason = [...new Set(reasons)].join('; ').slice(0, 2_000);
  const all = [...hosts.values()];
  const chunks = Array.from({ length: Math.ceil(all.length / MAX_HOSTS) }, (_, index) =>
    all.slice(index * MAX_HOSTS, (index + 1) * MAX_HOSTS),
  );
  return chunks.slice(0, MAX_REQUESTS).map((some) => ({ hosts: some, reason }));
}
