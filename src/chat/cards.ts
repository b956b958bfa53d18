/**
 * Cards of approvals. What an agent wrote stands inside fences and quotes that it cannot leave, whole, so that nobody
 * approves what they were not shown.
 */
import type { ApprovalContext, Verdict } from '../machines/approval/context.ts';
import type { GrantScope } from '../machines/effects.ts';
import { assertNever, type Json, type JsonObject } from '../machines/json.ts';
import type { Person } from '../machines/session/context.ts';
import { escapeMarkdown } from './escape.ts';
import { isLongPlan, planOf } from './plan.ts';
import { firstQuestion, questionsOf } from './questions.ts';
import { fenced } from './render/fences.ts';
import { clip, clockTime, codeSpan, duration, plainWords as inOneLine, oneLine } from './render/lines.ts';
import { visible } from './visible.ts';

export interface Card {
  readonly message: string;
  readonly props: { readonly attachments: readonly Json[] };
}

interface Button {
  /** Letters and digits only: the server routes clicks by it. */
  readonly id: string;
  readonly name: string;
  readonly style: 'good' | 'danger' | 'default';
}

/** Code points of an attachment's text that are certain to fit with everything around them. */
const MAX_TEXT = 14_000;

/** What cards say about the place they are shown in. */
export interface CardWorld {
  /** What an approval opens, and for whom, as the firewall can hold it. */
  readonly reach: string;
  /** Where clicks go. */
  readonly url: string;
}

/** @param sign makes the context of a button, bound to this card */
export function renderCard(
  context: ApprovalContext,
  state: string,
  sign: (action: string) => JsonObject,
  { reach, url }: CardWorld,
): Card {
  const open =
    state === 'new' || state === 'posting' || state === 'unposted' || state === 'pending' || state === 'failed';
  const title = titleOf(context);
  const buttons = open ? buttonsOf(context) : isClosable(context, state) ? [CLOSE_BUTTON] : [];
  const actions = buttons.map((button) => wireButton(button, sign, url));
  const outcome = open ? '' : outcomeText(context, state);
  const attachment = {
    fallback: title,
    color: colourOf(context, open),
    title,
    text: [
      bodyOf(context, reach),
      failureText(context, state),
      open ? agreedText(context) : '',
      open ? waysOf(context) : outcome,
    ]
      .filter((part) => part !== '')
      .join('\n\n'),
    actions,
  };
  return { message: '', props: { attachments: [attachment] } };
}

/** What a button means; undefined for an action that this card does not have. */
export function verdictOf(context: ApprovalContext, action: string, by: Person, at: number): Verdict | undefined {
  if (!buttonsOf(context).some(({ id }) => id === action)) return undefined;
  const base = { by, at, words: '', answers: {} };
  if (action === 'deny') return { ...base, outcome: 'denied', words: denialWords(context) };
  const scope = scopeOf(action);
  if (scope !== undefined) return { ...base, outcome: 'approved', scope };
  if (action === 'approve') return { ...base, outcome: 'approved' };
  const question = firstQuestion(context.inputJson);
  const option = question?.options[Number(action.slice('answer'.length))];
  return question && option ? { ...base, outcome: 'approved', answers: { [question.text]: option.label } } : undefined;
}

/** Closes what was opened. The only button that a decided card has, and only while there is something to close. */
export const CLOSE = 'close';
const CLOSE_BUTTON: Button = { id: CLOSE, name: 'Close again', style: 'danger' };

/** @param state the outermost one */
export function isClosable({ opened, closed }: ApprovalContext, state: string): boolean {
  return opened && closed === '' && ['verifying', 'unreached', 'telling', 'active'].includes(state);
}

/** Words for the thread of a request that nobody has answered for a while. @param link to its card */
export function reminderText(context: ApprovalContext, now: number, link: string): string {
  const since = duration(now - context.askedAt);
  return `⏰ This still waits for an answer, for ${since} now: **${plainWords(titleOf(context), 200)}** ([card](${link}))`;
}

/** What a button that decides nothing says to who pressed it. */
export function adviceOf(context: ApprovalContext, action: string): string | undefined {
  if (context.kind !== 'plan' || action !== 'change') return undefined;
  return 'Write in the thread what to change, as a message of its own: Claude gets your words and goes on planning.';
}

/** The ways to answer besides the buttons; all of them count alike. */
function waysOf(context: ApprovalContext): string {
  switch (context.kind) {
    case 'question': {
      const questions = questionsOf(context.inputJson);
      const [only] = questions;
      if (questions.length > 1) {
        return '_Answer in the thread, each question on a line of its own, in their order; an option by its number or its words, or in words of your own. ❌ skips._';
      }
      const several = only?.several ? 'several options by their numbers (`1, 3`)' : 'an option by its number';
      return `_Or answer in the thread: ${several}, or in words of your own. A reaction counts as well: 1️⃣, 2️⃣, … or ❌ to skip._`;
    }
    case 'plan':
      return '_Or write in the thread what to change; `approve` or ✅ approves, `not yet` or ❌ keeps planning._';
    case 'tool':
      return '_Or write `approve`, `deny` or `deny: why` in the thread, or react with ✅ or ❌._';
    case 'network':
      return '_Or write `approve`, `approve for this repo`, `approve always`, `deny` or `deny: why` in the thread, or react with ✅, 📦 (this repository), ♾️ (always) or ❌._';
    default:
      return assertNever(context.kind);
  }
}

