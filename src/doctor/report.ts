/** What a doctor finds: one line for each thing that was tried, with what to do about it where it failed. */
import { failureOf } from '../actors/index.ts';
import { isChatError } from '../adapters/mattermost/index.ts';
import { StartError } from '../start.ts';

export interface Finding {
  readonly check: string;
  /** `warning`: worth a look, and no reason to say that it does not work. */
  readonly level: 'ok' | 'warning' | 'failed';
  /** For a person; where something failed, with the next step. */
  readonly says: string;
}

export const ok = (check: string, says: string): Finding => ({ check, level: 'ok', says });
export const warning = (check: string, says: string): Finding => ({ check, level: 'warning', says });
export const failed = (check: string, says: string): Finding => ({ check, level: 'failed', says });

/** What came of an attempt; a failure in the words that its error has for people. */
export async function tried(check: string, work: () => Promise<string>): Promise<Finding> {
  try {
    return ok(check, await work());
  } catch (error) {
    return failed(check, wordsOf(error));
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof StartError) return error.message;
  return isChatError(error) ? (error.human ?? error.message) : failureOf(error).human;
}

/** Prints findings as they come, or all of them as one JSON object. @returns whether nothing failed */
export async function report(
  doctor: string,
  findings: AsyncIterable<Finding>,
  { json, print }: { readonly json: boolean; readonly print: (line: string) => void },
): Promise<boolean> {
  const all: Finding[] = [];
  for await (const finding of findings) {
    all.push(finding);
    if (!json) print(`${finding.level.padEnd(7)}  ${finding.check}: ${finding.says}`);
  }
  const works = all.every(({ level }) => level !== 'failed');
  if (json) print(JSON.stringify({ doctor, ok: works, findings: all }, null, 2));
  else print(works ? `The ${doctor} works.` : `The ${doctor} does not work yet.`);
  return works;
}
