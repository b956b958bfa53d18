import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseScript } from '../../src/model/grammar.ts';
import type { Step } from '../../src/model/steps.ts';

const cases: [string, Step[]][] = [
  ['create hello.txt with the word hi', [{ kind: 'create', file: 'hello.txt', content: 'hi\n' }]],
  [
    'Please create a file `a/b.md` with the words "one, then two; three"',
    [{ kind: 'create', file: 'a/b.md', content: 'one, then two; three\n' }],
  ],
  ['write "x\\ny" is no step', [{ kind: 'remark', text: 'write "x\\ny" is no step' }]],
  ['write notes.txt: buy milk; and bread', [{ kind: 'create', file: 'notes.txt', content: 'buy milk; and bread\n' }]],
  [
    'write code.js:\n```js\nlet a = 1;\n\nlet b = 2;\n```\nrun: node code.js',
    [
      { kind: 'create', file: 'code.js', content: 'let a = 1;\n\nlet b = 2;\n' },
      { kind: 'run', command: 'node code.js', background: false },
    ],
  ],
  ['append "more" to hello.txt', [{ kind: 'append', file: 'hello.txt', text: 'more' }]],
  [
    'replace hi with "ho ho" in hello.txt; read hello.txt.',
    [
      { kind: 'replace', file: 'hello.txt', from: 'hi', to: 'ho ho' },
      { kind: 'read', file: 'hello.txt' },
    ],
  ],
  [
    "run: echo it's; if true; then echo b; fi, then run: ls",
    [
      { kind: 'run', command: "echo it's; if true; then echo b; fi", background: false },
      { kind: 'run', command: 'ls', background: false },
    ],
  ],
  ['run: echo "a, then b"', [{ kind: 'run', command: 'echo "a, then b"', background: false }]],
  ['run in the background: make', [{ kind: 'run', command: 'make', background: true }]],
  [
    'ask Which colour? red or dark green or blue',
    [
      {
        kind: 'ask',
        questions: [{ question: 'Which colour?', options: ['red', 'dark green', 'blue'], multiSelect: false }],
      },
    ],
  ],
  [
    'ask any: Which? A | B or C',
    [{ kind: 'ask', questions: [{ question: 'Which?', options: ['A', 'B or C'], multiSelect: true }] }],
  ],
  ['ask Really?', [{ kind: 'ask', questions: [{ question: 'Really?', options: ['Yes', 'No'], multiSelect: false }] }]],
  [
    'ask One? A or B && Two? C or D',
    [
      {
        kind: 'ask',
        questions: [
          { question: 'One?', options: ['A', 'B'], multiSelect: false },
          { question: 'Two?', options: ['C', 'D'], multiSelect: false },
        ],
      },
    ],
  ],
  [
    'plan: tidy up, then run: ls',
    [
      { kind: 'plan', text: 'tidy up' },
      { kind: 'run', command: 'ls', background: false },
    ],
  ],
  [
    'network pypi.org and files.pythonhosted.org because pip needs them',
    [{ kind: 'network', hosts: ['pypi.org', 'files.pythonhosted.org'], reason: 'pip needs them' }],
  ],
  [
    'agent reviewer: "read a.txt, then run: wc a.txt"; say no',
    [{ kind: 'agent', name: 'reviewer', prompt: '"read a.txt, then run: wc a.txt"; say no', background: false }],
  ],
  [
    'agent reviewer: "read a.txt, then run: wc a.txt", then say done',
    [
      { kind: 'agent', name: 'reviewer', prompt: 'read a.txt, then run: wc a.txt', background: false },
      { kind: 'say', text: 'done' },
    ],
  ],
  [
    'slow 20 then long 3 then hold here',
    [
      { kind: 'slow', words: 20 },
      { kind: 'long', kilobytes: 3 },
      { kind: 'hold', gate: 'here' },
    ],
  ],
  [
    'fail 529 times 2, then say ok',
    [
      { kind: 'fail', how: 529, times: 2 },
      { kind: 'say', text: 'ok' },
    ],
  ],
  [
    'fail cut; fail 401',
    [
      { kind: 'fail', how: 'cut', times: 1 },
      { kind: 'fail', how: 401, times: 'always' },
    ],
  ],
  ['fail 418', [{ kind: 'remark', text: 'fail 418' }]],
  [
    'think hard about it\nSAY yes; no',
    [
      { kind: 'think', text: 'hard about it' },
      { kind: 'say', text: 'yes; no' },
    ],
  ],
  [
    'How are you? I am fine; then again, who is not.\nReally.',
    [{ kind: 'remark', text: 'How are you? I am fine; then again, who is not.\nReally.' }],
  ],
  ['[alice] run: ls', [{ kind: 'run', command: 'ls', background: false }]],
  ['bob.smith: create x with the word y', [{ kind: 'create', file: 'x', content: 'y\n' }]],
  ['note: nothing to do', [{ kind: 'remark', text: 'note: nothing to do' }]],
  ['[NETWORK_APPROVED: pypi.org]', [{ kind: 'remark', text: '[NETWORK_APPROVED: pypi.org]' }]],
  ['', []],
];

for (const [text, steps] of cases) {
  test(`understands: ${JSON.stringify(text)}`, () => {
    assert.equal(parseScript(text), steps);
  });
}

test('every text has a meaning, however odd', () => {
  for (const text of [
    'then',
    ';;;',
    'run:',
    '"',
    '```',
    'ask',
    'create  with the word ',
    'say',
    ', then , then ',
    '[x]',
  ]) {
    assert.ok(Array.isArray(parseScript(text)), text);
  }
});

test.run();
