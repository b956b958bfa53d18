/** What routing has to know of the place a post stands in, from what is stored. */
import type { Runtime, StorePorts } from '../actors/index.ts';
import type { ChatPost } from '../adapters/mattermost/index.ts';
import type { Elsewhere, Known } from '../chat/routing.ts';
import { sessionAddress } from '../machines/addresses.ts';
import type { SessionContext } from '../machines/session/context.ts';
import { isLive, LIVE_STATES } from './reports.ts';

export interface LookUpPorts {
  readonly runtime: Pick<Runtime, 'read'>;
  readonly store: Pick<StorePorts, 'findThread' | 'sessionsInChannel' | 'isProjectChannel'>;
  readonly botUserId: string;
  /** What routing needs to know that does not depend on the post. */
  readonly rules: Omit<
    Known,
    'botUserId' | 'session' | 'elsewhere' | 'starterId' | 'liveSessionsInChannel' | 'isProjectChannel'
  >;
  /** Address of a post's page. */
  readonly permalink: (postId: string) => string;
}

/** @param settled the post is not new: a root post belongs to the session of its own thread */
export async function lookUp(ports: LookUpPorts, post: ChatPost, settled = false): Promise<Known> {
  const root = post.rootId === '' && settled ? post.id : post.rootId;
  const thread = root === '' ? undefined : await ports.store.findThread(root);
  const view = thread && (await ports.runtime.read(thread.session));
  return {
    ...ports.rules,
    botUserId: ports.botUserId,
    session: thread?.session,
    elsewhere: thread === undefined && post.rootId !== '' ? await elsewhereOf(ports, post.rootId) : undefined,
    starterId: view && (view.context as SessionContext).request.owner.id,
    ...(post.rootId === '' ? await lookUpChannel(ports, post.channelId) : AMONG_REPLIES),
  };
}

type OfChannel = Pick<Known, 'isProjectChannel' | 'liveSessionsInChannel'>;

const AMONG_REPLIES: OfChannel = { isProjectChannel: false, liveSessionsInChannel: [] };

/** Only a repository's own channel speaks to its session: in any other, people speak to each other. */
async function lookUpChannel({ store }: LookUpPorts, channelId: string): Promise<OfChannel> {
  if (!(await store.isProjectChannel(channelId))) return AMONG_REPLIES;
  const threads = await store.sessionsInChannel(channelId, LIVE_STATES);
  return { isProjectChannel: true, liveSessionsInChannel: threads.map(({ session }) => session) };
}

/** A session is named by the post that asked for it, which is the root of what is said below it. */
async function elsewhereOf({ runtime, permalink }: LookUpPorts, rootId: string): Promise<Elsewhere | undefined> {
  const view = await runtime.read(sessionAddress(rootId));
  if (view?.kind !== 'session') return undefined;
  const { address: session, value } = view;
  const { request, rootId: own } = view.context as SessionContext;
  return { session, repo: request.repo.repo, link: own === '' ? '' : permalink(own), isLive: isLive(value) };
}
