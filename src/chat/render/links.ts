/** Where what was pushed can be looked at: addresses that git and its hosts' tools print. */
import { linked } from '../links.ts';
import type { ToolCall } from './tools.ts';

/** Commands whose output is looked at: any other may print such an address for any reason. */
const PUSHES = /\b(?:git\s+(?:[^|;&]*\s)?push|gh\s+pr\s+(?:create|edit|view)|glab\s+mr\s+(?:create|update|view))\b/;
const REQUEST = /https:\/\/[\w.:-]+\/[\w.~/-]+\/(?:pull|pulls|-\/merge_requests|pull-requests)\/\d+(?![\w/])/g;
/** What a host offers after the first push of a branch. */
const OFFER =
  /https:\/\/[\w.:-]+\/[\w.~/-]+\/(?:pull\/new\/[\w.~/%-]+|-\/merge_requests\/new\?[\w.~/%&=[\]-]+|pull-requests\/new\?[\w.~/%&=-]+)/g;
/** Such calls may also be in pieces of JSON or code: what is longer is no address of a request. */
const LONGEST = 300;
const MOST = 3;

export interface PushedLink {
  readonly url: string;
  /** A request that is open, or the page on which one can be opened. */
  readonly kind: 'request' | 'offer';
}

export function pushedLinks(calls: readonly ToolCall[]): PushedLink[] {
  const links = new Map<string, PushedLink>();
  for (const { name, argument, result } of calls) {
    if (name !== 'Bash' || result === null || result.isError || !PUSHES.test(argument)) continue;
    for (const [kind, pattern] of [
      ['request', REQUEST],
      ['offer', OFFER],
    ] as const) {
      for (const [url] of result.summary.matchAll(pattern)) {
        if (url.length <= LONGEST) links.set(url, { url, kind });
      }
    }
  }
  const all = [...links.values()];
  const made = all.filter(({ kind }) => kind === 'request');
  // An offer is of no use once there is a request.
  return (made.length > 0 ? made : all).slice(-MOST);
}

export function linksText(links: readonly PushedLink[]): string {
  return links
    .map(({ kind, url }) => `🔗 ${kind === 'request' ? 'Pull request' : 'Pushed; open a pull request'}: ${linked(url)}`)
    .join('\n');
}
