import type { Post, User } from '../entities.ts';
import { AppError } from '../errors.ts';
import { type Fields, isFields } from '../fields.ts';
import { newId } from '../ids.ts';
import { wirePost } from '../views.ts';
import type { World } from '../world.ts';
import { findAction, integrationOf } from './attachments.ts';
import { type CallbackAnswer, callIntegration } from './callback.ts';
import { editPost } from './posts.ts';

/** Props that an update by an integration cannot change. */
const RETAINED = ['from_webhook', 'override_username', 'override_icon_url'];

/**
 * A click on a button or a choice in a menu. Calls the integration and applies its answer; returns the trigger id.
 * Nobody checks who wrote the card: any member can post one that calls any allowed address with any context.
 * Errors: 404 for an action the post does not have or that calls nothing; 400 for every answer that is not a 200 with JSON (or an
 * empty body), and for an address that cannot be reached or is not allowed.
 */
export async function click(world: World, user: User, post: Post, actionId: string, selected: string): Promise<string> {
  const action = findAction(post, actionId);
  const integration = action === undefined ? undefined : integrationOf(action);
  if (action === undefined || integration === undefined) {
    throw new AppError(404, 'api.post.do_action.action_id.app_error', 'Invalid action id.');
  }
  const url = allowedUrl(world, integration.url);
  const channel = world.store.channels.get(post.channel_id);
  const team = world.store.teams.get(channel?.team_id ?? '');
  const triggerId = newId();
  const isSelect = action.type === 'select';
  const request = {
    user_id: user.id,
    user_name: user.username,
    channel_id: post.channel_id,
    channel_name: channel?.name ?? '',
    team_id: team?.id ?? '',
    team_domain: team?.name ?? '',
    post_id: post.id,
    trigger_id: Buffer.from(`${triggerId}:${user.id}:${world.now()}:`).toString('base64'),
    type: typeof action.type === 'string' ? action.type : '',
    data_source: typeof action.data_source === 'string' ? action.data_source : '',
    context: isSelect ? { ...integration.context, selected_option: selected } : integration.context,
  };
  let answer: CallbackAnswer = { status: 0, body: '' };
  let status = 400;
  try {
    answer = await callIntegration(url, JSON.stringify(request)).catch((error: unknown) => {
      throw failed(String(error));
    });
    applyAnswer(world, user, post, answer);
    status = 200;
    return triggerId;
  } finally {
    const at = world.now();
    world.log.append({
      kind: 'click',
      at,
      userId: user.id,
      postId: post.id,
      actionId,
      callbackStatus: answer.status,
      status,
    });
  }
}

function allowedUrl(world: World, address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw failed('invalid address');
  if (!world.integrationHosts.has(url.hostname.replace(/^\[|\]$/g, ''))) throw failed('address forbidden');
  return url;
}

function failed(detail: string): AppError {
  return new AppError(400, 'api.post.do_action.action_integration.app_error', 'Action integration error.', detail);
}

function applyAnswer(world: World, user: User, post: Post, answer: CallbackAnswer): void {
  if (answer.status !== 200) throw failed(`status=${answer.status}`);
  if (answer.body === '') return;
  const body = parse(answer.body);
  if (isFields(body.update)) applyUpdate(world, post, body.update);
  const text = typeof body.ephemeral_text === 'string' ? body.ephemeral_text : '';
  if (text !== '') sendEphemeral(world, user, post, body.skip_slack_parsing === true ? text : slackLinks(text));
}

function parse(body: string): Fields {
  try {
    const value: unknown = JSON.parse(body);
    if (isFields(value)) return value;
  } catch (error) {
    throw failed(String(error));
  }
  throw failed('not an object');
}

/** The message is always replaced, props only if given; files that the update does not name are dropped. */
function applyUpdate(world: World, post: Post, update: Fields): void {
  const retained = Object.fromEntries(RETAINED.flatMap((key) => (key in post.props ? [[key, post.props[key]]] : [])));
  editPost(world, post, post.user_id, {
    message: typeof update.message === 'string' ? update.message : '',
    props: isFields(update.props) ? { ...update.props, ...retained } : undefined,
    fileIds: Array.isArray(update.file_ids) ? update.file_ids.filter((id) => typeof id === 'string') : [],
  });
}

/** An ephemeral post is an event for one user and is stored nowhere. */
export function sendEphemeral(
  world: World,
  user: User,
  near: Pick<Post, 'channel_id' | 'root_id' | 'id'>,
  message: string,
): Post {
  const at = world.now();
  const post: Post = {
    id: newId(),
    create_at: at,
    update_at: 0,
    edit_at: 0,
    delete_at: 0,
    is_pinned: false,
    user_id: user.id,
    channel_id: near.channel_id,
    root_id: near.root_id || near.id,
    original_id: '',
    message,
    type: 'system_ephemeral',
    props: {},
    hashtags: '',
    file_ids: [],
  };
  world.hub.publish({
    event: 'ephemeral_message',
    data: { post: JSON.stringify(wirePost(world.store, post)) },
    audience: { userId: user.id, channelId: near.channel_id },
  });
  return post;
}

/** Slack's `<url|text>` and `<url>` as Markdown. */
function slackLinks(text: string): string {
  return text.replace(/<([^<|>]+)\|([^>]+)>/g, '[$2]($1)');
}
