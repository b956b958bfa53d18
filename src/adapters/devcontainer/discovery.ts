/** Which devcontainer.json of a checkout is meant, and what it says. */
import { posix } from 'node:path';
import { TerminalError } from '../../actors/index.ts';
import type { JsonObject } from '../../machines/json.ts';
import { readInside } from './checkoutFiles.ts';
import { parseConfigText } from './jsonc.ts';
import type { Shell } from './shell.ts';

export interface FoundConfig {
  /** Absolute; where it stands, or would stand by default. */
  readonly file: string;
  /** Whether it is the repository's. */
  readonly own: boolean;
  readonly config: JsonObject;
}

/** Regular files only; separated by NUL, which no name contains. */
const FIND = `
cd -- "$1" || exit 66
printf '%s\\0' "$(pwd -P)"
for file in .devcontainer/devcontainer.json .devcontainer.json .devcontainer/*/devcontainer.json; do
  if [ -f "$file" ]; then printf '%s\\0' "$file"; fi
done
`;

/**
 * The order of the specification: `.devcontainer/devcontainer.json`, `.devcontainer.json`, then one folder below
 * `.devcontainer`. If there are several of those, one must be chosen.
 * @param choice the folder's name; empty if nobody chose
 * @param fallback what to use if there is none
 * @throws TerminalError DEVCONTAINER_CHOICE, DEVCONTAINER_SYNTAX, DEVCONTAINER_OUTSIDE, CHECKOUT_MISSING
 */
export async function findConfig(
  shell: Shell,
  { checkout, choice, fallback }: { readonly checkout: string; readonly choice: string; readonly fallback: JsonObject },
  signal?: AbortSignal,
): Promise<FoundConfig> {
  const { code, stdout } = await shell.exec({ script: FIND, args: [checkout] }, { signal });
  const [root = '', ...found] = stdout.split('\0');
  if (code !== 0 || root !== checkout) {
    throw new TerminalError('CHECKOUT_MISSING', `${checkout} is not a folder of its own (code ${code}, is ${root})`, {
      human: 'The checkout is not where it should be on the VM. Stop the container and start again.',
    });
  }
  const name = chooseConfig(found.slice(0, -1), choice);
  if (name === undefined) {
    return { file: `${checkout}/.devcontainer/devcontainer.json`, own: false, config: fallback };
  }
  const file = posix.join(checkout, name);
  const content = await readInside(shell, checkout, file, signal);
  if (content === undefined) {
    throw new TerminalError('DEVCONTAINER_OUTSIDE', `${name} leads out of ${checkout}`, {
      human: `\`${name}\` is a link that leads out of the repository. Put the file itself there.`,
    });
  }
  return { file, own: true, config: parseConfigText(content, name) };
}

/** @param found the files that are there, relative to the checkout. @returns undefined if there is none */
export function chooseConfig(found: readonly string[], choice: string): string | undefined {
  const folders = found.filter((file) => /^\.devcontainer\/[^/]+\/devcontainer\.json$/.test(file));
  const names = folders.map((file) => file.split('/')[1] ?? '');
  if (choice !== '') {
    const chosen = folders[names.indexOf(choice)];
    if (chosen !== undefined) return chosen;
    throw choiceError(`There is no devcontainer configuration called "${choice}".`, names);
  }
  const usual = ['.devcontainer/devcontainer.json', '.devcontainer.json'].find((file) => found.includes(file));
  if (usual !== undefined || folders.length <= 1) return usual ?? folders[0];
  throw choiceError('This repository has several devcontainer configurations, and none is the usual one.', names);
}

function choiceError(problem: string, names: readonly string[]): TerminalError {
  const list = names.length === 0 ? 'There is none to choose from.' : `There are: ${[...names].sort().join(', ')}.`;
  return new TerminalError('DEVCONTAINER_CHOICE', `${problem} ${list}`, {
    human: `${problem} ${list} Put the one for sessions at \`.devcontainer/devcontainer.json\`.`,
  });
}

/** For a repository without a devcontainer.json. */
export function defaultConfig({ image, network }: { readonly image: string; readonly network: string }): JsonObject {
  return { image, runArgs: [`--network=${network}`] };
}
