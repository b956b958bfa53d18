/** The connection to the chat server, and places on the disk. */
import type { Mutant } from './mutant.ts';

const SOCKET = { test: 'tests/adapters/mattermost/socket.test.ts', file: 'src/adapters/mattermost/socket.ts' } as const;
const LOCAL = { of: 'RT-50', test: 'tests/adapters/local/checkout.test.ts' } as const;
const PLACES = { ...LOCAL, name: 'never share a place', file: 'src/adapters/local/paths.ts' } as const;
const REMOVED = { ...LOCAL, name: 'gone at once', file: 'src/adapters/local/checkout.ts' } as const;
const ON_VM = { of: 'RT-50', test: 'tests/adapters/git/checkout.test.ts', file: 'src/adapters/git/paths.ts' } as const;

export const ADAPTERS: readonly Mutant[] = [
  {
    ...SOCKET,
    of: 'RT-1',
    wrong: 'pings are sent, and nobody minds that they are not answered',
    file: 'src/adapters/mattermost/connection.ts',
    find: "cancelDeadline ??= clock.after(options.pingDeadlineMs, () => end('the server fell silent'));",
    replace: '',
  },
  {
    ...SOCKET,
    of: 'RT-1',
    wrong: 'a silent connection is closed and not made again',
    file: 'src/adapters/mattermost/connection.ts',
    find: "() => end('the server fell silent')",
    replace: '() => close()',
  },
  {
    ...SOCKET,
    of: 'RT-1',
    wrong: 'two minutes pass between two pings',
    find: 'pingEveryMs ?? 25_000',
    replace: 'pingEveryMs ?? 120_000',
  },
  {
    ...SOCKET,
    of: 'RT-1',
    wrong: 'the answer to a ping may take a minute',
    find: 'pingDeadlineMs ?? 10_000',
    replace: 'pingDeadlineMs ?? 60_000',
  },
  {
    ...SOCKET,
    of: 'RT-4',
    wrong: 'a wrong token looks like a network fault',
    find: "isChatError(error, 'CHAT_TOKEN')",
    replace: 'false',
  },
  {
    ...SOCKET,
    of: 'RT-4',
    wrong: 'a wrong token is tried again after the shortest pause for ever',
    find: 'fullJitter(failures, backoff, random)',
    replace: 'fullJitter(0, backoff, random)',
  },
  {
    ...SOCKET,
    of: 'RT-4',
    wrong: 'every refusal counts as the first',
    find: 'since: state.name === name ? state.since : clock.now()',
    replace: 'since: clock.now()',
  },
  {
    ...SOCKET,
    of: 'RT-4',
    wrong: 'a wrong token is never tried again',
    find: 'cancelRetry = clock.after(delayMs, connect);',
    replace: 'if (!unauthorised) cancelRetry = clock.after(delayMs, connect);',
  },
  {
    ...PLACES,
    wrong: 'two sources of one name share a folder',
    find: "repo.split('/').map(slug), shortHash(source)",
    replace: "repo.split('/').map(slug)",
  },
  {
    ...PLACES,
    wrong: 'repositories of one name in different organisations share a folder',
    find: "repo.split('/').map(slug)",
    replace: "repo.split('/').slice(-1).map(slug)",
  },
  {
    ...PLACES,
    wrong: 'names that look alike as folders share one',
    find: `return slug(name) === name ? name : \`\${slug(name)}-\${shortHash(name)}\`;`,
    replace: 'return slug(name);',
  },
  {
    ...PLACES,
    wrong: 'worktrees of one name share a place, whatever their repository',
    find: "'worktrees', repoFolder(repo), unique(name)",
    replace: "'worktrees', unique(name)",
  },
  {
    ...REMOVED,
    wrong: 'a worktree is deleted where it stands',
    find: 'await aside(path, (part) => rename(path, part));',
    replace: 'await rm(path, { recursive: true, force: true });',
  },
  {
    ...REMOVED,
    wrong: 'what a dying process left is not swept up by another one',
    find: 'for (const name of await readdir(parts)) {',
    replace: 'for (const name of (await readdir(parts)).filter((each) => each === basename(part))) {',
  },
  {
    ...REMOVED,
    wrong: 'whatever lies there is swept up, however new it is',
    find: 'ABANDONED_MS = 2 * 60 * 60 * 1000',
    replace: 'ABANDONED_MS = 0',
  },
  {
    ...ON_VM,
    wrong: 'branches that look alike as folders share one',
    find: `return \`\${readable}+\${shortHash(branch)}\`;`,
    replace: 'return readable;',
  },
  {
    ...ON_VM,
    wrong: 'the slashes of a branch lead to other folders',
    find: "branch.replace(/[^A-Za-z0-9_.-]+/g, '-').slice(0, 80)",
    replace: "branch.replace(/[^A-Za-z0-9_./-]+/g, '-').slice(0, 80)",
  },
  {
    ...ON_VM,
    wrong: 'repositories of one name in different organisations share a folder',
    find: `hostFolder(folders), repo.org, \`\${repo.name}\${branch}\``,
    replace: `hostFolder(folders), \`\${repo.name}\${branch}\``,
  },
  {
    ...ON_VM,
    wrong: 'worktrees of one name share a place, whatever their repository',
    find: 'folders.worktreesPath, repo.org, repo.name, name',
    replace: 'folders.worktreesPath, name',
  },
  {
    ...ON_VM,
    wrong: 'checkouts of different repositories are made in one place',
    find: `shortHash(\`\${stem}\\n\${key}\`)`,
    replace: 'shortHash(key)',
  },
];
