// What a reviewer may run: a corpus of commands that look, and one of commands that write, however they hide it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import { looksOnly as looksOnlyAt } from '../../src/looking.ts';
import { withoutStrayRepositories } from '../../src/session/strayRepositories.ts';

const looksOnly = (command: string) => looksOnlyAt(command, '/');

const LOOK = [
  'ls -la src',
  'cat README.md | head -20',
  'git status && git diff --stat HEAD~1'.replace('~', '^'),
  'git log --oneline -5',
  "git log --format='%h %an' main..HEAD",
  'git show HEAD:src/main.ts',
  'git blame -L 1,20 src/main.ts',
  "git grep -n 'TODO' -- src",
  'git diff main...HEAD -- src 2>/dev/null',
  "grep -rn 'a && b; c | d > e' src",
  'grep -rn "plain words" src 2>&1 | sort | uniq -c | sort -rn | head',
  "find . -name '*.ts' -type f -not -path './node_modules/*'",
  'wc -l src/*.ts',
  "rg --hidden 'x' src",
  'tree -L 2 src',
  'cd src; pwd\nls',
  'date -u +%F',
  "echo 'the end'",
  'cat a.txt > /dev/null',
  'true || false',
];

const WRITE = [
  // Plainly.
  ...[
    'touch x',
    'rm -rf x',
    'mv a b',
    'cp a b',
    'mkdir x',
    'chmod +x a',
    'ln -s a b',
    'tee x',
    'dd of=x',
    'truncate -s 0 x',
  ],
  ...[
    'npm test',
    'make',
    'node -e 1',
    'python3 -c 1',
    'perl -e 1',
    'bash -c ls',
    'sh x',
    'env ls',
    'xargs rm',
    'sudo ls',
  ],
  ...[
    'sed -i s/a/b/ x',
    "sed -n 'w x' a",
    'awk \'{print > "x"}\' a',
    "awk 'BEGIN{system(1)}'",
    'vi x',
    'ed x',
    'patch < x',
  ],
  ...[
    'curl https://example.org',
    'wget x',
    'nc -l 1',
    'ssh x',
    'scp a b:',
    'kill 1',
    'crontab x',
    'install a b',
    'rsync a b',
  ],
  // By redirection.
  ...[
    'echo x > a',
    'echo x >> a',
    'echo x>a',
    'ls &> a',
    'ls 2> a',
    'cat <a',
    'cat <<E\nx\nE',
    'ls >| a',
    'ls > /dev/nullx',
  ],
  ...['ls >/dev/null>a', 'ls > /dev/null/../a', 'echo x 1>&2 >a', 'cat < /dev/null', 'ls >&a', 'echo a 2>&1>b'],
  // By being several, or inside another.
  ...[
    'ls; touch x',
    'ls && touch x',
    'ls || touch x',
    'ls | tee x',
    'ls & touch x',
    'ls\ntouch x',
    'ls |& tee x',
    'ls;;touch x',
  ],
  ...[
    'ls $(touch x)',
    'ls `touch x`',
    'echo "$(touch x)"',
    'echo "`touch x`"',
    'cat <(touch x)',
    '(touch x)',
    '{ touch x; }',
  ],
  ...[
    'ls ${x:=$(touch x)}',
    'echo $x',
    "echo $'a'",
    'eval touch x',
    '. x',
    'source x',
    'exec touch x',
    'command touch x',
  ],
  ...[
    'if true; then touch x; fi',
    'for a in b; do touch x; done',
    'f() { touch x; }; f',
    'time touch x',
    '! touch x',
    'coproc touch x',
  ],
  ...['A=1 touch x', 'PATH=. ls', 'GIT_EXTERNAL_DIFF=x git diff', 'alias ls=rm', 'trap x EXIT', 'set -e', 'export A=1'],
  ...[
    'l\\s',
    'ls \\\n; touch x',
    "ls 'unfinished",
    'ls "unfinished',
    'ls # touch x',
    'ls\u0000x',
    'ls\rtouch x',
    'ls ~',
    'ls {a,b}',
  ],
  ...[
    "test -v 'a[$(touch x)]'",
    "[ -v 'a[$(touch x)]' ]",
    "[[ -v 'a[$(touch x)]' ]]",
    "printf -v 'a[$(touch x)]' 1",
    "let 'a=1'",
  ],
  // By an option.
  ...[
    'find . -delete',
    'find . -exec rm x ;',
    "find . -exec touch x ';'",
    "find . -ok rm x ';'",
    'find . -fprint x',
    'find . -fls x',
  ],
  ...[
    "find . -execdir touch x '+'",
    "find . '-delete'",
    'find . -del"ete"',
    'find *',
    'find . -name *.ts',
    'sort -o x a',
    'sort -rox a',
  ],
  ...[
    'sort --output=x a',
    'sort --o x a',
    'sort --compress-program=x a',
    'sort -T x a',
    'sort *',
    'uniq a b',
    'uniq - b',
    'uniq -c a b',
  ],
  ...[
    'tree -o x',
    'tree --output x',
    'file -C',
    'file -bC',
    'rg --pre x y',
    'rg --pre=x y',
    'rg -z x',
    'date -s 1',
    'date --set=1',
  ],
  ...[
    'git log --output=x',
    'git log --output x',
    'git diff --outp=x',
    'git show --ou=x',
    'git diff --ext-diff',
    'git log --textconv',
  ],
  ...[
    "git log '--output=x'",
    'git log --out"put"=x',
    'git log *',
    'git grep -O x',
    'git grep -nO x',
    'git grep --open-files-in-pager=x y',
  ],
  ...[
    'git -c core.pager=x log',
    'git -C .. log',
    'git --exec-path=x log',
    'git -p log',
    'git difftool',
    'git diff-files --x',
    'git logx',
  ],
  ...[
    'git add x',
    'git commit -m x',
    'git push',
    'git fetch',
    'git pull',
    'git checkout x',
    'git switch x',
    'git reset',
    'git clean -fd',
  ],
  ...[
    'git stash',
    'git apply x',
    'git am x',
    'git tag x',
    'git branch x',
    'git config a b',
    'git worktree add x',
    'git gc',
    'git init',
    'git',
  ],
  ...[
    'git remote add a b',
    'git rm x',
    'git mv a b',
    'git restore x',
    'git archive -o x HEAD',
    'git bundle create x',
    'git format-patch -1',
  ],
  ...[
    'git cat-file --textconv HEAD:x',
    'git cat-file --filters HEAD:x',
    'git submodule update',
    'git bisect run x',
    'git rebase -x y',
  ],
  // By what is an option for us and a file for the program, or a blank for us and a letter for the shell.
  ...['uniq -- -a -b', 'uniq a -- -b', 'uniq -c -- -b -b', 'cd -- -a'],
  ...['rg -.z x', 'rg -.0z x', 'git log --show-signature', "git log '--format=%G?'", "git log --format='%h %-GK'"],
  ...["git for-each-ref --format='%(signature)'", "git show --pretty='format:%+GG'"],
  ...['\u00a0', '\u3000', '\ufeff', '\u2028', '\f', '\v', '\r'].flatMap((blank) => [
    `ls >${blank}/dev/null`,
    `ls >/dev/null${blank}x`,
    `ls 2>&1${blank}x`,
    `ls${blank}>/dev/null`,
    `${blank}ls`,
  ]),
  // Nothing at all, and what only looks like a name of the list.
  ...[
    '',
    ' ',
    ';',
    '|',
    'ls ;; ls',
    '; ls',
    'constructor',
    'git constructor',
    '__proto__',
    './ls',
    '/bin/ls',
    'LS',
    '-ls',
    '*',
  ],
];

