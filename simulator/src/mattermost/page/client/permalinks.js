import { call } from './api.js';

const PERMALINK = /^\/[^/]+\/pl\/([a-z0-9]{26})$/;

/**
 * Links to posts of this server open the post's thread in place.
 * @param {(channelId: string, rootId: string) => Promise<void>} show
 * @param {(problem: string) => void} complain
 */
export function followPermalinks(show, complain) {
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    const postId = link && link.origin === location.origin ? PERMALINK.exec(link.pathname)?.[1] : undefined;
    if (!postId) return;
    event.preventDefault();
    call('GET', `/posts/${postId}`)
      .then((post) => show(post.channel_id, post.root_id || post.id))
      .catch((error) => complain(error.message));
  });
}
