/**
 * Names that reach git, paths and shells. Everything here is refused rather than repaired: a repaired name is a
 * different name, and the person should know.
 */
import { accept, type Parsed, quoteInput, refuse } from './commandError.ts';

const PART = /^[A-Za-z0-9_.-]+$/;
/** File names on the VM end at 255 bytes; room is left for suffixes. */
const MAX_PART = 100;
const MAX_BRANCH_BYTES = 200;

function partProblem(part: string): string | null {
  if (part === '') return 'it is empty';
  if (part.length > MAX_PART) return `it is longer than ${MAX_PART} characters`;
  if (!PART.test(part)) return 'only letters, digits, `_`, `.` and `-` are allowed';
  if (part.startsWith('.') || part.startsWith('-')) return 'it must not start with `.` or `-`';
  if (part.includes('..')) return 'it must not contain `..`';
  return null;
}

/** @param what `an organisation` or `a repository`: for the sentence. */
export function checkRepoPart(part: string, what: string): Parsed<string> {
  const problem = partProblem(part);
  if (problem === null) return accept(part);
  return refuse(
    `bad name of ${what}`,
    `${quoteInput(part)} cannot be the name of ${what}: ${problem}. Write it as on GitHub, for example \`acme/widgets\`.`,
  );
}

/** A worktree's name is also its branch's name, so git's rules for refs hold as well. */
export function checkWorktreeName(name: string): Parsed<string> {
  let problem = partProblem(name);
  if (problem === null && (name.endsWith('.') || name.toLowerCase().endsWith('.lock'))) {
    problem = 'it must not end with `.` or `.lock`';
  }
  if (problem === null) return accept(name);
  return refuse(
    'bad worktree name',
    `${quoteInput(name)} cannot be the name of a worktree: ${problem}. Try \`--worktree=my-feature\`, or \`--worktree\` alone for an automatic name.`,
  );
}

/** Why git would refuse the branch (git-check-ref-format(1), with `--branch`), or null. */
export function branchProblem(branch: string): string | null {
  if (branch === '') return 'it is empty';
  if (Buffer.byteLength(branch) > MAX_BRANCH_BYTES) return `it is longer than ${MAX_BRANCH_BYTES} bytes`;
  if (branch.startsWith('-')) return 'it must not start with `-`';
  if (branch === '@' || branch === 'HEAD') return 'git keeps that name for itself';
  if (branch.includes('@{')) return 'it must not contain `@{`';
  if (branch.includes('..')) return 'it must not contain `..`';
  if (/[\u0000-\u0020\u007f~^:?*[\\]/.test(branch)) {
    return 'spaces, control characters and the characters `~ ^ : ? * [ \\` are not allowed';
  }
  if (branch.startsWith('/') || branch.endsWith('/') || branch.includes('//')) {
    return 'a `/` must stand between two names';
  }
  if (branch.endsWith('.')) return 'it must not end with `.`';
  for (const component of branch.split('/')) {
    if (component.startsWith('.')) return 'no part of it may start with `.`';
    if (component.endsWith('.lock')) return 'no part of it may end with `.lock`';
  }
  return null;
}

export function checkBranch(branch: string): Parsed<string> {
  const problem = branchProblem(branch);
  if (problem === null) return accept(branch);
  return refuse(
    'bad branch name',
    `${quoteInput(branch)} cannot be a branch: ${problem}. Write \`org/repo@branch\`, or leave \`@branch\` out for the default branch.`,
  );
}

/** @param example how to write it */
export function checkModel(model: string, example: string): Parsed<string> {
  if (model.length <= 100 && /^[A-Za-z0-9][A-Za-z0-9._:/[\]-]*$/.test(model)) return accept(model);
  return refuse('bad model name', `${quoteInput(model)} cannot be a model's name. Write for example \`${example}\`.`);
}
