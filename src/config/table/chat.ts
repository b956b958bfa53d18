/** Where people talk, who may, and what a session may do there. */
import { defaulted, optional, required, requiredSecret } from '../setting.ts';
import {
  absolutePath,
  flag,
  integer,
  matching,
  oneOf,
  people,
  positiveOrZero,
  quietHours,
  repoPatterns,
  seconds,
  text,
  webAddress,
} from '../values.ts';

const chatId = matching(/^[a-z0-9]{26}$/, 'an id of 26 lower-case letters and digits (the id, not the name)');
const DOLLARS = 'dollars';

export const mattermost = {
  url: required('SM_MATTERMOST_URL', webAddress, {
    help: 'Mattermost server URL.',
    example: 'https://mattermost.example.com',
  }),
  token: requiredSecret('SM_MATTERMOST_TOKEN', { help: 'Bot authentication token.', example: 'the token of the bot' }),
  teamId: required('SM_MATTERMOST_TEAM_ID', chatId, {
    help: 'Team ID for channel creation and sidebar categories.',
    example: '7yq4mtr8hb8nifqo6w1gkd9s3e',
  }),
  channelCategory: defaulted('SM_CHANNEL_CATEGORY', text, 'Claude Sessions', {
    help: "Category of the bot's own sidebar for auto-created channels. Mattermost lets a bot sort nobody else's.",
  }),
  channelMembers: defaulted('SM_CHANNEL_MEMBERS', people, '[]', {
    help: 'User names or ids that are added to every new project channel, besides who starts the session.',
    example: 'alice,bob',
  }),
  botTrigger: defaulted('SM_BOT_TRIGGER', matching(/^\S{1,64}$/u, 'one word without spaces'), '@claude', {
    help: 'Bot mention trigger text: what commands start with.',
  }),
  loopLimit: defaulted('SM_LOOP_LIMIT', integer(0, 10_000), '10', {
    help: 'How often an account and the bot may answer each other in one thread within a minute, before it is taken for a program and left alone until it is silent for a minute (0 = any number).',
  }),
  operatorChannelId: optional('SM_OPERATOR_CHANNEL_ID', chatId, {
    help: 'Channel that is told of failures which need an operator.',
    example: '3fzkd1w7atyx9xb5g8n4oqcu6h',
  }),
};

export const access = {
  allowedUsers: defaulted('SM_ALLOWED_USERS', people, '[]', {
    help: 'User names or ids that may use the bot (empty = all members of the team).',
    example: 'alice,bob',
  }),
  allowedRepos: defaulted('SM_ALLOWED_REPOS', repoPatterns, '[]', {
    help: 'Repositories that may be started: `org/repo`, `org/*`, `org/prefix-*` (empty = all).',
    example: 'acme/*,other/tool',
  }),
  allowedApprovers: defaulted('SM_ALLOWED_APPROVERS', people, '[]', {
    help: 'User names or ids allowed to approve or deny requests (empty = all who may use the bot).',
    example: 'alice,bob',
  }),
  channelAdminsApprove: defaulted('SM_CHANNEL_ADMINS_APPROVE', flag, 'false', {
    help: "Admins of a session's channel may approve, besides SM_ALLOWED_APPROVERS. If that is empty, only they may.",
  }),
  notTheAsker: defaulted('SM_APPROVE_FOR_OTHERS_ONLY', flag, 'false', {
    help: 'Who asked for something, or whose session it is, may not approve it.',
  }),
  twoApprovers: defaulted('SM_TWO_APPROVERS', flag, 'false', {
    help: 'Tools and domains need the consent of two people. One is enough to deny.',
  }),
};

export const sessions = {
  livenessTimeoutSecs: defaulted('SM_SESSION_LIVENESS_TIMEOUT_SECS', seconds(1), '120', {
    unit: 'seconds',
    help: 'A turn that runs without a sign of life for this long is warned about in its thread.',
  }),
  agentIdleSecs: defaulted('SM_AGENT_IDLE_SECS', seconds(1), '900', {
    unit: 'seconds',
    help: "An idle session's agent process is ended after this time; the next message wakes it.",
  }),
  approvalTimeoutSecs: defaulted('SM_APPROVAL_TIMEOUT_SECS', seconds(0), '0', {
    unit: 'seconds',
    help: 'Requests nobody answers expire after this time (0 = never).',
  }),
  approvalRemindSecs: defaulted('SM_APPROVAL_REMIND_SECS', seconds(0), '3600', {
    unit: 'seconds',
    help: 'A request that nobody answers is called to mind in its thread after this time, and after twice as long each further time, five times at most (0 = never).',
  }),
  toolPolicy: optional('SM_TOOL_POLICY', oneOf('ask', 'allow'), {
    help: 'Tools that change something: `ask` in the thread or `allow`. If not set: `allow` in containers, `ask` in a local workspace.',
    example: 'ask',
  }),
  toolPolicyFile: optional('SM_TOOL_POLICY_FILE', absolutePath, {
    help: 'YAML file with rules about tools: `allow:`, `ask:` and `deny:`, by tool, argument and repository. What it has no rule about is decided by SM_TOOL_POLICY. Read when the gateway starts.',
    example: '/etc/csm/tools.yaml',
  }),
  notifyAfterSecs: defaulted('SM_NOTIFY_AFTER_SECS', seconds(0), '180', {
    unit: 'seconds',
    help: 'Who asked is mentioned when a turn ends that took at least this long (0 = never). `notify off` is for one person.',
  }),
  coauthorAddress: optional(
    'SM_COAUTHOR_ADDRESS',
    matching(/^(off|[^\s<>@]+@[^\s<>@]+)$/, 'an address with {name} in it, or off'),
    {
      help: 'Address of a person in commits that Claude makes for them (`Co-authored-by`), with `{name}` for their user name; `off`: nobody is named. If not set: an address at the chat server.',
      example: '{name}@example.com',
    },
  ),
  quietHours: optional('SM_QUIET_HOURS', quietHours, {
    help: 'Nobody is mentioned in these hours: from, to, and the time zone (UTC if it is left out).',
    example: '20:00-07:30 Europe/Berlin',
  }),
  verbosity: defaulted('SM_VERBOSITY', oneOf('full', 'normal', 'quiet'), 'normal', {
    help: "How much of an agent's work threads show: `full`, `normal` or `quiet`.",
  }),
};

export const spending = {
  turnUsd: defaulted('SM_CAP_TURN_USD', positiveOrZero, '0', {
    unit: DOLLARS,
    help: 'What one turn of an agent may cost (0 = any amount). It is ended when it has cost so much.',
  }),
  sessionUsd: defaulted('SM_CAP_SESSION_USD', positiveOrZero, '0', {
    unit: DOLLARS,
    help: 'What one session may cost (0 = any amount). Approvers can let one cost more: `raise`.',
  }),
  userUsd: defaulted('SM_CAP_USER_USD', positiveOrZero, '0', {
    unit: DOLLARS,
    help: "What one person's messages may cost in a day, from midnight UTC (0 = any amount).",
  }),
  dayUsd: defaulted('SM_CAP_DAY_USD', positiveOrZero, '0', {
    unit: DOLLARS,
    help: 'What all sessions together may cost in a day, from midnight UTC (0 = any amount).',
  }),
  ownTurns: defaulted('SM_CAP_OWN_TURNS', integer(0, 10_000), '10', {
    help: 'How many turns in a row an agent may begin by itself, when something ends that it had running in the background, before it is ended (0 = any number).',
  }),
};
