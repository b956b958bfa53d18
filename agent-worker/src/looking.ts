// Which shell commands only look. Not a shell: a small part of its language is understood, and whatever lies outside of it
// counts as writing. So a new trick of the shell, or a new option of a program, is refused until somebody has added it.
import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** What a program may be given. */
interface Program {
  /** Options that write, run something, or may; everything that begins so is refused. */
  readonly not?: RegExp;
  /** Only this many words that are no options: a further one would be a file to write. */
  readonly words?: number;
  /** Only options that are listed here (programs with many that write). */
  readonly only?: RegExp;
}

/** Long options may be shortened, so `--o` stands for all that begin with it. */
const PROGRAMS: Readonly<Record<string, Program>> = {
  basename: {},
  cat: {},
  cd: { words: 1 },
  cmp: {},
  column: {},
  cut: {},
  date: { only: /^(-u|-I\w*|-R|\+.*)$/ },
  diff: {},
  dirname: {},
  du: {},
  echo: {},
  egrep: {},
  expr: {},
  false: {},
  fgrep: {},
  file: { not: /^-\w*C|^--c/ },
  find: { not: /^-(exec|execdir|ok|okdir|delete|fprint|fprint0|fprintf|fls)$/ },
  grep: {},
  head: {},
  jq: {},
  ls: {},
  md5sum: {},
  nl: {},
  pwd: {},
  readlink: {},
  realpath: {},
  rg: { not: /^--(pre|hostname|search-z)|^-[\w.]*z/ },
  sha256sum: {},
  sort: { not: /^-\w*[oT]|^--(o|c|t|files0)/ },
  stat: {},
  tac: {},
  tail: {},
  tr: {},
  tree: { not: /^-\w*[oR]|^--o/ },
  true: {},
  // A second file is written.
  uniq: { words: 1 },
  wc: {},
  which: {},
};

/** Options of git before its command would change where it looks and what it runs. */
const GIT: Readonly<Record<string, Program>> = {
  blame: {},
  'cat-file': { not: /^--(t|fi)/ },
  describe: {},
  diff: {},
  'diff-index': {},
  'diff-tree': {},
  'for-each-ref': {},
  grep: { not: /^(-\w*O|--op|--t)/ },
  log: {},
  'ls-files': {},
  'ls-tree': {},
  'merge-base': {},
  'name-rev': {},
  'rev-list': {},
  'rev-parse': {},
  shortlog: {},
  show: {},
  status: {},
};
/**
 * `--output` writes; `--ext-diff` and `--textconv` run programs that a repository names; looking at signatures runs gpg, which
 * makes itself a home.
 */
