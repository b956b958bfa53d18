/**
 * `${...}` in devcontainer.json, as the devcontainer CLI (0.89) substitutes it: in values only, with the shortest match up
 * to `}`, parts separated by `:`. `env` and `localEnv` read the environment of the process that runs the CLI on the VM.
 */
import { everyText } from './shape.ts';
import { type DevcontainerRules, type Findings, quoted } from './verdict.ts';

const VARIABLE = /\$\{(.*?)\}/g;

/** Refuses every variable of the VM that is not on the list, wherever it stands. */
export function vetVariables(value: unknown, path: string, rules: DevcontainerRules, found: Findings): void {
  for (const { path: at, text } of everyText(value, path)) {
    for (const [whole, inner = ''] of text.matchAll(VARIABLE)) {
      const [kind = '', name = '', ...rest] = inner.split(':');
      if (kind === 'localHomeFolder') {
        found.refuse(at, 'localEnv', `reads the home folder of the VM's user (${quoted(whole)})`);
      } else if (kind === 'localEnv' || kind === 'env') {
        vetLocalEnv({ at, whole, name, byDefault: rest.join(':') }, rules, found);
      }
    }
  }
}

function vetLocalEnv(
  { at, whole, name, byDefault }: { at: string; whole: string; name: string; byDefault: string },
  rules: DevcontainerRules,
  found: Findings,
): void {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    found.refuse(at, 'unreadable', `reads a variable of the VM without a proper name (${quoted(whole)})`);
  } else if (/[${}]/.test(byDefault)) {
    // A default that completes another variable would be read in a later round of substitution.
    found.refuse(at, 'unreadable', `has a default that may become another variable (${quoted(whole)})`);
  } else {
    vetHostVariable(name, at, rules, found);
  }
}

/** A variable of the VM by its name. */
export function vetHostVariable(name: string, at: string, rules: DevcontainerRules, found: Findings): void {
  if (rules.allowedLocalEnv.includes(name)) return;
  const list = [...rules.allowedLocalEnv, name].join(',');
  found.refuse(at, 'localEnv', `reads the variable ${quoted(name)} of the VM`, `SM_ALLOWED_LOCAL_ENV=${list}`);
}

/**
 * The text with the checkout's folder put in.
 * @param inContainer also take what the repository itself decides about the inside of its container; never for a place of
 *   the VM, which such a value could lead elsewhere
 * @returns undefined if its value is known only when it runs
 */
export function expand(text: string, folder: string, { inContainer }: { inContainer: boolean }): string | undefined {
  const basename = folder.split('/').at(-1) ?? '';
  let known = true;
  const expanded = text.replace(VARIABLE, (_whole, inner: string) => {
    const [kind = ''] = inner.split(':');
    if (kind === 'localWorkspaceFolder') return folder;
    if (kind === 'localWorkspaceFolderBasename') return basename;
    if (kind === 'devcontainerId') return kind;
    if (inContainer && kind.startsWith('containerWorkspaceFolder')) return kind;
    known = false;
    return '';
  });
  return known && !expanded.includes('$') ? expanded : undefined;
}
