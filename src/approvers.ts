/** The people of the configuration, looked up in the chat; and whom it lets decide. */
import { isChatError, type MattermostRest } from './adapters/mattermost/index.ts';
import type { Config } from './config.ts';
import { whoIsMissing } from './flows/whoCanDecide.ts';
import type { ApprovalContext } from './machines/approval/context.ts';
import { type ApproverRules, mayOpenForGood, whyNot } from './policy/approvers.ts';
import { mayUse, type Person } from './policy/people.ts';
import { StartError } from './start.ts';

export interface Deciders {
  /** @returns why the person may not, in words for them; undefined if they may */
  readonly whyNot: (person: Person, context: ApprovalContext) => Promise<string | undefined>;
  readonly mayOpenForGood: (person: Person) => boolean;
  /** Whether the person may close what was opened. */
  readonly mayClose: (person: Person) => boolean;
  /** Words for the thread if too few in the channel may decide; empty if there are enough. */
  readonly whoIsMissing: (context: ApprovalContext) => Promise<string>;
  /** One of SM_ALLOWED_APPROVERS. */
  readonly isApprover: (person: Person) => boolean;
}

/**
 * Turns names into ids.
 * @throws StartError that names who is not known: a name with a typing error must not be found out at the first request
 */
export async function approverRules({ access, firewall }: Config, rest: MattermostRest): Promise<ApproverRules> {
  const ids = async (variable: string, people: readonly string[]): Promise<string[]> =>
    Promise.all(people.map((person) => idOf(variable, person, rest)));
  return {
    approvers: await ids('SM_ALLOWED_APPROVERS', access.allowedApprovers),
    admins: await ids('SM_ADMINS', firewall.admins),
    channelAdmins: access.channelAdminsApprove,
    notTheAsker: access.notTheAsker,
  };
}

async function idOf(variable: string, person: string, rest: MattermostRest): Promise<string> {
  try {
    const [byId] = /^[a-z0-9]{26}$/.test(person) ? await rest.usersByIds([person]) : [];
    const found = byId ?? (await rest.userByUsername(person));
    if (found) return found.id;
  } catch (cause) {
    if (!isChatError(cause)) throw cause;
    throw new StartError(`Mattermost cannot say who ${person} of ${variable} is: ${cause.message}`, {
      mayPass: true,
      cause,
    });
  }
  throw new StartError(`${variable} names ${person}, whom Mattermost does not know.`, { mayPass: false });
}

export function decidersOf({ access, mattermost }: Config, rules: ApproverRules, rest: MattermostRest): Deciders {
  const judge = (person: Person, context: ApprovalContext, isChannelAdmin: () => Promise<boolean>) => {
    const { ok } = mayUse(person, null, { users: access.allowedUsers, repos: [] });
    return whyNot({ id: person.id, mayUse: ok, isChannelAdmin }, askedOf(context), rules);
  };
  /** Of people who were looked up: what somebody is does not change. */
  const areBots = new Map<string, boolean>();
  const isBot = async (id: string): Promise<boolean> => {
    const known = areBots.get(id);
    if (known !== undefined) return known;
    const [user] = await rest.usersByIds([id]);
    if (user) areBots.set(id, user.isBot);
    return user?.isBot ?? false;
  };
  const ports = {
    rest,
    approvers: rules.approvers,
    trigger: mattermost.botTrigger,
    whyNot: (person: Person, context: ApprovalContext, isAdmin: boolean) => judge(person, context, async () => isAdmin),
  };
  return {
    mayClose: (person) =>
      rules.approvers.includes(person.id) || mayUse(person, null, { users: access.allowedUsers, repos: [] }).ok,
    isApprover: ({ id }) => rules.approvers.includes(id),
    whoIsMissing: (context) => whoIsMissing(ports, context),
    whyNot: async (person, context) => {
      // One that puts a sign under every post has decided nothing.
      if (!rules.approvers.includes(person.id) && (await isBot(person.id))) return 'Only people may decide this.';
      const isAdmin = async () => (await rest.channelMember(context.channelId, person.id))?.isAdmin === true;
      return judge(person, context, isAdmin);
    },
    mayOpenForGood: (person) => mayOpenForGood(person, rules),
  };
}

/** For whom it would be done. A question is nothing that is done for somebody: whoever asked may answer it. */
function askedOf({ kind, askedFor, askers = [] }: ApprovalContext): readonly string[] {
  return kind === 'question' ? [] : [askedFor.id, ...askers];
}
