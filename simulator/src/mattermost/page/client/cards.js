import { call } from './api.js';
import { h } from './dom.js';
import { inline } from './inline.js';
import { markdown } from './markdown.js';

const COLOURS = { good: '#339970', warning: '#ca8f04', danger: '#d24b4e' };

/**
 * The attachments of a post: cards with texts, fields, buttons and menus.
 * @param {any} post
 * @returns {HTMLElement[]}
 */
export function cards(post) {
  const list = Array.isArray(post.props?.attachments) ? post.props.attachments : [];
  return list.map((attachment) => card(post, attachment));
}

function card(post, attachment) {
  const problem = h('p', { class: 'problem', role: 'alert' });
  const actions = (attachment.actions ?? []).map((action) => control(post, action, problem));
  const element = h(
    'section',
    { class: 'card', 'aria-label': attachment.title || attachment.fallback || 'Card' },
    attachment.pretext && h('div', { class: 'text' }, markdown(attachment.pretext)),
    attachment.author_name && h('p', { class: 'card-author' }, attachment.author_name),
    attachment.title && h('h3', {}, ...inline(attachment.title)),
    attachment.text && h('div', { class: 'text' }, markdown(attachment.text)),
    attachment.fields?.length && h('dl', {}, ...attachment.fields.map(field)),
    actions.length > 0 && h('div', { class: 'actions' }, ...actions),
    problem,
    attachment.footer && h('p', { class: 'card-footer' }, attachment.footer),
  );
  const colour = COLOURS[attachment.color] ?? (/^#[0-9a-f]{3,8}$/i.test(attachment.color) ? attachment.color : '');
  if (colour) element.style.setProperty('--card', colour);
  return element;
}

function field(each) {
  return h(
    'div',
    { class: each.short ? 'short' : undefined },
    h('dt', {}, ...inline(String(each.title ?? ''))),
    h('dd', {}, markdown(String(each.value ?? ''))),
  );
}

function control(post, action, problem) {
  const act = async (element, body) => {
    problem.textContent = '';
    element.toggleAttribute('disabled', true);
    element.setAttribute('aria-busy', 'true');
    try {
      await call('POST', `/posts/${post.id}/actions/${encodeURIComponent(action.id)}`, body);
    } catch (error) {
      problem.textContent = `“${action.name}” failed: ${error.message}`;
    } finally {
      element.toggleAttribute('disabled', false);
      element.removeAttribute('aria-busy');
    }
  };
  if (action.type === 'select') {
    const options = (action.options ?? []).map((option) => h('option', { value: option.value }, option.text));
    const menu = h('select', { 'aria-label': action.name, onchange: () => act(menu, { selected_option: menu.value }) });
    menu.append(h('option', { value: '', selected: true, disabled: true }, action.name), ...options);
    return menu;
  }
  const button = h(
    'button',
    {
      type: 'button',
      class: `action ${styleOf(action.style)}`,
      disabled: action.disabled === true,
      onclick: () => act(button, {}),
    },
    ...inline(action.name ?? ''),
  );
  return button;
}

function styleOf(style) {
  return { primary: 'primary', success: 'good', good: 'good', warning: 'warning', danger: 'danger' }[style] ?? '';
}
