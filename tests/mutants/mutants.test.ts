// That every fix is guarded is found out by taking each out: npm run mutants. It takes an hour, so here
// it is only seen to that this can still be done.
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL } from './all.ts';
import { applied } from './mutant.ts';

const test = suite('mutants');
const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

for (const mutant of ALL) {
  const { of, wrong, test: path, name = '', file } = mutant;
  test(`${of}: ${wrong} (${path})`, () => {
    assert.is.not(applied(mutant, read(file)), read(file));
    const names = [...read(path).matchAll(/(['"`])(RT-\d+): (.*?)\1/g)].filter(([, , number]) => number === of);
    assert.ok(
      names.some(([, , , words = '']) => words.includes(name)),
      `${path} has such a test`,
    );
  });
}

test.run();
