/** The file with the operator's rules about tools. */
import { readFileSync } from 'node:fs';
import type { Config } from './config.ts';
import { NO_RULES, readToolRules, type ToolRules } from './policy/toolRules.ts';
import { StartError } from './start.ts';

/** @throws StartError if the file cannot be read or is faulty: rules that were meant to hold must not be missing silently */
export function toolRulesOf({ sessions: { toolPolicyFile } }: Config): ToolRules {
  if (toolPolicyFile === null) return NO_RULES;
  let text: string;
  try {
    text = readFileSync(toolPolicyFile, 'utf8');
  } catch (cause) {
    throw new StartError('The file that SM_TOOL_POLICY_FILE names cannot be read.', { mayPass: false, cause });
  }
  const read = readToolRules(text);
  if (read.ok) return read.rules;
  throw new StartError(`The tool policy is faulty: ${read.problems.join('; ')}`, { mayPass: false });
}