const GIT_NOT = /^--(ou|ext|textc|show-sig)|%[-+ ]?G|%\(signature/;

/** To nowhere, or into each other. A blank is what a shell takes for one: any other space is part of a file's name. */
const HARMLESS = /[ \t\n](?:[12]?>[ \t]?\/dev\/null|2>&1|&>[ \t]?\/dev\/null)(?=[ \t\n]|$|[;|&])/g;
/** Expansions, redirections, groups, escapes, background, comments, history: none of it is understood. */
const STRANGE = /[`$<>(){}\\!#~\u0000-\u0008\u000b-\u001f\u007f]/;

/**
 * @param command of the Bash tool
 * @param cwd where the shell is; absolute
 * @returns whether all of its parts are known to change nothing
 */
export function looksOnly(command: string, cwd: string): boolean {
  const bare = ` ${command}`.replace(HARMLESS, ' ').replace(/^[ \t\n]+|[ \t\n]+$/g, '');
  const parts = partsOf(bare);
  return parts !== undefined && parts.length > 0 && parts.every(isLooking) && isHonestGit(parts, cwd);
}

/**
 * A repository may hold a folder that git takes for a repository without a checkout, with settings that name programs to be
 * run. So git may only run where it finds a `.git` first, wherever the command may have gone by then.
 */
function isHonestGit(parts: readonly (readonly string[])[], cwd: string): boolean {
  let places = [cwd];
  for (const [program, ...words] of parts) {
    if (program === 'git' && !places.every(isHonestPlace)) return false;
    if (program !== 'cd') continue;
    const [folder = '-', ...more] = words;
    // Home, the folder before, options: where that leads is not known here.
    if (more.length > 0 || folder.startsWith('-')) places = [...places, NOWHERE];
    // It may fail, or run in a shell of its own.
    else places = [...places, ...places.filter((place) => place !== NOWHERE).map((place) => resolve(place, folder))];
  }
  return true;
}

/** A place that nobody knows. */
const NOWHERE = '';

/** As git looks for its repository: upwards, in each folder for `.git` before the folder itself. */
function isHonestPlace(place: string): boolean {
  let folder = place === NOWHERE ? undefined : followed(place);
  if (folder === undefined) return false;
  for (;;) {
    if (isThere(join(folder, '.git'))) return true;
    if (isThere(join(folder, 'HEAD'))) return false;
    if (folder === dirname(folder)) return true;
    folder = dirname(folder);
  }
}

/** Folders whose contents are others for each process, such as the way to its own working directory. */
const OWN_TO_EACH = /^\/(proc|dev)$/;
const MOST_LINKS = 40;

/** @returns where the path leads, for every process; undefined if that is not known here */
function followed(path: string): string | undefined {
  let folder = '/';
  let left = path.split('/');
  let links = 0;
  try {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      if (name === '' || name === '.') continue;
      const next = join(folder, name);
      if (OWN_TO_EACH.test(next)) return undefined;
      if (!lstatSync(next).isSymbolicLink()) {
        folder = next;
        continue;
      }
      links += 1;
      if (links > MOST_LINKS) return undefined;
      const target = readlinkSync(next);
      if (target.startsWith('/')) folder = '/';
      left = [...target.split('/'), ...left];
    }
    return folder;
  } catch {
    return undefined;
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isLooking(words: readonly string[]): boolean {
  const [program = '', ...rest] = words;
  if (program === 'git') {
    const [command = '', ...more] = rest;
    const known = Object.hasOwn(GIT, command) ? GIT[command] : undefined;
    return known !== undefined && fits({ not: GIT_NOT, ...known }, more) && !more.some((word) => GIT_NOT.test(word));
  }
  const known = Object.hasOwn(PROGRAMS, program) ? PROGRAMS[program] : undefined;
  return known !== undefined && fits(known, rest);
}

function fits({ not, words, only }: Program, rest: readonly string[]): boolean {
  const isOption = (word: string) => word.startsWith('-') && word !== '-';
  const isPlain = not === undefined && words === undefined && only === undefined;
  // The name of a file may be an option, and whoever wrote the repository has chosen it.
  if (!isPlain && rest.some((word) => word.includes(GLOB))) return false;
  if (not && rest.some((word) => not.test(word))) return false;
  if (only && !rest.every((word) => only.test(word))) return false;
  // After it, what looks like an option is a file.
  if (words !== undefined && rest.includes('--')) return false;
  return words === undefined || rest.filter((word) => !isOption(word)).length <= words;
}

/** Stands before what the shell would expand to names of files. */
const GLOB = '\u0001';

/** The words of each simple command; undefined for what is not understood. */
function partsOf(command: string): string[][] | undefined {
  const parts: string[][] = [[]];
  let word: string | undefined;
  const endWord = () => {
    if (word !== undefined) parts.at(-1)?.push(word);
    word = undefined;
  };
  for (let at = 0; at < command.length; at += 1) {
    const char = command[at] ?? '';
    if (char === "'" || char === '"') {
      const end = command.indexOf(char, at + 1);
      const inside = command.slice(at + 1, end);
      // In double quotes much is still expanded.
      if (end < 0 || (char === '"' && /[`$\\!]/.test(inside)) || /[\u0000\n]/.test(inside)) return undefined;
      word = (word ?? '') + inside;
      at = end;
    } else if (char === ' ' || char === '\t') endWord();
    else if (char === ';' || char === '\n' || char === '|' || char === '&') {
      const isPair = command[at + 1] === char && (char === '|' || char === '&');
      // A single one sends to the background; `|&` and `;;` are something else.
      if ((char === '&' && !isPair) || (char === '|' && command[at + 1] === '&')) return undefined;
      endWord();
      if (isPair) at += 1;
      parts.push([]);
    } else if (STRANGE.test(char)) return undefined;
    else word = (word ?? '') + (/[*?[\]]/.test(char) ? GLOB : '') + char;
  }
  endWord();
  const last = parts.at(-1);
  // A line break or semicolon at the end begins nothing.
  const all = last?.length === 0 ? parts.slice(0, -1) : parts;
  return all.some((part) => part.length === 0) ? undefined : all;
}
