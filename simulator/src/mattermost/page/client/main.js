import { call } from './api.js';
import { createComposer } from './composer.js';
import { byId, h } from './dom.js';
import { applyEvent } from './events.js';
import { connect } from './live.js';
import { createPane } from './pane.js';
import { followPermalinks } from './permalinks.js';
import { changed, nameOf, onChange, state, takePosts, takeSent, threadPosts, topLevel, typists } from './state.js';

const PAGE = 60;

const timeline = createPane(byId('timeline'), { inThread: false, openThread });
const replies = createPane(byId('replies'), { inThread: true, openThread });
const typingHere = h('p', { class: 'typing', 'aria-live': 'polite' });
const typingThere = h('p', { class: 'typing', 'aria-live': 'polite' });
const connectionState = byId('connection');

const live = connect({
  onOpen: refresh,
  onDown: () => showConnection('Reconnecting…'),
  onEvent: (frame) => applyEvent(frame, { reloadChannels }),
});

const messageBox = createComposer({
  label: 'Write a message',
  target: () => ({ channelId: state.channelId, rootId: '' }),
  onTyping: () => live.typing(state.channelId, ''),
  onSent: takeSent,
});
const replyBox = createComposer({
  label: 'Reply in the thread',
  target: () => ({ channelId: state.channelId, rootId: state.rootId }),
  onTyping: () => live.typing(state.channelId, state.rootId),
  onSent: takeSent,
});
byId('channel').append(typingHere, messageBox.form);
byId('thread').append(typingThere, replyBox.form);

byId('to-channels').addEventListener('click', () => setView('channels'));
byId('to-channel').addEventListener('click', closeThread);
byId('close-thread').addEventListener('click', closeThread);
byId('add-channel').addEventListener('submit', addChannel);
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && state.unread.delete(state.channelId)) changed();
});
addEventListener('hashchange', followAddress);
followPermalinks(openPost, showConnection);
onChange(render);

/** Fetches everything that is shown: at the start and after every gap in the events. */
async function refresh() {
  try {
    state.me = await call('GET', '/users/me');
    state.users.set(state.me.id, state.me);
    await loadChannels();
    followAddress();
    showConnection('Live');
  } catch (error) {
    showConnection(error.message);
  }
}

async function loadChannels() {
  const [teams, channels] = await Promise.all([call('GET', '/users/me/teams'), call('GET', '/users/me/channels')]);
  state.team = teams[0];
  state.channels = new Map(channels.map((channel) => [channel.id, channel]));
  changed();
}

function reloadChannels() {
  loadChannels().catch((error) => showConnection(error.message));
}

/** The address names what is open, `#channel` or `#channel/thread`, so that a reload and the back button work. */
function followAddress() {
  const [channelName, rootId] = decodeURIComponent(location.hash.slice(1)).split('/');
  const channels = sortedChannels();
  const channel = channels.find((each) => each.name === channelName) ?? channels[0];
  if (!channel) return;
  state.channelId = channel.id;
  state.rootId = rootId ?? '';
  state.unread.delete(channel.id);
  setView(
    rootId
      ? 'thread'
      : channelName || document.body.dataset.view === 'channels'
        ? document.body.dataset.view
        : 'channel',
  );
  changed();
  loadPosts(channel.id).catch((error) => showConnection(error.message));
  if (rootId) call('GET', `/posts/${rootId}/thread`).then((list) => takePosts(Object.values(list.posts)), closeThread);
}

async function loadPosts(channelId, before = '') {
  const list = await call('GET', `/channels/${channelId}/posts?per_page=${PAGE}${before && `&before=${before}`}`);
  state.older.set(channelId, list.prev_post_id !== '');
  takePosts(Object.values(list.posts));
}

function openChannel(channel) {
  setView('channel');
  location.hash = channel.name;
  if (channel.id === state.channelId) closeThread();
  messageBox.focus();
}

function openThread(rootId) {
  setView('thread');
  location.hash = `${state.channels.get(state.channelId)?.name ?? ''}/${rootId}`;
  setTimeout(replyBox.focus, 50);
}