/** Only an admin may press it. */
export const FOR_GOOD = 'approvealways';

/** For every session of the repository, for some hours. */
export const FOR_REPO = 'approverepo';

/** Letters only, as button ids are. */
function scopeOf(action: string): GrantScope | undefined {
  return action === FOR_REPO ? 'repo' : action === FOR_GOOD ? 'always' : undefined;
}

function denialWords({ kind }: ApprovalContext): string {
  return kind === 'plan'
    ? 'Not yet: keep planning.'
    : kind === 'question'
      ? 'Nobody wants to answer this.'
      : 'A person said no.';
}

function buttonsOf(context: ApprovalContext): Button[] {
  switch (context.kind) {
    case 'question': {
      const questions = questionsOf(context.inputJson);
      const [only] = questions;
      const options = questions.length === 1 && only && !only.several ? only.options : [];
      const answers = options.map(
        ({ label }, index): Button => ({ id: `answer${index}`, name: label, style: 'default' }),
      );
      return [...answers, { id: 'deny', name: 'Skip', style: 'danger' }];
    }
    case 'plan':
      return [
        { id: 'approve', name: 'Approve', style: 'good' },
        { id: 'change', name: 'Change …', style: 'default' },
        { id: 'deny', name: 'Keep planning', style: 'danger' },
      ];
    case 'network':
      return [
        { id: 'approve', name: 'Approve for this session', style: 'good' },
        { id: FOR_REPO, name: `For this repository, ${hoursWords(context.grantMs)}`, style: 'default' },
        { id: FOR_GOOD, name: 'For everybody, always (admins)', style: 'default' },
        { id: 'deny', name: 'Deny', style: 'danger' },
      ];
    case 'tool':
      return [
        ...(isShownWhole(context.inputJson) ? [{ id: 'approve', name: 'Approve', style: 'good' } as const] : []),
        { id: 'deny', name: 'Deny', style: 'danger' },
      ];
    default:
      return assertNever(context.kind);
  }
}

function wireButton({ id, name, style }: Button, sign: (action: string) => JsonObject, url: string): JsonObject {
  return { id, name: clip(visible(oneLine(name)), 60), type: 'button', style, integration: { url, context: sign(id) } };
}

function titleOf({ kind, toolName, hosts }: ApprovalContext): string {
  switch (kind) {
    case 'question':
      return 'The agent asks';
    case 'plan':
      return 'The agent has a plan';
    case 'network':
      return `The agent asks for network access to ${hosts.length === 1 ? 'a host' : `${hosts.length} hosts`}`;
    case 'tool':
      return `The agent asks to use ${clip(visible(oneLine(toolName)), 60)}`;
    default:
      return assertNever(kind);
  }
}

function bodyOf(context: ApprovalContext, reach: string): string {
  switch (context.kind) {
    case 'question':
      return questionsOf(context.inputJson)
        .map(({ text, options, several }) => {
          const list = options.map(({ label, description }, index) =>
            `${index + 1}. **${plainWords(label)}** ${plainWords(description, 300)}`.trimEnd(),
          );
          return [plainWords(text, 2_000), ...list, ...(several ? ['_(several may be chosen)_'] : [])].join('\n');
        })
        .join('\n\n');
    case 'plan':
      return planBody(planOf(context.inputJson));
    case 'network':
      return [
        ...context.hosts.map((host) => `- ${codeSpan(host, 260)}`),
        ...context.warnings.map((warning) => `⚠️ ${plainWords(warning, 400)}`),
        `**Reason:** ${plainWords(stringField(context.inputJson, 'reason'), 2_000)}`,
        askedText(context),
        reach,
      ].join('\n');
    case 'tool':
      return argumentsOf(context.inputJson);
    default:
      return assertNever(context.kind);
  }
}

function askedText({ askedFor, askedBy = askedFor, repo }: ApprovalContext): string {
  const place = `a session of** ${plainWords(askedFor.name, 64)} **on** ${codeSpan(repo, 140)}`;
  if (askedBy.id === askedFor.id) return `**Asked in ${place}`;
  return `**Asked by** ${plainWords(askedBy.name, 64)} **in ${place}`;
}

/** The exact arguments, all of them: a command as it is, and whatever else the tool is given. */
function argumentsOf(inputJson: string): string {
  const shown = partsOf(inputJson).join('\n');
  const points = [...shown];
  if (points.length <= MAX_TEXT)
    return partsOf(inputJson)
      .map((part) => fenced(part))
      .join('\n');
  const rest = points.length - MAX_TEXT;
  return `${fenced(points.slice(0, MAX_TEXT).join(''))}\n\n⚠️ **${rest} more characters are not shown, so this cannot be approved. Deny, and ask for smaller steps.**`;
}

