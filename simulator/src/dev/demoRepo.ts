/** A small real repository to start sessions on, with an upstream to clone from and to push to. */
import { execFile } from 'node:child_process';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { DevError } from './errors.ts';

const run = promisify(execFile);

export interface DemoRepo {
  /** A checkout of `main`, whose `origin` is the upstream. */
  readonly path: string;
  /** Bare; what to clone. */
  readonly upstream: string;
  readonly branch: string;
}

const FILES: Readonly<Record<string, string>> = {
  'README.md': `# Demo

A repository to try things on. \`./greet.sh NAME\` says hello.
`,
  'greet.sh': `#!/bin/sh
# Says hello to the first argument, or to everybody.
echo "Hello, \${1:-world}!"
`,
  'CLAUDE.md': `# For the agent

- The only program is \`greet.sh\`, for a POSIX shell. There is no build.
- Check it with: \`sh -n greet.sh && ./greet.sh test\`
- Keep answers short.
`,
  '.claude/agents/reviewer.md': `---
name: reviewer
description: Reads a change and names what is wrong with it. Use after editing files.
tools: Read, Grep, Glob
---
You review changes of a small shell project. Name bugs first, then unclear places, each with file and line. Change nothing.
`,
};

/** Makes both if they are not there; what is there is left as it is. Incomplete leftovers are never taken for it. */
export async function createDemoRepo(options: { readonly path: string }): Promise<DemoRepo> {
  const target = path.resolve(options.path);
  const upstream = `${target}.git`;
  const part = `${target}.part-${process.pid}`;
  try {
    await mkdir(path.dirname(target), { recursive: true });
    if (!(await exists(upstream))) {
      await rm(part, { recursive: true, force: true });
      await fill(part);
      await git(part, 'clone', '--quiet', '--bare', part, `${part}.git`);
      await git(part, '-C', `${part}.git`, 'remote', 'remove', 'origin');
      await rename(`${part}.git`, upstream);
    }
    if (!(await exists(target))) {
      await rm(part, { recursive: true, force: true });
      await git(path.dirname(target), 'clone', '--quiet', upstream, part);
      await rename(part, target);
    }
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    const next = /ENOENT.*git|spawn git/.test(said)
      ? 'Install git.'
      : `Remove ${target} and ${upstream}, then start again.`;
    throw new DevError('DEMO_REPO_FAILED', `The demo repository could not be made: ${said}`, next, cause);
  } finally {
    await rm(part, { recursive: true, force: true });
    await rm(`${part}.git`, { recursive: true, force: true });
  }
  return { path: target, upstream, branch: 'main' };
}

async function fill(folder: string): Promise<void> {
  await mkdir(folder);
  await git(folder, 'init', '--quiet', '--initial-branch=main');
  for (const [name, text] of Object.entries(FILES)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text, { mode: name.endsWith('.sh') ? 0o755 : 0o644 });
  }
  await git(folder, 'add', '--all');
  await git(folder, 'commit', '--quiet', '--message', 'Say hello');
}

/** Without the person's own configuration: hooks, signing and templates of theirs have no business here. */
async function git(cwd: string, ...args: string[]): Promise<void> {
  const { PATH = '/usr/bin:/bin' } = process.env;
  const who = { NAME: 'Demo', EMAIL: 'demo@example.invalid', DATE: '2026-01-01T00:00:00Z' };
  const env = {
    PATH,
    HOME: cwd,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    ...Object.fromEntries(Object.entries(who).map(([key, value]) => [`GIT_AUTHOR_${key}`, value])),
    ...Object.fromEntries(Object.entries(who).map(([key, value]) => [`GIT_COMMITTER_${key}`, value])),
  };
  await run('git', args, { cwd, env });
}

async function exists(file: string): Promise<boolean> {
  return await stat(file).then(
    () => true,
    () => false,
  );
}
