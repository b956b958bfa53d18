/** The thread, the checkout and the place in a container: got when a session opens, given back when it ends. */
import type { Effect } from '../../effects.ts';
import type { Args } from '../args.ts';
import type { SessionContext } from '../context.ts';

export function openThread({ context }: Args): Effect {
  const { repo, owner, askedIn } = context.request;
  return {
    kind: 'chat.openThread',
    params: {
      session: context.address,
      repo,
      place: askedIn,
      userId: owner.id,
      teamUser: owner.name,
      title: context.request.askedBy,
    },
    reply: { done: 'THREAD.OPENED', failed: 'THREAD.FAILED' },
  };
}

export function bindThread({ context }: Args): Effect {
  return { kind: 'bindThread', rootId: context.rootId, channelId: context.channelId };
}

export function prepareWorkspace({ context }: Args): Effect {
  return {
    kind: 'workspace.checkout',
    params: { repo: context.request.repo, session: context.address, worktree: context.request.worktree ?? '' },
    reply: { done: 'WORKSPACE.READY', failed: 'WORKSPACE.FAILED' },
  };
}

export function tidyWorkspace({ context }: Args): Effect {
  return {
    kind: 'workspace.tidy',
    params: {
      repo: context.request.repo,
      session: context.address,
      worktree: context.request.worktree ?? '',
      path: context.checkout,
    },
    reply: { done: 'WORKSPACE.TIDIED', failed: 'WORKSPACE.UNTIDY', with: { checkout: context.checkout } },
  };
}

export function attachToContainer({ context, event }: Args): Effect {
  return {
    kind: 'tell',
    to: context.container,
    event: {
      type: 'ATTACH',
      at: event.at,
      session: context.address,
      repo: context.request.repo,
      main: context.request.worktree === null,
    },
  };
}

/**
 * After an interruption the container may have given the place away, for instance when an operator lets a session go on that
 * had been set aside.
 */
export function keepPlace({ context, event }: Args): Effect {
  const { container, address, generation, request } = context;
  const main = request.worktree === null;
  return { kind: 'tell', to: container, event: { type: 'KEEP', at: event.at, session: address, generation, main } };
}

export function askContainerForHelp({ context, event }: Args): Effect {
  return {
    kind: 'tell',
    to: context.container,
    event: { type: 'LOST', at: event.at, session: context.address, generation: context.generation },
  };
}

function detach({ context, event }: Args, scope: SessionContext['stopScope']): Effect {
  return {
    kind: 'tell',
    to: context.container,
    event: { type: 'DETACH', at: event.at, session: context.address, scope },
  };
}

/** Gives the place back, if there is one. A stop that reaches further is told to a container that was once this session's. */
export function leaveContainer(args: Args): Effect[] {
  const { attached, stopScope, generation } = args.context;
  return attached || (stopScope !== 'session' && generation > 0) ? [detach(args, stopScope)] : [];
}

/** A place that came too late. */
export function declineContainer(args: Args): Effect {
  return detach(args, 'session');
}

/** What was opened for this session alone closes with it. */
export function endGrants({ context }: Args): Effect {
  return { kind: 'firewall.endSession', params: { session: context.address } };
}
