/** What the effects of one revision become: rows of the same commit. */
import type { Address } from '../machines/addresses.ts';
import type { Effect, Heard } from '../machines/effects.ts';
import type { JsonObject } from '../machines/json.ts';
import { defaultThread, EFFECT_POLICIES, orderKeyOf } from './effectPolicy.ts';
import type { EffectRow, InnerItem, TurnCommit } from './store.ts';

/** Room for effects between two revisions' positions in the transcript. */
const EFFECTS_PER_REV = 1000;

export interface Records {
  readonly tells: InnerItem[];
  readonly effects: EffectRow[];
  readonly transcript: TurnCommit['transcript'][number][];
  readonly threads: TurnCommit['threads'][number][];
}

export function noRecords(): Records {
  return { tells: [], effects: [], transcript: [], threads: [] };
}

/**
 * Adds the rows of one revision. Keys are `<address>/<rev>/<index>`.
 * @throws for a note without a thread: the event that asked for it is poison.
 */
export function recordEffects(
  into: Records,
  address: Address,
  rev: number,
  effects: readonly Effect[],
  { at, now, cause }: { readonly at: number; readonly now: number; readonly cause: string },
): void {
  if (effects.length > EFFECTS_PER_REV) throw new Error(`${address} asked for ${effects.length} effects in one step`);
  for (const [index, effect] of effects.entries()) {
    const key = `${address}/${rev}/${index}`;
    switch (effect.kind) {
      case 'tell':
        into.tells.push({ to: effect.to, event: effect.event, dedupKey: key, cause });
        break;
      case 'say': {
        const { note, tone, text } = effect;
        addLine(into, address, effect.thread ?? defaultThread(address), rev * EFFECTS_PER_REV + index, at, {
          kind: 'note',
          body: { note, tone, text },
        });
        break;
      }
      case 'heard':
        addLine(into, address, defaultThread(address), rev * EFFECTS_PER_REV + index, at, {
          kind: 'heard',
          body: heardBody(effect),
        });
        break;
      case 'turnLost':
        addLine(into, address, defaultThread(address), rev * EFFECTS_PER_REV + index, at, {
          kind: 'turnEnded',
          body: {
            turnId: effect.turnId,
            outcome: 'TURN_OUTCOME_LOST',
            ...(effect.takenDown ? { takenDown: true } : {}),
          },
        });
        break;
      case 'turnFollowed':
        addLine(into, address, defaultThread(address), rev * EFFECTS_PER_REV + index, at, {
          kind: 'turnFollowed',
          body: { turnId: effect.turnId, following: effect.following },
        });
        break;
      case 'bindThread': {
        const session = defaultThread(address);
        if (session === undefined) throw new Error(`${address} is no session and cannot bind a thread`);
        into.threads.push({ session, rootId: effect.rootId, channelId: effect.channelId });
        break;
      }
      default: {
        const policy = EFFECT_POLICIES[effect.kind];
        // A chart written against a newer list of effects; the compiler sees to the rest.
        if (policy === undefined) throw new Error(`${address} asked for unknown effect "${effect.kind}"`);
        into.effects.push({
          key,
          actor: address,
          kind: effect.kind,
          params: effect.params,
          reply: effect.reply,
          orderKey: orderKeyOf(address, effect),
          attempts: 0,
          runAt: now,
          deadline: now + policy.deadlineMs,
        });
      }
    }
  }
}

function heardBody({ postId, author, authorId, text, answer }: Heard): JsonObject {
  return { postId, author, authorId, text, ...(answer ? { answer } : {}) };
}

function addLine(
  into: Records,
  address: Address,
  session: Address | undefined,
  seq: number,
  at: number,
  line: {
    readonly kind: 'note' | 'heard' | 'turnFollowed' | 'turnEnded';
    readonly body: TurnCommit['transcript'][number]['body'];
  },
): void {
  if (session === undefined) throw new Error(`${address} said something without naming a thread`);
  // Others may speak in the same thread: each has its own line of positions.
  const logId = session === address ? 'notes' : `notes:${address}`;
  into.transcript.push({ session, logId, seq, firstSeq: seq, at, ...line });
}
