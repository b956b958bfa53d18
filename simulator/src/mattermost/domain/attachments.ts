import type { Post, Props } from '../entities.ts';
import { type Fields, isFields } from '../fields.ts';
import { newId } from '../ids.ts';

/** What a button or menu calls. */
export interface Integration {
  url: string;
  context: Fields;
}

const TEXTS = [
  'fallback',
  'color',
  'pretext',
  'author_name',
  'author_link',
  'author_icon',
  'title',
  'title_link',
  'text',
  'image_url',
  'thumb_url',
  'footer',
  'footer_icon',
] as const;

/**
 * Props as they are stored: attachments get every field the server knows, and an action without an id gets one.
 * An attachments value that is not an array of objects is left as it is.
 */
export function propsForWriting(props: Props): Props {
  const list = props.attachments;
  if (!Array.isArray(list) || !list.every(isFields)) return { ...props };
  return { ...props, attachments: list.map(writtenAttachment) };
}

function writtenAttachment(given: Fields): Fields {
  const { actions } = given;
  const attachment: Fields = { id: typeof given.id === 'number' ? given.id : 0 };
  for (const name of TEXTS) attachment[name] = typeof given[name] === 'string' ? given[name] : '';
  attachment.fields = Array.isArray(given.fields) ? given.fields : null;
  attachment.ts = given.ts ?? null;
  if (Array.isArray(actions) && actions.length > 0) attachment.actions = actions.filter(isFields).map(writtenAction);
  return attachment;
}

function writtenAction(given: Fields): Fields {
  return { ...given, id: typeof given.id === 'string' && given.id !== '' ? given.id : newId() };
}

/** A copy of the post without what its buttons call: nobody ever reads that back, not even the author. */
export function postForReading(post: Post): Post {
  const list = post.props.attachments;
  if (!Array.isArray(list)) return post;
  const attachments = list.map((attachment) => {
    if (!isFields(attachment) || !Array.isArray(attachment.actions)) return attachment;
    return { ...attachment, actions: attachment.actions.map(withoutIntegration) };
  });
  return { ...post, props: { ...post.props, attachments } };
}

function withoutIntegration(action: unknown): unknown {
  if (!isFields(action)) return action;
  const { integration: _, ...rest } = action;
  return rest;
}

/** The action of that id, in whichever attachment of the post it is. */
export function findAction(post: Post, actionId: string): Fields | undefined {
  const list = post.props.attachments;
  if (!Array.isArray(list)) return undefined;
  for (const attachment of list) {
    if (!isFields(attachment) || !Array.isArray(attachment.actions)) continue;
    for (const action of attachment.actions) if (isFields(action) && action.id === actionId) return action;
  }
  return undefined;
}

/** What the action calls, or undefined when it calls nothing: then the button is dead. */
export function integrationOf(action: Fields): Integration | undefined {
  const { integration } = action;
  if (!isFields(integration) || typeof integration.url !== 'string' || integration.url === '') return undefined;
  return { url: integration.url, context: isFields(integration.context) ? integration.context : {} };
}

/** True if there are actions and none of them calls anything: a card that was read and written back. */
export function hasOnlyDeadActions(props: Props): boolean {
  const list = Array.isArray(props.attachments) ? props.attachments.filter(isFields) : [];
  const actions = list.flatMap((attachment) => (Array.isArray(attachment.actions) ? attachment.actions : []));
  return actions.length > 0 && actions.every((action) => !isFields(action) || integrationOf(action) === undefined);
}
