import { h } from './dom.js';
import { postElement } from './post.js';
import { nameOf, repliesOf, state } from './state.js';

/**
 * A list of posts that follows the state: only posts that changed are made anew, so that focus, selection and open
 * menus elsewhere survive, and the view stays at the end if it was there.
 *
 * @param {HTMLElement} box
 * @param {{ inThread: boolean, openThread: (rootId: string) => void }} place
 */
export function createPane(box, place) {
  /** @type {Map<string, { post: any, key: string, element: HTMLElement }>} */
  const shown = new Map();
  const top = h('div', { class: 'top' });
  const list = h('div', { class: 'list' });
  box.append(top, list);
  // What scrolls must be reachable by keyboard.
  box.tabIndex = 0;
  let subject = '';

  return {
    top,
    /**
     * @param {string} about what is listed; another subject starts at its end
     * @param {any[]} posts oldest first
     */
    show(about, posts) {
      const atEnd = about !== subject || box.scrollHeight - box.scrollTop - box.clientHeight < 80;
      if (about !== subject) shown.clear();
      subject = about;
      const elements = posts.map((post) => elementOf(shown, post, place));
      for (const id of shown.keys()) if (!posts.some((post) => post.id === id)) shown.delete(id);
      reconcile(list, elements);
      if (atEnd) box.scrollTop = box.scrollHeight;
    },
  };
}

function elementOf(shown, post, place) {
  const names = (post.metadata?.reactions ?? []).map((reaction) => nameOf(reaction.user_id));
  const key = JSON.stringify([nameOf(post.user_id), repliesOf(post.id), names, state.me?.id]);
  const known = shown.get(post.id);
  // Posts are replaced and never changed in place, so the object says whether there is something new.
  if (known && known.post === post && known.key === key) return known.element;
  const editing = known?.element.querySelector('textarea');
  if (editing && known.post.message === post.message) return known.element;
  const element = postElement(post, place);
  shown.set(post.id, { post, key, element });
  return element;
}

/** Makes the children of `list` exactly these, touching only those that differ. */
function reconcile(list, elements) {
  elements.forEach((element, i) => {
    if (list.children[i] !== element) list.insertBefore(element, list.children[i] ?? null);
  });
  while (list.children.length > elements.length) list.lastElementChild?.remove();
}
