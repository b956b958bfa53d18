/** What may come in from outside: checked, cleaned, or refused with a reason. */
import { kindOf } from '../machines/addresses.ts';
import { TerminalError } from './errors.ts';
import { cleanJson, cleanText } from './text.ts';
import type { InboxItem, OutputBatch } from './types.ts';

const ADDRESS = /^(?:gateway|container|session|approval)\/./;

/** @throws TerminalError `event.refused` */
export function checkItem(item: InboxItem): InboxItem {
  const { to, event, dedupKey, cause } = item;
  if (!ADDRESS.test(to)) throw refused(`"${to}" is no address`);
  if (dedupKey === '') throw refused('an event needs a dedup key');
  if (typeof event.type !== 'string' || event.type === '') throw refused('an event needs a type');
  if (event.type.startsWith('xstate.') || event.type.startsWith('runtime.')) {
    throw refused(`events of type "${event.type}" are made by the runtime only`);
  }
  if (!Number.isFinite(event.at)) throw refused(`"${event.type}" for a ${kindOf(to)} does not say when`);
  return {
    to: cleanText(to) as InboxItem['to'],
    event: cleanJson(event),
    dedupKey: cleanText(dedupKey),
    ...(cause === undefined ? {} : { cause: cleanText(cause) }),
  };
}

export function checkOutputs(batch: OutputBatch): OutputBatch {
  if (batch.logId === 'notes' || batch.logId.startsWith('notes:')) throw refused(`"${batch.logId}" is no worker log`);
  return { ...batch, rows: cleanJson(batch.rows), events: batch.events.map(checkItem) };
}

function refused(message: string): TerminalError {
  return new TerminalError('event.refused', message);
}
