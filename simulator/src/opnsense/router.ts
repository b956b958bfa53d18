/** From a request to what it asks for: who asks, whether they may, and which action it is. */
import * as aliases from './aliasRoutes.ts';
import { authenticationFailed, forbidden, invalidJson, noEndpoint, ServerError } from './answers.ts';
import * as tables from './tableRoutes.ts';
import type { ApiUser, Privilege, World } from './world.ts';

export interface ApiRequest {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly contentType: string;
  readonly body: string;
}

interface Action {
  readonly needs: readonly Privilege[];
  readonly writes: boolean;
  /** Only a POST does anything. */
  readonly post: boolean;
  run(world: World, parameter: string, body: aliases.Fields, query: URLSearchParams): unknown;
}

const read = (needs: Privilege[], run: Action['run']): Action => ({ needs, writes: false, post: false, run });
const write = (needs: Privilege[], run: Action['run']): Action => ({ needs, writes: true, post: true, run });

const READERS: Privilege[] = ['alias', 'aliasRead'];

const ACTIONS: Readonly<Record<string, Action>> = {
  'alias/getaliasuuid': read(READERS, (world, name) => aliases.getAliasUuid(world, name)),
  'alias/getitem': read(READERS, (world, uuid) => aliases.getItem(world, uuid)),
  'alias/setitem': write(['alias'], (world, uuid, body) => aliases.setItem(world, uuid, body)),
  'alias/additem': write(['alias'], (world, _, body) => aliases.addItem(world, body)),
  'alias/delitem': write(['alias'], (world, uuid) => aliases.deleteItem(world, uuid)),
  'alias/reconfigure': { ...write(['alias'], (world) => aliases.reconfigure(world)), writes: false },
  'alias_util/aliases': read(['tables'], (world) => tables.listTables(world)),
  'alias_util/list': read(['tables'], (world, name, _, query) => tables.listTable(world, name, query)),
  'alias_util/add': write(['tables'], (world, name, body) => tables.addAddress(world, name, textOf(body))),
  'alias_util/delete': write(['tables'], (world, name, body) => tables.deleteAddress(world, name, textOf(body))),
  'alias_util/flush': write(['tables'], (world, name) => tables.flushTable(world, name)),
};

function textOf({ address }: aliases.Fields): string | undefined {
  return typeof address === 'string' && address !== '' ? address : undefined;
}

/** @throws Refused with the status and body to answer */
export async function answer(world: World, request: ApiRequest): Promise<unknown> {
  const user = userOf(world, request.authorization);
  const [module = '', controller = '', rawAction = '', parameter = ''] = pathOf(request.url);
  // Both spellings of an action lead to it: getItem and get_item.
  const name = `${controller}/${rawAction.replaceAll('_', '').toLowerCase()}`;
  const action = module === 'firewall' ? ACTIONS[name] : undefined;
  // Who may not do everything is not told what there is.
  if (!action) throw user.privileges.length < 2 ? forbidden() : noEndpoint();
  if (!action.needs.some((privilege) => user.privileges.includes(privilege))) throw forbidden();
  const body = bodyOf(request);
  if (action.post && request.method !== 'POST')
    return controller === 'alias' ? { result: 'failed' } : { status: 'failed' };
  if (action.writes && user.readonlyConfig) throw new ServerError('User may not change the configuration.', 'Denied');
  return action.run(world, decodeURIComponent(parameter), body, request.url.searchParams);
}

function pathOf({ pathname }: URL): string[] {
  const [empty, api, ...rest] = pathname.split('/');
  return empty === '' && api === 'api' ? rest : [];
}

function userOf(world: World, authorization: string | undefined): ApiUser {
  const [scheme, encoded = ''] = (authorization ?? '').split(' ');
  const [key = '', ...secret] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  const user = world.users.find((candidate) => candidate.key === key && candidate.secret === secret.join(':'));
  if (scheme !== 'Basic' || !user) throw authenticationFailed();
  return user;
}

/** A body counts only if it says that it is JSON; a JSON request without one is refused, a GET too. */
function bodyOf({ contentType, body }: ApiRequest): aliases.Fields {
  if (!contentType.toLowerCase().startsWith('application/json')) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw invalidJson();
  }
  return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : {};
}
