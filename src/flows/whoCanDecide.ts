/**
 * Is anybody there who may decide? A card in a channel where nobody may would wait for ever, and nobody would know why: so
 * it is found out when the card is put up, and said together with who could.
 */
import type { MattermostRest } from '../adapters/mattermost/index.ts';
import type { ApprovalContext } from '../machines/approval/context.ts';
import type { Person } from '../machines/session/context.ts';

export interface WhoCanDecidePorts {
  readonly rest: Pick<MattermostRest, 'channelMembers' | 'usersByIds'>;
  /** Why the person may not decide; undefined if they may. */
  readonly whyNot: (person: Person, context: ApprovalContext, isChannelAdmin: boolean) => Promise<string | undefined>;
  /** Ids of those who are named as approvers. */
  readonly approvers: readonly string[];
  readonly trigger: string;
}

/** Larger channels are taken to have somebody. */
const MAX_PAGES = 5;
const PAGE = 200;

/** @returns words for the thread if there are too few in the channel who may decide; empty if there are enough */
export async function whoIsMissing(ports: WhoCanDecidePorts, context: ApprovalContext): Promise<string> {
  const { rest, whyNot } = ports;
  let found = 0;
  for (let page = 0; ; page += 1) {
    if (page === MAX_PAGES) return '';
    const members = await rest.channelMembers(context.channelId, page);
    const users = await rest.usersByIds(members.map(({ userId }) => userId));
    for (const { userId, isAdmin } of members) {
      const user = users.find(({ id }) => id === userId);
      if (!user || user.isBot || !user.active) continue;
      const person = { id: user.id, name: user.username };
      if ((await whyNot(person, context, isAdmin)) === undefined) found += 1;
      if (found >= context.needed) return '';
    }
    if (members.length < PAGE) break;
  }
  return missingWords(ports, context, found);
}

async function missingWords(
  { rest, approvers, trigger }: WhoCanDecidePorts,
  { needed }: ApprovalContext,
  found: number,
): Promise<string> {
  const named = approvers.length === 0 ? [] : (await rest.usersByIds(approvers)).filter(({ active }) => active);
  const [first] = named;
  const lack =
    found === 0
      ? 'Nobody in this channel may decide what is asked here, so it waits.'
      : `${needed} people have to agree to what is asked here, and only ${found} in this channel may, so it waits.`;
  if (!first) return `${lack} Whoever runs this bot decides who may (SM_ALLOWED_APPROVERS).`;
  const names = named.map(({ username }) => `\`${username}\``).join(', ');
  return `${lack} These may: ${names}. Add one with \`${trigger} invite @${first.username}\`.`;
}
