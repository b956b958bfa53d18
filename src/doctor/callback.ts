/**
 * `csm doctor callback`: the way of a click, as it is: a post with a button in a channel, pressed by the bot, passed on by
 * Mattermost, answered by the gateway that runs, and the answer shown by Mattermost. The post is deleted afterwards.
 */
import { signAction } from '../adapters/http/index.ts';
import { isChatError, type MattermostRest } from '../adapters/mattermost/index.ts';
import type { Config } from '../config.ts';
import { ARRIVED, PROBE } from '../flows/callbackProbe.ts';
import { whoAmI } from '../start.ts';
import { callbackUrl, chatClient, signingKeys } from '../wiring.ts';
import { type Finding, failed, ok, tried, warning } from './report.ts';

/** Longer than Mattermost waits for an answer. */
const PATIENCE_MS = 35_000;

/** @param channelId where to post; empty: the operators' channel */
export async function* callbackFindings(config: Config, channelId: string): AsyncGenerator<Finding> {
  const rest = chatClient(config, PATIENCE_MS);
  const channel = channelId || (config.mattermost.operatorChannelId ?? '');
  let botUserId = '';
  const bot = await tried('Mattermost', async () => {
    const identity = await whoAmI(config, rest);
    ({ botUserId } = identity);
    return `the bot is a member of the team ${identity.teamName}.`;
  });
  yield bot;
  if (bot.level === 'failed') return;
  if (channel === '') {
    yield failed(
      'channel',
      'There is no channel to post in. Name one that the bot is a member of, with --channel ID or SM_OPERATOR_CHANNEL_ID.',
    );
    return;
  }
  const context = contextOf(config);
  let postId = '';
  try {
    const posted = await tried('card', async () => {
      postId = await postCard(rest, channel, callbackUrl(config), context);
      return 'a post with a button was made.';
    });
    if (posted.level === 'failed') {
      yield failed(
        'card',
        `The bot cannot post in ${channel}: ${posted.says} Invite it there, or name another channel with --channel.`,
      );
      return;
    }
    yield posted;
    const direct = await askDirectly(config, { userId: botUserId, channel, postId, context });
    yield direct;
    yield* clickFindings(config, rest, postId, direct.level === 'ok');
  } finally {
    if (postId !== '') await rest.deletePost(postId);
  }
}

function contextOf(config: Config) {
  const action = { ...PROBE, generation: Date.now() };
  return { ...action, mac: signAction(signingKeys(config), action) };
}

async function postCard(rest: MattermostRest, channelId: string, url: string, context: ReturnType<typeof contextOf>) {
  const button = { id: PROBE.action, name: 'Check', type: 'button', style: 'default', integration: { url, context } };
  const text = 'An operator checks whether clicks arrive. This goes away by itself.';
  const props = { attachments: [{ fallback: text, text, actions: [button] }] };
  return (await rest.createPost({ channelId, rootId: '', message: '', props })).id;
}

/** From this machine: tells whether the gateway or the way from Mattermost to it is to blame. */
async function askDirectly(
  config: Config,
  click: { readonly userId: string; readonly channel: string; readonly postId: string; readonly context: unknown },
): Promise<Finding> {
  const check = 'gateway';
  const { callbackUrl: shown } = config.server;
  const body = { user_id: click.userId, channel_id: click.channel, post_id: click.postId, context: click.context };
  try {
    const answer = await fetch(callbackUrl(config), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const text = await answer.text();
    if (text.includes(ARRIVED)) return ok(check, `answers at ${shown} when asked from here.`);
    if (answer.status === 200)
      return warning(check, `answers at ${shown} when asked from here, and takes the button for a forgery.`);
    return warning(
      check,
      `${shown} answers ${answer.status} when asked from here: not the gateway, or it takes clicks from other addresses only (SM_CALLBACK_SOURCES).`,
    );
  } catch (error) {
    return warning(check, `${shown} cannot be reached from here (${reasonOf(error)}).`);
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (typeof cause === 'object' && cause !== null && 'code' in cause) return String(cause.code);
  return error instanceof Error ? error.message : String(error);
}

async function* clickFindings(
  config: Config,
  rest: MattermostRest,
  postId: string,
  isAnswering: boolean,
): AsyncGenerator<Finding> {
  try {
    await rest.press(postId, PROBE.action);
  } catch (error) {
    if (!isChatError(error)) throw error;
    yield failed('click', undelivered(config, isAnswering));
    return;
  }
  yield ok('click', 'Mattermost passed it on, and somebody answered.');
  const shown = (await rest.getPost(postId))?.message ?? '';
  yield shown === ARRIVED
    ? ok('answer', 'the gateway knew its button, and Mattermost shows what it answered.')
    : failed(
        'answer',
        'Whoever answered did not know the button. The gateway at SM_CALLBACK_URL must run with the same SM_CALLBACK_SECRET and SM_MATTERMOST_TEAM_ID as this command, and in the same version.',
      );
}

function undelivered({ server }: Config, isAnswering: boolean): string {
  const { hostname } = new URL(server.callbackUrl);
  return isAnswering
    ? `Mattermost could not deliver the click to ${server.callbackUrl}, which answers from here. Add ${hostname} to AllowedUntrustedInternalConnections (System Console, Environment, Developer), and see that Mattermost's own network lets it through: its log names the reason.`
    : `Mattermost could not deliver the click to ${server.callbackUrl}, and it does not answer from here as it should either. Is the gateway running, and does SM_CALLBACK_URL (with SM_CALLBACK_PATH_SECRET) lead to it, as Mattermost sees it?`;
}
