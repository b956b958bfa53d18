/** The operator's commands of the command line: what is stuck, and what to do about it. Needs the database only. */
import { userInfo } from 'node:os';
import { type ActorStatus, createOperator, type OperatorAction, type OperatorResult } from './actors/index.ts';
import {
  createInspectorStore,
  createStore,
  type Database,
  forgetCharts,
  newerStates,
  openDatabase,
} from './adapters/postgres/index.ts';
import { CHARTS, KINDS } from './inspector/charts/kinds.ts';
import type { ActorLine, Letter } from './inspector/ports.ts';
import type { Address } from './machines/addresses.ts';

const LINES = 200;

/** Runs `work` on a small pool of its own. @throws what the database says. */
export async function withDatabase<Result>(url: string, work: (db: Database) => Promise<Result>): Promise<Result> {
  const db = openDatabase({ url, poolSize: 2, applicationName: 'claude-session-manager operator' });
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

/** One line for each actor, the last changed first. */
export async function actorLines(db: Database, status: ActorStatus | undefined, search: string): Promise<string[]> {
  const query = { kind: undefined, status, search, before: undefined, limit: LINES };
  return (await createInspectorStore(db).actors(query)).map(actorText);
}

function actorText({ address, status, value, inbox, letters, failures }: ActorLine): string {
  const facts = [
    inbox > 0 ? `${inbox} waiting` : '',
    letters > 0 ? `${letters} dead letters` : '',
    failures > 0 ? `${failures} failures` : '',
  ].filter((fact) => fact !== '');
  const state = typeof value === 'string' ? value : JSON.stringify(value);
  return [address, status, state, facts.join(', ')].join('\t').trimEnd();
}

/** One line for each dead letter nobody has settled, the newest first. */
export async function letterLines(db: Database, address: Address | undefined): Promise<string[]> {
  return (await createInspectorStore(db).letters(address, undefined, LINES)).map(letterText);
}

function letterText({ id, address, reason, event, error, at }: Letter): string {
  return [id, new Date(at).toISOString(), address, reason, String(event.type), error ?? ''].join('\t').trimEnd();
}

/** Waits until the leader has carried it out. */
export async function giveOrder(
  db: Database,
  action: OperatorAction,
  address: Address,
  letter: number | undefined,
): Promise<OperatorResult> {
  const by = `${userInfo().username} (command line)`;
  return createOperator(createStore(db)).operate({ action, address, by, ...(letter === undefined ? {} : { letter }) });
}

/**
 * Lets this program lead although newer charts have led.
 * @param leave the actors it cannot read are left alone, instead of being a reason not to
 * @throws Error that names these actors
 */
export async function allowOlder(db: Database, leave: boolean): Promise<string[]> {
  const own = Object.fromEntries(KINDS.map((kind) => [kind, CHARTS[kind].version]));
  const newer = await newerStates(db, own);
  const list = newer.map(({ kind, version, count }) => `${count} × ${kind} ${version}`).join(', ');
  if (newer.length > 0 && !leave) {
    throw new Error(
      `Newer charts have written states that this program cannot read: ${list}. Restore a backup from before them, or leave ` +
        'these actors alone until the newer program is back: csm allow-older --leave-unreadable.',
    );
  }
  await forgetCharts(db);
  const rest = newer.length > 0 ? `It leaves alone what it cannot read: ${list}.` : 'It can read every state.';
  return [`This program may lead now. ${rest}`];
}

/** @throws Error with a sentence that says what an address looks like. */
export function readAddress(text: string): Address {
  if (KINDS.some((kind) => text.startsWith(`${kind}/`) && text.length > kind.length + 1)) return text as Address;
  throw new Error(`"${text}" is no address. An address is one of ${KINDS.join(', ')}, a slash and a key: session/abc.`);
}
