// What agents' environments begin with. In a container it comes in by stdin, apart from the worker's own: the worker runs
// as root, and what an image or a repository puts into the environment (NODE_OPTIONS, LD_PRELOAD, PATH) must not reach it.
import { readFileSync } from 'node:fs';

/**
 * Reads lines of base64, each an environment as Linux keeps it (`NAME=value`, ended by NUL). Later lines win.
 * Throws if it is anything else.
 */
export function parseAgentEnv(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const line of text.split('\n')) {
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(line)) throw new Error('the agent environment is not base64');
    for (const entry of Buffer.from(line, 'base64').toString('utf8').split('\0')) {
      if (entry === '') continue;
      const at = entry.indexOf('=');
      if (at < 1) throw new Error('the agent environment has an entry without a name');
      found[entry.slice(0, at)] = entry.slice(at + 1);
    }
  }
  return found;
}

/** Reads stdin to its end. */
export function readAgentEnv(): Record<string, string> {
  return parseAgentEnv(readFileSync(0, 'utf8'));
}
