import { call } from './api.js';
import { h } from './dom.js';

const TYPING_MS = 4_000;
let serial = 0;

/**
 * The box to write in: Enter sends, Shift+Enter starts a new line, files can be attached.
 *
 * @param {{ label: string, target: () => { channelId: string, rootId: string }, onTyping: () => void, onSent: (post: any) => void }} options
 * @returns {{ form: HTMLElement, focus: () => void }}
 */
export function createComposer(options) {
  serial += 1;
  const id = `composer-${serial}`;
  let uploads = [];
  let typedAt = 0;
  let sending = false;
  const problem = h('p', { class: 'problem', role: 'alert' });
  const attached = h('ul', { class: 'attached' });
  const area = h('textarea', { id, rows: '1', placeholder: options.label, maxlength: '40000' });
  const picker = h('input', {
    type: 'file',
    'aria-label': 'Files to attach',
    tabindex: '-1',
    id: `${id}-file`,
    multiple: true,
    class: 'hidden',
    onchange: () => upload([...picker.files]),
  });

  const fit = () => {
    area.style.setProperty('height', 'auto');
    area.style.setProperty('height', `${Math.min(area.scrollHeight + 2, 240)}px`);
  };

  const showUploads = () => {
    attached.replaceChildren(
      ...uploads.map((file) =>
        h(
          'li',
          {},
          file.name,
          h(
            'button',
            { type: 'button', class: 'remove', 'aria-label': `Remove ${file.name}`, onclick: () => remove(file) },
            '✕',
          ),
        ),
      ),
    );
  };

  const remove = (file) => {
    uploads = uploads.filter((each) => each !== file);
    showUploads();
  };

  const upload = async (files) => {
    problem.textContent = '';
    const form = new FormData();
    form.append('channel_id', options.target().channelId);
    for (const file of files) form.append('files', file, file.name);
    picker.value = '';
    if (files.length === 0) return;
    try {
      uploads.push(...(await call('POST', '/files', form)).file_infos);
      showUploads();
    } catch (error) {
      problem.textContent = error.message;
    }
  };

  const send = async () => {
    const message = area.value;
    if (sending || (message.trim() === '' && uploads.length === 0)) return;
    sending = true;
    problem.textContent = '';
    const { channelId, rootId } = options.target();
    try {
      const post = await call('POST', '/posts', {
        channel_id: channelId,
        root_id: rootId,
        message,
        file_ids: uploads.map((file) => file.id),
        pending_post_id: `${crypto.randomUUID()}`,
      });
      if (area.value === message) area.value = '';
      uploads = [];
      showUploads();
      fit();
      options.onSent(post);
    } catch (error) {
      problem.textContent = `Not sent: ${error.message}`;
    } finally {
      sending = false;
    }
  };

  area.addEventListener('input', () => {
    fit();
    if (area.value === '' || Date.now() - typedAt < TYPING_MS) return;
    typedAt = Date.now();
    options.onTyping();
  });
  area.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    void send();
  });
  const form = h(
    'form',
    {
      class: 'composer',
      onsubmit: (event) => {
        event.preventDefault();
        void send();
      },
    },
    attached,
    problem,
    h('label', { for: id, class: 'hidden' }, options.label),
    h(
      'div',
      { class: 'row' },
      picker,
      h('button', { type: 'button', 'aria-label': 'Attach files', onclick: () => picker.click() }, 'Attach'),
      area,
      h('button', { type: 'submit', class: 'primary' }, 'Send'),
    ),
  );
  return { form, focus: () => area.focus() };
}
