/** What an agent may do without asking. */
export interface ToolPolicy {
  readonly otherwise: 'allow' | 'ask' | 'deny';
  readonly allow: readonly string[];
  readonly ask: readonly string[];
  readonly deny: readonly string[];
}

/** Tools that change files. A reviewer has none of them. */
const WRITING_TOOLS = ['Write', 'Edit', 'NotebookEdit'];

/** What a reviewer may run: commands that look and do not touch. */
const LOOKING_COMMANDS = [
  'git diff*',
  'git log*',
  'git show*',
  'git status*',
  'git blame*',
  'ls*',
  'cat *',
  'grep *',
  'wc *',
];

/**
 * @param mode `ask`: everything that may change something waits for a person; `allow`: nothing does
 * @param review a reviewer reads: writing is refused, and so is every command that is not known to look only
 */
export function toolPolicy({ mode, review }: { mode: 'ask' | 'allow'; review: boolean }): ToolPolicy {
  if (review) {
    return {
      otherwise: 'ask',
      allow: LOOKING_COMMANDS.map((command) => `Bash(${command})`),
      ask: [],
      deny: WRITING_TOOLS,
    };
  }
  return { otherwise: mode, allow: [], ask: [], deny: [] };
}
