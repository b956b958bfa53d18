import { accept, type Parsed, refuse } from './commandError.ts';
import type { CommandInput, CommandRoute } from './commandSpec.ts';
import { checkModel, checkWorktreeName } from './names.ts';
import { parseRepoRef } from './repoRef.ts';
import { splitWords, switchOn, type Words } from './words.ts';

const FLAGS = ['worktree', 'plan', 'review', 'model'];

/** `start org/repo[@branch] [--worktree[=name]] [--plan] [--review] [--model=m]` */
export function parseStart(input: CommandInput): Parsed<CommandRoute> {
  const { trigger } = input.settings;
  const words = splitWords(input.rest, FLAGS);
  if (!words.ok) return words;
  const [target, ...more] = words.value.positional;
  if (target === undefined) {
    return refuse('no repository', `Which repository? Write \`${trigger} start org/repo\`.`);
  }
  if (more.length > 0) {
    return refuse(
      'more than one positional argument',
      `\`start\` takes one repository and options (\`--worktree=name\`, with \`=\`). Start with \`${trigger} start org/repo\`, then write the task in the thread, without \`${trigger}\`.`,
    );
  }
  const repo = parseRepoRef(target, input.settings);
  if (!repo.ok) return repo;
  const plan = switchOn(words.value, 'plan');
  if (!plan.ok) return plan;
  const review = switchOn(words.value, 'review');
  if (!review.ok) return review;
  const worktree = worktreeOf(words.value, review.value);
  if (!worktree.ok) return worktree;
  const model = modelOf(words.value);
  if (!model.ok) return model;
  return accept({
    to: 'gateway',
    command: {
      type: 'COMMAND.START',
      repo: repo.value,
      worktree: worktree.value,
      plan: plan.value,
      review: review.value,
      model: model.value,
      text: input.text,
    },
  });
}

/** A reviewer always has a checkout of its own. */
function worktreeOf(words: Words, review: boolean): Parsed<string | null> {
  const name = words.flags.get('worktree');
  if (name === undefined) return accept(review ? '' : null);
  if (name === null) return accept('');
  return checkWorktreeName(name);
}

function modelOf(words: Words): Parsed<string> {
  const model = words.flags.get('model');
  if (model === undefined) return accept('');
  return checkModel(model ?? '', '--model=sonnet');
}
