/** The store port on PostgreSQL: every method is a statement under sql/. */
import type { Store } from '../../actors/store.ts';
import type { Database } from './database.ts';
import { actorsToResume, lastCommits, loadActors, wakeups } from './sql/actors.ts';
import { adoptInbox, inboxOf, pendingInbox } from './sql/adoptInbox.ts';
import { appendOutputs } from './sql/appendOutputs.ts';
import { appendAudit, verifyAudit } from './sql/audit.ts';
import { backlog } from './sql/backlog.ts';
import {
  channelVerbosity,
  chatCursors,
  isFurnished,
  isProjectChannel,
  projectChannel,
  projectChannels,
  putFurnished,
  putProjectChannel,
  setChannelVerbosity,
} from './sql/channels.ts';
import { commit } from './sql/commit.ts';
import { birthOf, deadLetter, lastPoison } from './sql/deadLetters.ts';
import { deliver } from './sql/deliver.ts';
import { claimEffects, finishEffects, retryEffect } from './sql/effects.ts';
import {
  activeGrants,
  claimedHosts,
  claimHosts,
  grantsRevokedUnder,
  putGrant,
  releaseHosts,
  revokeGrant,
} from './sql/grants.ts';
import { health } from './sql/health.ts';
import { hostKey, keepHostKey } from './sql/hostKeys.ts';
import { inboxState } from './sql/inboxState.ts';
import { countActors, listActors } from './sql/listActors.ts';
import { heardFrom, putNotices, withoutNotices } from './sql/people.ts';
import { findPost, postCreated, postGone, postPatched, postsOf, reservePost } from './sql/posts.ts';
import { pruneOnce } from './sql/prune.ts';
import { spentSince } from './sql/spending.ts';
import { cleanThread, dirtyMark, dirtyThreads, findThread, sessionsInChannel, threadOf } from './sql/threads.ts';
import { readTranscript, resumePoint } from './sql/transcript.ts';

export function createStore(db: Database): Store {
  return {
    commit: (term, commitId, turns) => commit(db, term, commitId, turns),
    lastCommits: (addresses) => lastCommits(db, addresses),
    deliver: (items, options) => deliver(db, items, options),
    appendOutputs: (term, batch) => appendOutputs(db, term, batch),
    adoptInbox: (term, limit) => adoptInbox(db, term, limit),
    pendingInbox: (term, page) => pendingInbox(db, term, page),
    inboxOf: (addresses, each) => inboxOf(db, addresses, each),
    inboxState: (dedupKey) => inboxState(db, dedupKey),
    loadActors: (addresses) => loadActors(db, addresses),
    wakeups: (until) => wakeups(db, until),
    actorsToResume: (versions) => actorsToResume(db, versions),
    deadLetter: (id) => deadLetter(db, id),
    lastPoison: (address) => lastPoison(db, address),
    birthOf: (address) => birthOf(db, address),
    claimEffects: (term, page) => claimEffects(db, term, page),
    finishEffects: (term, outcomes) => finishEffects(db, term, outcomes),
    retryEffect: (term, retry) => retryEffect(db, term, retry),
    onHint(listener) {
      db.hints.add(listener);
      return () => db.hints.delete(listener);
    },

    health: (timeoutMs) => health(db, timeoutMs),
    listActors: (filter) => listActors(db, filter),
    countActors: () => countActors(db),
    backlog: () => backlog(db),
    resumePoint: (session) => resumePoint(db, session),
    readTranscript: (session, afterId) => readTranscript(db, session, afterId),
    spentSince: (since, userId) => spentSince(db, since, userId),
    dirtyThreads: () => dirtyThreads(db),
    dirtyMark: (session) => dirtyMark(db, session),
    cleanThread: (session, mark, settled) => cleanThread(db, session, mark, settled),
    findThread: (rootId) => findThread(db, rootId),
    threadOf: (session) => threadOf(db, session),
    sessionsInChannel: (channelId, states) => sessionsInChannel(db, channelId, states),
    reservePost: (post) => reservePost(db, post),
    postCreated: (key, postId, contentHash) => postCreated(db, key, postId, contentHash),
    postPatched: (key, contentHash) => postPatched(db, key, contentHash),
    postGone: (key) => postGone(db, key),
    postsOf: (session) => postsOf(db, session),
    findPost: (postId) => findPost(db, postId),
    chatCursors: () => chatCursors(db),
    projectChannel: (repo) => projectChannel(db, repo),
    channelVerbosity: (channelId) => channelVerbosity(db, channelId),
    setChannelVerbosity: (channelId, verbosity) => setChannelVerbosity(db, channelId, verbosity),
    projectChannels: () => projectChannels(db),
    isProjectChannel: (channelId) => isProjectChannel(db, channelId),
    putProjectChannel: (repo, channelId, options) => putProjectChannel(db, repo, channelId, options),
    isFurnished: (channelId) => isFurnished(db, channelId),
    putFurnished: (channelId) => putFurnished(db, channelId),
    heardFrom: (session, postIds) => heardFrom(db, session, postIds),
    withoutNotices: (userIds) => withoutNotices(db, userIds),
    putNotices: (userId, on) => putNotices(db, userId, on),
    hostKey: (target) => hostKey(db, target),
    keepHostKey: async (target, key) => (await keepHostKey(db, target, key)) ?? (await hostKey(db, target)) ?? key,
    putGrant: (grant) => putGrant(db, grant),
    revokeGrant: (id, at, under) => revokeGrant(db, id, at, under),
    grantsRevokedUnder: (key) => grantsRevokedUnder(db, key),
    activeGrants: (at) => activeGrants(db, at),
    claimedHosts: () => claimedHosts(db),
    claimHosts: (hosts) => claimHosts(db, hosts),
    releaseHosts: (hosts, at) => releaseHosts(db, hosts, at),
    prune: (retention, from) => pruneOnce(db, retention, from),
    appendAudit: (entry) => appendAudit(db, entry),
    verifyAudit: () => verifyAudit(db),
  };
}