function partsOf(inputJson: string): string[] {
  const command = stringField(inputJson, 'command');
  if (command === '') return [visible(pretty(inputJson))];
  const { command: _shown, ...others } = JSON.parse(inputJson) as Record<string, unknown>;
  const rest = Object.keys(others).length === 0 ? [] : [visible(JSON.stringify(others, null, 2))];
  return [visible(command), ...rest];
}

/** Nobody approves what they were not shown. */
function isShownWhole(inputJson: string): boolean {
  return [...partsOf(inputJson).join('\n')].length <= MAX_TEXT;
}

/** Somebody's words inside a sentence of the card, with whatever hides in them. */
function plainWords(text: string, max?: number): string {
  return inOneLine(visible(text), max);
}

/** A long plan is shown whole in the thread, above its card. */
function planBody(plan: string): string {
  return isLongPlan(plan) ? 'The whole plan stands above.' : quoted(plan);
}

/** Every line of it begins with a quotation mark, so nothing in it can look like a line of the card. */
function quoted(text: string): string {
  return escapeMarkdown([...visible(text)].slice(0, MAX_TEXT).join('')).replace(/^/gm, '> ');
}

function failureText({ problem }: ApprovalContext, state: string): string {
  return state === 'failed' && problem !== ''
    ? `❌ It did not work: ${plainWords(problem, 300)} You can try again.`
    : '';
}

function outcomeText(context: ApprovalContext, state: string): string {
  const { verdict } = context;
  if (state === 'withdrawn' || !verdict) return `_Withdrawn. ${plainWords(context.problem, 200)}_`;
  if (verdict.outcome === 'expired') return '_Nobody answered in time; the agent was told so._';
  const who = `${plainWords(verdict.by.name, 64)}, ${clockTime(verdict.at)}`;
  const answers = Object.values(verdict.answers).filter((answer) => typeof answer === 'string');
  if (answers.length > 0) return `✅ Answered: **${plainWords(answers.join('; '), 300)}** (${who})`;
  if (context.kind === 'network' && verdict.outcome === 'approved') return openedText(context, state, who);
  if (verdict.outcome === 'approved') return `✅ Approved (${who})`;
  if (context.kind === 'plan' && verdict.words !== '' && verdict.words !== denialWords(context)) {
    return `✏️ To be changed (${who}): ${plainWords(verdict.words, 300)}`;
  }
  const why =
    verdict.words === '' || verdict.words === denialWords(context) ? '' : `: ${plainWords(verdict.words, 300)}`;
  return `⛔ ${REFUSALS[context.kind]} (${who})${why}`;
}

const REFUSALS = { question: 'Skipped', plan: 'Keep planning', tool: 'Denied', network: 'Denied' } as const;

function agreedText({ agreed, needed }: ApprovalContext): string {
  if (agreed.length === 0) return needed > 1 ? `_Needs the consent of ${needed} people._` : '';
  const who = agreed.map(
    ({ by, scope }) => `${plainWords(by.name, 64)}${scope === undefined ? '' : ` (${REACH[scope]})`}`,
  );
  return `👍 ${who.join(', ')}: agreed. Another person has to agree as well, to as much.`;
}

const REACH = { session: 'this session', repo: 'this repository', always: 'everybody' } as const;

/** "Approved" alone is what was decided; what has come of it is said as far as it was seen. */
function openedText(
  { verdict, opened, closed, closesAt, enforced, proven }: ApprovalContext,
  state: string,
  who: string,
): string {
  const reach = REACH[verdict?.scope ?? 'session'];
  const until = closesAt > 0 ? `, until ${clockTime(closesAt)}` : '';
  const decided = `✅ Approved for ${reach}${until} (${who})`;
  if (closed !== '') {
    // While the agent is being told, what was opened may be closed already.
    const isShut = state === 'closed' || (state === 'telling' && !opened);
    return `${decided}\n${isShut ? '🔒 Closed again.' : '⏳ Being closed.'} ${plainWords(closed, 120)}`;
  }
  if (state === 'applying') return `${decided}\n⏳ The firewall is being changed.`;
  if (state === 'verifying' || state === 'unreached')
    return `${decided}\n⏳ Applied; trying a connection from the container.`;
  if (!enforced) return `${decided}\nThere is no firewall here, so nothing had to be opened.`;
  if (proven) return `${decided}\nA connection from the container was seen to work.`;
  return `${decided}\n⚠️ Applied, but no connection from the container was seen to work yet. The agent was told to try, and to report it if it fails.`;
}

function hoursWords(ms: number): string {
  const hours = Math.round((ms / 3_600_000) * 10) / 10;
  return `${hours} ${hours === 1 ? 'hour' : 'hours'}`;
}

function colourOf({ verdict }: ApprovalContext, open: boolean): string {
  if (open) return 'warning';
  return verdict?.outcome === 'approved' ? 'good' : 'danger';
}

function stringField(inputJson: string, field: string): string {
  const input: unknown = JSON.parse(inputJson);
  if (typeof input !== 'object' || input === null || !(field in input)) return '';
  const value: unknown = Reflect.get(input, field);
  return typeof value === 'string' ? value : '';
}

function pretty(inputJson: string): string {
  return JSON.stringify(JSON.parse(inputJson), null, 2);
}
