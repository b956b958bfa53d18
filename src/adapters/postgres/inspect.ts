/** What the inspector reads, on PostgreSQL: every method is a statement under sql/. Nothing here writes. */
import type { InspectorStore } from '../../inspector/ports.ts';
import type { Database } from './database.ts';
import { inspectActor, inspectActors, inspectOverview } from './sql/inspectActors.ts';
import { inspectChanges, inspectJournal, inspectRevision } from './sql/inspectJournal.ts';
import { inspectEffects, inspectInbox, inspectLetters } from './sql/inspectWork.ts';

export function createInspectorStore(db: Database): InspectorStore {
  return {
    overview: () => inspectOverview(db),
    actors: (query) => inspectActors(db, query),
    actor: (address) => inspectActor(db, address),
    inbox: (address, limit) => inspectInbox(db, address, limit),
    effects: (address, limit) => inspectEffects(db, address, limit),
    journal: (address, before, limit) => inspectJournal(db, address, before, limit),
    revision: (address, rev) => inspectRevision(db, address, rev),
    letters: (address, before, limit) => inspectLetters(db, address, before, limit),
    changes: (since, limit) => inspectChanges(db, since, limit),
  };
}
