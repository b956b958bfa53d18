import { publishTyping } from '../domain/presence.ts';
import { AppError } from '../errors.ts';
import { type Fields, isFields } from '../fields.ts';
import { isChannelMember } from '../store.ts';
import { SERVER_VERSION, type World } from '../world.ts';

/** Answers a request that came over an authenticated connection; undefined when the server stays silent. */
export function answerRequest(world: World, userId: string, frame: Fields): string | undefined {
  const seq = typeof frame.seq === 'number' ? frame.seq : 0;
  const action = typeof frame.action === 'string' ? frame.action : '';
  const data = isFields(frame.data) ? frame.data : {};
  if (action === '') return fail(seq, new AppError(400, 'api.web_socket_router.no_action.app_error', 'No action.'));
  if (seq <= 0)
    return fail(0, new AppError(400, 'api.web_socket_router.bad_seq.app_error', 'Invalid sequence number.'));
  switch (action) {
    case 'authentication_challenge':
      return undefined;
    case 'ping':
      return ok(seq, { text: 'pong', version: SERVER_VERSION, server_time: world.now(), node_id: '' });
    case 'user_typing':
      return typing(world, userId, seq, data);
    case 'get_statuses':
      return ok(seq, statuses(world, [...world.store.presence.keys()]));
    case 'get_statuses_by_ids':
      return ok(seq, statuses(world, Array.isArray(data.user_ids) ? data.user_ids.map(String) : []));
    case 'user_update_active_status':
    case 'presence':
      return ok(seq);
    case 'posted_notify_ack':
      return undefined;
    default:
      return fail(seq, new AppError(500, 'api.web_socket_router.bad_action.app_error', 'Unknown WebSocket action.'));
  }
}

function typing(world: World, userId: string, seq: number, data: Fields): string {
  const channelId = typeof data.channel_id === 'string' ? data.channel_id : '';
  if (!isChannelMember(world.store, channelId, userId)) {
    return fail(
      seq,
      new AppError(403, 'api.context.permissions.app_error', 'You do not have the appropriate permissions.'),
    );
  }
  publishTyping(world, userId, channelId, typeof data.parent_id === 'string' ? data.parent_id : '');
  return ok(seq);
}

function statuses(world: World, userIds: string[]): Fields {
  return Object.fromEntries(userIds.map((id) => [id, world.store.presence.get(id)?.status ?? 'offline']));
}

export function ok(seq: number, data?: Fields): string {
  return JSON.stringify({ status: 'OK', ...(data === undefined ? {} : { data }), seq_reply: seq });
}

function fail(seq: number, error: AppError): string {
  return JSON.stringify({
    status: 'FAIL',
    ...(seq > 0 ? { seq_reply: seq } : {}),
    error: { id: error.id, message: error.message, detailed_error: '', request_id: '', status_code: error.status },
  });
}
