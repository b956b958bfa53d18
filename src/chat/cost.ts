/** The answers to `cost`. Dollars are what the agent reports of its own calls. */
import { count, dollars } from './render/lines.ts';

export interface CostLine {
  readonly id: string;
  readonly repo: string;
  readonly owner: string;
  readonly turns: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number;
}

export function costText({ turns, inputTokens, outputTokens, costUsd }: CostLine): string {
  if (turns === 0) return 'This session has cost nothing yet: no turn has ended.';
  const each = turns > 1 ? ` (${dollars(costUsd / turns)} a turn)` : '';
  return `This session has cost **${dollars(costUsd)}** in ${turns === 1 ? 'one turn' : `${turns} turns`}${each}: ${count(inputTokens)} tokens in, ${count(outputTokens)} out.`;
}

const SHOWN = 20;

/** The dearest first. */
export function costsText(sessions: readonly CostLine[]): string {
  const spent = sessions.filter(({ turns }) => turns > 0).sort((a, b) => b.costUsd - a.costUsd);
  if (spent.length === 0) return 'No session has cost anything yet.';
  const total = spent.reduce((sum, { costUsd }) => sum + costUsd, 0);
  const rows = spent
    .slice(0, SHOWN)
    .map(
      ({ id, repo, owner, turns, costUsd }) =>
        `| \`${id.slice(0, 8)}\` | ${repo} | ${owner} | ${turns} | ${dollars(costUsd)} |`,
    );
  const rest = spent.length - SHOWN;
  return [
    `All sessions together have cost **${dollars(total)}**.`,
    '',
    '| Session | Repository | Started by | Turns | Cost |',
    '|:--|:--|:--|--:|--:|',
    ...rows,
    ...(rest > 0 ? ['', `… and ${rest} more sessions.`] : []),
  ].join('\n');
}
