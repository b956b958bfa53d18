/** Everything that is said in the chat passes here, and loses the secrets that the gateway knows. */
import type { ActorView } from '../actors/index.ts';
import { ChatError, type MattermostRest, type NewPost, type Props } from '../adapters/mattermost/index.ts';
import type { Mask } from '../chat/masking.ts';
import type { Json } from '../machines/json.ts';
import type { Cards } from './cards.ts';

/** The same client; what it writes is masked. */
export function maskedRest(rest: MattermostRest, mask: Mask): MattermostRest {
  const post = <Post extends { message?: string; props?: Props }>(said: Post): Post => ({
    ...said,
    ...(said.message === undefined ? {} : { message: mask.text(said.message) }),
    ...(said.props === undefined ? {} : { props: propsOf(said.props, mask) }),
  });
  return {
    ...rest,
    within: (signal) => maskedRest(rest.within(signal), mask),
    createPost: (said) => rest.createPost(post<NewPost>(said)),
    patchPost: (id, change) => rest.patchPost(id, post(change)),
    whisper: (userId, said) => rest.whisper(userId, post<NewPost>(said)),
    uploadFile: async (file) =>
      rest.uploadFile({ ...file, name: mask.text(file.name), bytes: bytesOf(file.bytes, mask) }),
  };
}

/** Cards that are given back as the answer to a click pass no client, so they are made of masked words. */
export function maskedCards(cards: Cards, mask: Mask): Cards {
  return { render: (view: ActorView) => cards.render({ ...view, context: mask.json(view.context) }) };
}

/** Where buttons call, and with what: the server keeps that to itself, and a click must bring it back as it was. */
const KEPT = 'integration';

function propsOf(props: Props, mask: Mask): Props {
  const walk = (value: Json, name: string): Json => {
    if (name === KEPT) return value;
    if (typeof value === 'string') return mask.text(value);
    if (Array.isArray(value)) return value.map((item: Json) => walk(item, ''));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, inner]) => (inner === undefined ? [] : [[key, walk(inner, key)]])),
    );
  };
  return Object.fromEntries(Object.entries(props).map(([key, value]) => [key, walk(value, key)]));
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text is masked. In anything else a changed byte may break the whole, so a file with a secret in it is not posted. */
function bytesOf(bytes: Uint8Array, mask: Mask): Uint8Array {
  const text = textOf(bytes);
  if (text !== undefined) {
    const shown = mask.text(text);
    return shown === text ? bytes : Buffer.from(shown);
  }
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  if (mask.text(raw) === raw) return bytes;
  throw new ChatError({
    code: 'CHAT_REFUSED',
    message: 'a file that is not text holds a secret',
    human: 'There is a secret in it that I know, so I do not post it.',
    retryable: false,
    status: 0,
  });
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    // Not text: that is an answer, too.
    return undefined;
  }
}