/** A post that a link names: its channel may have been made a moment ago. */
async function openPost(channelId, rootId) {
  if (!state.channels.has(channelId)) await loadChannels();
  state.channelId = channelId;
  openThread(rootId);
}

function closeThread() {
  setView('channel');
  location.hash = state.channels.get(state.channelId)?.name ?? '';
}

/** On a narrow screen one of the three is shown; a wide one shows all. */
function setView(view) {
  document.body.dataset.view = view;
}

async function addChannel(event) {
  event.preventDefault();
  const input = byId('channel-name');
  const problem = byId('add-channel').querySelector('.problem');
  const shown = input.value.trim();
  const name = shown
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[-_]+|[-_]+$/g, '');
  if (!name || !problem) return;
  problem.textContent = '';
  try {
    const open = await call('GET', `/teams/${state.team.id}/channels?per_page=200`);
    const known = open.find((channel) => channel.name === name);
    if (known) await call('POST', `/channels/${known.id}/members`, { user_id: state.me.id });
    else await call('POST', '/channels', { team_id: state.team.id, name, display_name: shown, type: 'O' });
    input.value = '';
    await loadChannels();
    location.hash = name;
    setView('channel');
  } catch (error) {
    problem.textContent = error.message;
  }
}

function sortedChannels() {
  return [...state.channels.values()].sort((a, b) => a.display_name.localeCompare(b.display_name));
}

function showConnection(text) {
  connectionState.textContent = text;
  connectionState.dataset.live = String(text === 'Live');
}

function render() {
  const channel = state.channels.get(state.channelId);
  byId('team').textContent = state.team?.display_name ?? 'Chat';
  byId('channel-title').textContent = channel ? channel.display_name : '';
  byId('channel-header').textContent = channel?.header ?? '';
  byId('thread-channel').textContent = channel?.display_name ?? '';
  const waiting = [...state.unread.values()].reduce((sum, count) => sum + count, 0);
  document.title = `${waiting > 0 ? `(${waiting}) ` : ''}${channel?.display_name ?? 'Chat'}`;
  renderChannels();
  const posts = topLevel();
  timeline.show(state.channelId, posts);
  renderOlder(posts);
  const open = state.rootId !== '';
  byId('thread').toggleAttribute('hidden', !open);
  if (!open && document.body.dataset.view === 'thread') setView('channel');
  if (open) replies.show(state.rootId, threadPosts());
  typingHere.textContent = sentence(typists(state.channelId, ''));
  typingThere.textContent = open ? sentence(typists(state.channelId, state.rootId)) : '';
}

let channelKey = '';

function renderChannels() {
  const channels = sortedChannels();
  const key = JSON.stringify([
    channels.map((each) => [each.id, each.display_name]),
    [...state.unread],
    state.channelId,
  ]);
  if (key === channelKey) return;
  channelKey = key;
  const item = (channel) => {
    const count = state.unread.get(channel.id) ?? 0;
    const current = channel.id === state.channelId;
    const attributes = {
      type: 'button',
      class: count > 0 ? 'unread' : undefined,
      'aria-current': current ? 'page' : undefined,
    };
    const badge = count > 0 && h('span', { class: 'badge', 'aria-label': `${count} new` }, String(count));
    return h(
      'li',
      {},
      h('button', { ...attributes, onclick: () => openChannel(channel) }, h('span', {}, channel.display_name), badge),
    );
  };
  byId('channels').replaceChildren(...channels.map(item));
}

function renderOlder(posts) {
  const more = state.older.get(state.channelId) === true;
  if (more === timeline.top.childElementCount > 0) return;
  const load = () => loadPosts(state.channelId, topLevel()[0]?.id).catch((error) => showConnection(error.message));
  timeline.top.replaceChildren(
    ...(more && posts.length > 0 ? [h('button', { type: 'button', onclick: load }, 'Show older messages')] : []),
  );
}

function sentence(people) {
  if (people.length === 0) return '';
  return `${people.map((each) => nameOf(each.userId)).join(', ')} ${people.length === 1 ? 'is' : 'are'} typing…`;
}
