/** How a turn ended, in words a person can act on, and what it took. */
import type { TurnEndedBody } from '../transcript.ts';
import { bar, count, dollars, duration, percent, plainWords } from './lines.ts';

/**
 * @param trigger what commands start with. Bounded: at most about 900 code points.
 * @param todos how much of the list is done; empty: there is none
 */
export function endingText(ended: TurnEndedBody, trigger: string, todos = ''): string {
  const cause = causeText(ended, trigger);
  const figures = [figuresText(ended), todos].filter((part) => part !== '').join(' · ');
  return [cause, figures === '' ? '' : `_${figures}_`].filter((line) => line !== '').join('\n');
}

function causeText(ended: TurnEndedBody, trigger: string): string {
  switch (ended.outcome) {
    case 'TURN_OUTCOME_INTERRUPTED':
      return '⏹️ **Interrupted.** What was done stays done. Write to go on.';
    case 'TURN_OUTCOME_FAILED':
      return failureText(ended, trigger);
    case 'TURN_OUTCOME_LOST':
      if (ended.takenDown) {
        return `⏹️ **The workspace was taken down in the middle of this turn.** What was done stays done; nothing is repeated by itself. \`${trigger} resume\` goes on; then send your message again.`;
      }
      return `❌ **The agent's process ended in the middle of this turn.**${reason(ended)} What was done stays done; nothing is repeated by itself. Send your message again to go on, or \`${trigger} restart\` first.`;
    default:
      return '';
  }
}

function failureText(ended: TurnEndedBody, trigger: string): string {
  return `❌ **The turn failed.**${reason(ended)} ${nextStep(`${ended.errorCode ?? ''} ${ended.error ?? ''}`, trigger)}`;
}

function reason({ error = '', errorCode = '' }: TurnEndedBody): string {
  const words = error === '' ? errorCode : error;
  if (words === '') return '';
  const shown = plainWords(words, 400);
  return ` ${shown}${/[.!?…]$/.test(shown) ? '' : '.'}`;
}

/** What helps, by the first sign that fits. */
const REMEDIES: readonly { readonly sign: RegExp; readonly step: (trigger: string) => string }[] = [
  {
    sign: /too.?long|context.{0,20}(limit|window|full)|prompt_too_long|blocking_limit/i,
    step: (trigger) => `Write \`${trigger} compact\` or \`${trigger} clear\`, then send your message again.`,
  },
  {
    sign: /authentication|unauthori[sz]ed|oauth|api.?key|\b401\b|\b403\b|permission_error/i,
    step: () => "An operator has to check the agent's credentials. Then send your message again.",
  },
  {
    sign: /billing|credit|payment|quota/i,
    step: () => "An operator has to check the account's balance. Then send your message again.",
  },
  {
    sign: /rate.?limit|overloaded|\b429\b|\b529\b|usage limit/i,
    step: () => 'The model service is busy or a limit is reached. Wait a while, then send your message again.',
  },
  { sign: /max_turns|model calls/i, step: () => 'Write "go on" to let it continue.' },
  { sign: /max_output_tokens|max_tokens/i, step: () => 'Write "go on", or ask for a shorter answer.' },
  { sign: /refus/i, step: () => 'Put the request in other words.' },
  {
    sign: /model.{0,20}(not.?found|not exist)|not_found|model_not_found|\b404\b/i,
    step: (trigger) => `Start a session with another model: \`${trigger} start org/repo --model=name\`.`,
  },
];

function nextStep(signs: string, trigger: string): string {
  const found = REMEDIES.find(({ sign }) => sign.test(signs));
  return (
    found?.step(trigger) ??
    `Send your message again; if it fails again, \`${trigger} restart\` gives you a fresh agent process.`
  );
}

/** `12 s · 2.9k tokens in, 300 out · $0.04 · context 12% ▰▱▱▱▱▱▱▱` */
export function figuresText(ended: TurnEndedBody): string {
  const parts: string[] = [];
  if (ended.durationMs !== undefined && ended.durationMs > 0) parts.push(duration(ended.durationMs));
  const { usage } = ended;
  if (usage !== undefined) {
    const read = (usage.inputTokens ?? 0) + (usage.cacheReadTokens ?? 0) + (usage.cacheWriteTokens ?? 0);
    const written = usage.outputTokens ?? 0;
    if (read + written > 0) parts.push(`${count(read)} tokens in, ${count(written)} out`);
  }
  if (ended.costUsd !== undefined && ended.costUsd > 0) parts.push(dollars(ended.costUsd));
  if ((ended.contextTokens ?? 0) > 0 && (ended.contextWindow ?? 0) > 0) {
    const { contextTokens = 0, contextWindow = 0 } = ended;
    // On a narrow screen the bar does not stand alone in a line.
    parts.push(`context ${percent(contextTokens, contextWindow)}\u00a0${bar(contextTokens, contextWindow)}`);
  }
  return parts.join(' · ');
}
