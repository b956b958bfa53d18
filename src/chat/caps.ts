/** Which cap on spending is reached, in words that say how it goes on. */
import { codeSpan, dollars } from './render/lines.ts';

/** Dollars: of the running turn, of its session, of one person and of everybody today. */
export interface Spent {
  readonly turn: number;
  readonly session: number;
  readonly user: number;
  readonly day: number;
}

/** Dollars; 0: no cap. */
export interface Caps {
  readonly turnUsd: number;
  readonly sessionUsd: number;
  readonly userUsd: number;
  readonly dayUsd: number;
}

export interface Reached {
  readonly cap: 'turn' | 'session' | 'user' | 'day';
  readonly words: string;
}

/** The widest one, if several are: it says best what has to happen. @param name of the person; empty if it is not known */
export function reachedCap(
  spent: Spent,
  caps: Caps,
  { name, trigger }: { readonly name: string; readonly trigger: string },
): Reached | undefined {
  const is = (cost: number, cap: number) => cap > 0 && cost >= cap;
  if (is(spent.day, caps.dayUsd)) {
    return {
      cap: 'day',
      words: `All sessions together have cost ${dollars(spent.day)} today; the cap is ${dollars(caps.dayUsd)} a day. ${tomorrow('SM_CAP_DAY_USD')}`,
    };
  }
  if (is(spent.user, caps.userUsd)) {
    const who = name === '' ? 'Your messages' : `The messages of ${codeSpan(name)}`;
    return {
      cap: 'user',
      words: `${who} have cost ${dollars(spent.user)} today; the cap for one person is ${dollars(caps.userUsd)} a day. ${tomorrow('SM_CAP_USER_USD')}`,
    };
  }
  if (is(spent.session, caps.sessionUsd)) {
    return {
      cap: 'session',
      words: `This session has cost ${dollars(spent.session)}; the cap for it is ${dollars(caps.sessionUsd)}. An approver can let it go on: \`${trigger} raise 5\` lets it cost $5 more. Or start a new session.`,
    };
  }
  if (is(spent.turn, caps.turnUsd)) {
    return {
      cap: 'turn',
      words: `It has cost ${dollars(spent.turn)}; the cap for one turn is ${dollars(caps.turnUsd)}. What it has done is kept. Write "go on", or something better: the next turn may cost as much again.`,
    };
  }
  return undefined;
}

function tomorrow(variable: string): string {
  return `It goes on tomorrow (from 00:00 UTC), or when whoever runs this bot raises \`${variable}\`; then send it again.`;
}
