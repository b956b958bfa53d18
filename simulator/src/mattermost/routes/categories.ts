import type { FastifyInstance } from 'fastify';
import { pathUser } from '../access.ts';
import { addCategory, categoryKey, placeChannels, sidebar } from '../domain/categories.ts';
import type { Category, User } from '../entities.ts';
import { AppError, badBodyParam, forbidden } from '../errors.ts';
import {
  type Fields,
  idField,
  isFields,
  optionalIds,
  pathId,
  readFields,
  readJson,
  readStrings,
  text,
} from '../fields.ts';
import { OK, requireUser } from '../http.ts';
import { isTeamMember } from '../store.ts';
import type { World } from '../world.ts';

type Of = { Params: { userId: string; teamId: string } };
type One = { Params: { userId: string; teamId: string; categoryId: string } };

const PATH = '/users/:userId/teams/:teamId/channels/categories';

/** Sidebar categories: everybody's own only. */
export function categoryRoutes(app: FastifyInstance, world: World): void {
  app.get<Of>(PATH, async (request) => {
    const owner = checkOwner(world, requireUser(world, request), request.params);
    const categories = sidebar(world, owner.userId, owner.teamId);
    return { categories, order: categories.map((category) => category.id) };
  });

  app.post<Of>(PATH, async (request) => {
    const owner = checkOwner(world, requireUser(world, request), request.params);
    const fields = readFields(request.body, 'category');
    checkBody(fields, owner);
    if (!world.store.categories.has(categoryKey(owner.userId, owner.teamId))) {
      throw new AppError(404, 'app.channel.sidebar_categories.app_error', 'There are no categories yet.');
    }
    const category = addCategory(
      world,
      owner.userId,
      owner.teamId,
      text(fields, 'display_name'),
      optionalIds(fields, 'channel_ids') ?? [],
    );
    tell(world, 'sidebar_category_created', category);
    return category;
  });

  app.put<Of>(PATH, async (request) => {
    const owner = checkOwner(world, requireUser(world, request), request.params);
    const list = readJson(request.body, 'categories');
    if (!Array.isArray(list)) throw badBodyParam('categories');
    return list.filter(isFields).map((fields) => change(world, owner, text(fields, 'id'), fields));
  });

  app.put<One>(`${PATH}/:categoryId`, async (request) => {
    const owner = checkOwner(world, requireUser(world, request), request.params);
    return change(world, owner, request.params.categoryId, readFields(request.body, 'category'));
  });

  app.delete<One>(`${PATH}/:categoryId`, async (request) => {
    const owner = checkOwner(world, requireUser(world, request), request.params);
    const categories = sidebar(world, owner.userId, owner.teamId);
    const at = categories.findIndex((each) => each.id === request.params.categoryId && each.type === 'custom');
    if (at < 0) throw forbidden();
    for (const gone of categories.splice(at, 1)) tell(world, 'sidebar_category_deleted', gone);
    return OK;
  });

  app.get<Of>(`${PATH}/order`, async (request) => {
    const owner = checkOwner(world, requireUser(world, request), request.params);
    return sidebar(world, owner.userId, owner.teamId).map((category) => category.id);
  });

  app.put<Of>(`${PATH}/order`, async (request) => {
    const owner = checkOwner(world, requireUser(world, request), request.params);
    const order = readStrings(request.body, 'order');
    const categories = sidebar(world, owner.userId, owner.teamId);
    if (order.length !== categories.length || categories.some((category) => !order.includes(category.id)))
      throw badBodyParam('order');
    categories.sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
    return order;
  });
}

interface Owner {
  userId: string;
  teamId: string;
}

function checkOwner(world: World, user: User, params: { userId: string; teamId: string }): Owner {
  const userId = pathUser(user, params.userId);
  const teamId = pathId(params.teamId, 'team_id');
  if (userId !== user.id || !isTeamMember(world.store, teamId, userId)) throw forbidden();
  return { userId, teamId };
}

function checkBody(fields: Fields, owner: Owner): void {
  if (idField(fields, 'user_id') !== owner.userId) throw badBodyParam('user_id');
  if (idField(fields, 'team_id') !== owner.teamId) throw badBodyParam('team_id');
}

/** Replaces name and channels; who wants to add a channel has to send the whole list. */
function change(world: World, owner: Owner, categoryId: string, fields: Fields): Category {
  checkBody(fields, owner);
  const categories = sidebar(world, owner.userId, owner.teamId);
  const category = categories.find((each) => each.id === categoryId);
  if (category === undefined) throw forbidden();
  if (category.type === 'custom') category.display_name = text(fields, 'display_name', category.display_name);
  category.sorting = text(fields, 'sorting', category.sorting);
  category.muted = fields.muted === true;
  category.collapsed = fields.collapsed === true;
  placeChannels(categories, category, optionalIds(fields, 'channel_ids') ?? []);
  tell(world, 'sidebar_category_updated', category);
  return category;
}

function tell(world: World, event: string, category: Category): void {
  world.hub.publish({
    event,
    data: { category_id: category.id },
    audience: { userId: category.user_id, teamId: category.team_id },
  });
}