test('commands that look are known as such', () => {
  for (const command of LOOK) assert.equal(looksOnly(command), true, command);
});

test(`of ${WRITE.length} commands that write, run something or cannot be told apart, none passes for looking`, () => {
  for (const command of WRITE) assert.equal(looksOnly(command), false, JSON.stringify(command));
});

test('whatever is put together with a command that writes is no looking either', () => {
  for (const look of LOOK) {
    for (const glue of ['; ', ' && ', ' || ', ' | ', '\n', ' & ', ' |& ']) {
      assert.equal(looksOnly(`${look}${glue}touch x`), false, `${look}${glue}`);
      assert.equal(looksOnly(`touch x${glue}${look}`), false, `${glue}${look}`);
    }
    for (const end of [' > x', ' >> x', ' $(touch x)', ' `touch x`', ' 2> x', ' &']) {
      assert.equal(looksOnly(`${look}${end}`), false, `${look}${end}`);
    }
  }
});

test('git runs nothing that a folder in the repository names, by however the agent gets there', () => {
  const root = mkdtempSync(join(tmpdir(), 'looking-'));
  try {
    const git = (cwd: string, ...words: string[]) =>
      execFileSync('git', words, {
        cwd,
        env: { PATH: process.env.PATH, HOME: root },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    git(root, 'init', '--quiet', 'checkout');
    const checkout = join(root, 'checkout');
    // What can be committed: nothing in it is called `.git`.
    const trap = join(checkout, 'docs', 'trap');
    const ran = join(root, 'ran');
    mkdirSync(join(trap, 'objects'), { recursive: true });
    mkdirSync(join(trap, 'refs'));
    mkdirSync(join(trap, 'below'));
    writeFileSync(join(trap, 'HEAD'), 'ref: refs/heads/main\n');
    const core = `[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = ..\n\tfsmonitor = "touch ${ran}; false"\n`;
    writeFileSync(join(trap, 'config'), core);
    symlinkSync(trap, join(checkout, 'link'));
    // Another place for each process: what they are for this one says nothing.
    symlinkSync('/proc/self/cwd/docs/trap', join(checkout, 'own'));
    symlinkSync('../../../../../../../../proc/self/cwd', join(checkout, 'docs', 'here'));
    symlinkSync('round', join(checkout, 'round'));

    git(trap, 'status');
    assert.equal(existsSync(ran), true, 'the trap is one');
    rmSync(ran);
    const env = { PATH: process.env.PATH ?? '', HOME: root, GIT_CONFIG_COUNT: '1' };
    const one = { GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' };
    const safe = withoutStrayRepositories({ ...env, ...one });
    const run = (cwd: string) => execFileSync('git', ['status'], { cwd, env: safe, stdio: 'pipe' });
    assert.throws(() => run(trap), /cannot use bare repository/, 'git itself refuses, whoever asks it');
    run(checkout);
    assert.equal(existsSync(ran), false);
    for (const [cwd, command] of [
      [trap, 'git status'],
      [join(trap, 'below'), 'git log'],
      [join(checkout, 'link'), 'git diff'],
      [checkout, 'cd docs/trap && git status'],
      [checkout, 'cd docs; cd trap; git status'],
      [checkout, 'cd nowhere || cd docs/trap && git status'],
      [checkout, 'cd link\ngit status'],
      [checkout, `cd '${trap}' && ls && git status | head`],
      [trap, 'cd ..; cd -; git status'],
      [checkout, 'cd; git status'],
      [checkout, 'cd /proc/self/cwd/docs/trap && git status'],
      [checkout, 'cd /proc/self/cwd/tmp && git status'],
      [checkout, 'cd /dev/fd/../cwd/docs/trap && git status'],
      [checkout, 'cd own && git status'],
      [checkout, 'cd docs/here && git status'],
      [checkout, 'cd round && git status'],
      [checkout, 'cd nowhere && git status'],
    ] as const) {
      assert.equal(looksOnlyAt(command, cwd), false, `${cwd}: ${command}`);
    }
    for (const [cwd, command] of [
      [checkout, 'git status'],
      [join(checkout, 'docs'), 'git log --oneline'],
      [root, `cd ${checkout} && git diff`],
      [trap, 'ls'],
      [root, 'git status'],
    ] as const) {
      assert.equal(looksOnlyAt(command, cwd), true, `${cwd}: ${command}`);
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

test.run();
