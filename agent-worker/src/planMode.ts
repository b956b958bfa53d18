// What plan mode forbids. The CLI's own plan mode stops a Write only through the permission question; here it is the
// rule itself: reading, asking, and writing the plan file.
import { lstatSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type JsonRecord, text } from './mapping/json.ts';
import { OWN_TOOLS, READ_ONLY_TOOLS, type Ruling } from './policy.ts';

const PLANNING_TOOLS: ReadonlySet<string> = new Set(['Agent', 'EnterPlanMode', 'Skill', 'Task', 'TaskStop']);

/**
 * A ruling if plan mode has one; undefined leaves the tool to the policy.
 * @param plansDir where Claude Code keeps plan files, absolute
 */
export function planModeRuling(plansDir: string, cwd: string, tool: string, input: JsonRecord): Ruling | undefined {
  if (OWN_TOOLS.has(tool) || READ_ONLY_TOOLS.has(tool) || PLANNING_TOOLS.has(tool)) return undefined;
  if ((tool === 'Write' || tool === 'Edit') && isPlanFile(plansDir, resolve(cwd, text(input.file_path)))) {
    return { verdict: 'allow', reason: 'the plan file' };
  }
  return {
    verdict: 'deny',
    reason:
      'Plan mode is on: only reading is possible. Write your plan into the plan file and call ExitPlanMode to have it approved.',
  };
}

/** Directly in the plans folder, really (no symbolic link leads elsewhere). */
function isPlanFile(plansDir: string, path: string): boolean {
  if (!path.endsWith('.md')) return false;
  try {
    const folder = realpathSync(plansDir);
    if (realpathSync(dirname(path)) !== folder) return false;
    return !lstatSync(join(folder, basename(path)), { throwIfNoEntry: false })?.isSymbolicLink();
  } catch {
    // The folder does not exist yet: Claude Code makes it with the first plan.
    return dirname(path) === plansDir;
  }
}
