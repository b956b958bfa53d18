import { call, fileAddress } from './api.js';
import { cards } from './cards.js';
import { clock, h, size } from './dom.js';
import { OFFERED, picture } from './emoji.js';
import { markdown } from './markdown.js';
import { changed, dropPost, nameOf, repliesOf, state } from './state.js';

/**
 * One post as an element.
 * @param {any} post
 * @param {{ inThread: boolean, openThread: (rootId: string) => void }} place
 */
export function postElement(post, place) {
  const system = post.type.startsWith('system_');
  const user = state.users.get(post.user_id);
  const own = post.user_id === state.me?.id && !system;
  const body = h('div', { class: 'text' }, markdown(post.message));
  const problem = h('p', { class: 'problem', role: 'alert' });
  const attempt = (promise) =>
    promise.catch((error) => {
      problem.textContent = error.message;
    });
  return h(
    'article',
    {
      class: `post${system ? ' system' : ''}${own ? ' own' : ''}`,
      'data-id': post.id,
      'aria-label': `Message from ${nameOf(post.user_id)}`,
    },
    h(
      'header',
      {},
      h('strong', {}, nameOf(post.user_id)),
      user?.is_bot && h('span', { class: 'tag' }, 'bot'),
      h('time', { datetime: new Date(post.create_at).toISOString() }, clock(post.create_at)),
      post.edit_at > 0 && h('span', { class: 'faint' }, 'edited'),
      post.is_pinned && h('span', { class: 'faint' }, 'pinned'),
      post.type === 'system_ephemeral' && h('span', { class: 'faint' }, 'only you see this'),
      tools(post, own, body, place, attempt),
    ),
    body,
    ...cards(post),
    ...files(post),
    reactions(post, attempt),
    !place.inThread && !system && replies(post, place),
    problem,
  );
}

function tools(post, own, body, place, attempt) {
  if (post.type === 'system_ephemeral') {
    return h('div', { class: 'tools' }, h('button', { type: 'button', onclick: () => dropPost(post) }, 'Dismiss'));
  }
  if (post.type.startsWith('system_')) return null;
  return h(
    'div',
    { class: 'tools' },
    !place.inThread &&
      h('button', { type: 'button', onclick: () => place.openThread(post.root_id || post.id) }, 'Reply'),
    reactionMenu(post, attempt),
    own && h('button', { type: 'button', onclick: () => edit(post, body, attempt) }, 'Edit'),
    own && h('button', { type: 'button', onclick: () => attempt(call('DELETE', `/posts/${post.id}`)) }, 'Delete'),
  );
}

function reactionMenu(post, attempt) {
  const menu = h('details', { class: 'menu' }, h('summary', { 'aria-label': 'Add a reaction' }, 'React'));
  const offer = (name) =>
    h(
      'button',
      {
        type: 'button',
        'aria-label': name,
        onclick: () => {
          menu.removeAttribute('open');
          attempt(react(post, name));
        },
      },
      picture(name),
    );
  menu.append(h('div', {}, ...OFFERED.map(offer)));
  return menu;
}

function react(post, name) {
  return call('POST', '/reactions', { user_id: state.me.id, post_id: post.id, emoji_name: name });
}

function reactions(post, attempt) {
  const groups = new Map();
  for (const reaction of post.metadata?.reactions ?? []) {
    groups.set(reaction.emoji_name, [...(groups.get(reaction.emoji_name) ?? []), reaction.user_id]);
  }
  if (groups.size === 0) return null;
  const chips = [...groups].map(([name, users]) => {
    const mine = users.includes(state.me?.id);
    const toggle = () =>
      attempt(mine ? call('DELETE', `/users/me/posts/${post.id}/reactions/${name}`) : react(post, name));
    const label = `${name}: ${users.map(nameOf).join(', ')}`;
    return h(
      'button',
      {
        type: 'button',
        class: 'chip',
        'aria-pressed': String(mine),
        'aria-label': label,
        title: label,
        onclick: toggle,
      },
      `${picture(name)} ${users.length}`,
    );
  });
  return h('div', { class: 'chips' }, ...chips);
}

function replies(post, place) {
  const count = repliesOf(post.id);
  if (count === 0) return null;
  const text = count === 1 ? '1 reply' : `${count} replies`;
  return h('button', { type: 'button', class: 'replies', onclick: () => place.openThread(post.id) }, text);
}

function edit(post, body, attempt) {
  const area = h('textarea', { 'aria-label': 'Edit the message', rows: '3' });
  area.value = post.message;
  const save = () => attempt(call('PUT', `/posts/${post.id}/patch`, { message: area.value }));
  const keys = (event) => {
    if (event.key === 'Escape') restore();
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      save();
    }
  };
  const restore = () => body.replaceChildren(markdown(post.message));
  area.addEventListener('keydown', keys);
  body.replaceChildren(
    area,
    h(
      'div',
      { class: 'row' },
      h('button', { type: 'button', onclick: save }, 'Save'),
      h('button', { type: 'button', onclick: restore }, 'Cancel'),
    ),
  );
  area.focus();
}

/** Addresses of pictures that were fetched; they stay for the life of the page. */
const pictures = new Map();

function files(post) {
  return (post.metadata?.files ?? []).map((file) => {
    const problem = h('span', { class: 'problem', role: 'alert' });
    const download = async () => {
      try {
        const address = await fileAddress(file.id);
        h('a', { href: address, download: file.name }).click();
        setTimeout(() => URL.revokeObjectURL(address), 60_000);
      } catch (error) {
        problem.textContent = error.message;
      }
    };
    return h(
      'div',
      { class: 'file' },
      isPicture(file) && previewOf(file),
      h('button', { type: 'button', class: 'link', onclick: download }, file.name),
      h('span', { class: 'faint' }, size(file.size)),
      problem,
    );
  });
}

function isPicture(file) {
  return /^image\/(png|jpeg|gif)$/.test(file.mime_type) && file.size < 5 * 1024 * 1024;
}

/** Pictures people uploaded here are shown; pictures from elsewhere never are. */
function previewOf(file) {
  const known = pictures.get(file.id);
  if (known) return h('img', { src: known, alt: file.name });
  fileAddress(file.id).then(
    (address) => {
      pictures.set(file.id, address);
      const post = state.posts.get(file.post_id);
      if (post) state.posts.set(post.id, { ...post });
      changed();
    },
    () => undefined,
  );
  return null;
}
