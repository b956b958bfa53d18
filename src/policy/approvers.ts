/**
 * Who may decide requests. By ids alone: a name can be changed, given to somebody else, or chosen to look like an id. The
 * names of the configuration are looked up when the gateway starts.
 */
import type { Person } from './people.ts';

export interface ApproverRules {
  /** Ids; empty: everybody who may use the bot, unless `channelAdmins`. */
  readonly approvers: readonly string[];
  /** Admins of the session's channel may decide, too. Without `approvers` only they may. */
  readonly channelAdmins: boolean;
  /** Whoever asked for it, or whose session it is, may not decide. */
  readonly notTheAsker: boolean;
  /** Ids of those who may open a host for good; empty: nobody. */
  readonly admins: readonly string[];
}

export interface Decider {
  readonly id: string;
  /** Whether they may use the bot. */
  readonly mayUse: boolean;
  /** Asked only where the rules need it. */
  readonly isChannelAdmin: () => Promise<boolean>;
}

/**
 * @param asked ids of those for whom it is done
 * @returns why the person may not decide, in words for them; undefined if they may
 */
export async function whyNot(
  decider: Decider,
  asked: readonly string[],
  rules: ApproverRules,
): Promise<string | undefined> {
  if (!(await isOneOfThem(decider, rules))) return 'You are not one of the people who may decide this.';
  if (rules.notTheAsker && asked.includes(decider.id)) {
    return 'The agent works for you here, or goes on with what you or others asked for, so somebody else has to decide this.';
  }
  return undefined;
}

async function isOneOfThem(
  { id, mayUse, isChannelAdmin }: Decider,
  { approvers, channelAdmins }: ApproverRules,
): Promise<boolean> {
  if (approvers.includes(id)) return true;
  if (channelAdmins) return isChannelAdmin();
  return approvers.length === 0 && mayUse;
}

/** Whether a person may open a host for everybody and for good. */
export function mayOpenForGood({ id }: Pick<Person, 'id'>, { admins }: Pick<ApproverRules, 'admins'>): boolean {
  return admins.includes(id);
}
