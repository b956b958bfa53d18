/** What people write and what is shown to them. */
import type { Mutant } from './mutant.ts';

export const THREAD: readonly Mutant[] = [
  {
    of: 'RT-10',
    wrong: 'whatever the server changes counts as an edit',
    test: 'tests/flows/ingress.test.ts',
    file: 'src/flows/ingress.ts',
    find: 'post.userId === ports.botUserId || post.editAt === 0',
    replace: 'post.userId === ports.botUserId',
  },
];
