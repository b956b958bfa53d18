/** Leads until it is killed; says its term, why it stopped, and whether it was certain when it woke from being stopped. */
import { acquireLeadership, openDatabase } from '../../../src/adapters/postgres/index.ts';

const db = openDatabase({ url: process.argv[2] ?? '' });
const leadership = await acquireLeadership(db, { holder: 'child' });
const say = (words: object) => process.stdout.write(`${JSON.stringify(words)}\n`);
process.on('SIGCONT', () => say({ certain: leadership.certain() }));
say({ term: leadership.term, certain: leadership.certain() });
say({ lost: await leadership.lost });
await leadership.release();
await db.close();
