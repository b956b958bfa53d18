/** Where the page is: `#/`, `#/letters`, `#/actor/<address>`, `#/actor/<address>/<rev>`. The address is one encoded part. */
import { signal } from '@preact/signals';

export type Route =
  | { readonly page: 'overview' }
  | { readonly page: 'letters' }
  | { readonly page: 'actor'; readonly address: string; readonly rev: number | undefined };

export const route = signal<Route>(read());

addEventListener('hashchange', () => {
  route.value = read();
});

function read(): Route {
  const [, page, address, rev] = location.hash.split('/');
  if (page === 'letters') return { page: 'letters' };
  if (page !== 'actor' || address === undefined || address === '') return { page: 'overview' };
  return { page: 'actor', address: decoded(address), rev: /^\d+$/.test(rev ?? '') ? Number(rev) : undefined };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function actorLink(address: string, rev?: number): string {
  return `#/actor/${encodeURIComponent(address)}${rev === undefined ? '' : `/${rev}`}`;
}

/** Without a new entry in the browser's history: for steps from one revision to the next. */
export function replaceRoute(link: string): void {
  history.replaceState(null, '', link);
  route.value = read();
}
