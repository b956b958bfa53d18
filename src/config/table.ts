/**
 * Every environment variable of the gateway. The configuration, its documentation and `csm config --help` are made
 * from this table alone.
 */
import { isIP } from 'node:net';
import { defaulted, optional, optionalSecret, required, requiredSecret } from './setting.ts';
import {
  absolutePath,
  environmentNames,
  flag,
  hostKeys,
  hostName,
  integer,
  list,
  listenAddress,
  listenAddressOrOff,
  matching,
  namedPaths,
  networks,
  oneOf,
  pathSecret,
  people,
  positiveNumber,
  positiveOrZero,
  postgresAddress,
  quietHours,
  repoOwner,
  repoPatterns,
  seconds,
  signingSecret,
  size,
  text,
  webAddress,
} from './values.ts';

const SECONDS = 'seconds';
/** The steps that are bounded by such a setting have a bound of their own, a little later. */
const HOUR_SECS = 3600;
const chatId = matching(/^[a-z0-9]{26}$/, 'an id of 26 lower-case letters and digits (the id, not the name)');
const userName = matching(/^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/, 'a user name');
const words = list((raw) =>
  /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(raw) ? { value: raw } : { problem: 'is not the name of a network' },
);
/** Interfaces of Linux have at most 15 characters. */
const bridges = list((raw) =>
  /^[A-Za-z0-9_.-]{1,15}$|^[A-Za-z0-9_.-]{1,14}\*$/.test(raw)
    ? { value: raw }
    : { problem: 'is not the name of an interface, nor the beginning of one with a * at the end' },
);
const paths = list((raw) => {
  const path = absolutePath.safeParse(raw);
  return path.success && path.data !== '/' ? { value: path.data } : { problem: 'is not an absolute path below /' };
});
const hosts = list((raw) =>
  /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+$/.test(raw)
    ? { value: raw }
    : { problem: 'is not a host name in lower case' },
);
const addresses = list((raw) => (isIP(raw) === 0 ? { problem: 'is not an address' } : { value: raw }));
const plainWord = matching(/^[A-Za-z0-9][A-Za-z0-9_./:@-]*$/, 'one word without spaces that does not start with "-"');

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

export const workspace = {
  kind: defaulted('SM_WORKSPACE', oneOf('vm', 'local'), 'vm', {
    help: '`vm`: devcontainers on a machine reached over SSH. `local`: agents run on this machine, without containers (for development).',
  }),
  dataDir: defaulted('SM_DATA_DIR', text, './data', {
    help: 'Local workspace: folder for checkouts and the state of agents.',
  }),
  localRepos: defaulted('SM_LOCAL_REPOS', namedPaths, '{}', {
    help: 'Local workspace: short names for repositories on this machine, `name=/path,...` or a JSON object.',
    example: 'demo=/home/me/demo',
  }),
  agentEnv: defaulted('SM_AGENT_ENV', environmentNames, 'ANTHROPIC_API_KEY,ANTHROPIC_BASE_URL', {
    help: "Names of environment variables that are passed on to agents: from the gateway's environment or, on a VM, from SM_VM_SECRETS_FILE. GH_TOKEN and keys of the model are always looked for there.",
  }),
  workerCommand: optional('SM_WORKER_COMMAND', text, {
    help: 'Local workspace: command that starts the agent worker, instead of the installed one.',
    example: 'node agent-worker/dist/main.js',
  }),
};

export const vm = {
  host: required('SM_VM_HOST', hostName, { help: 'SSH host for the container VM.', example: 'vm.example.com' }),
  port: defaulted('SM_VM_PORT', integer(1, 65_535), '22', { help: 'SSH port of the container VM.' }),
  user: defaulted('SM_VM_USER', userName, 'claude', { help: 'SSH user name.' }),
  hostKey: optional('SM_VM_HOST_KEY', hostKeys, {
    help: "The VM's host key: its fingerprint (`ssh-keygen -lf` prints it) or lines of known_hosts. Without it nothing is trusted, and what is shown is told.",
    example: 'SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIDTMczCvj3tD2s',
  }),
  trustOnFirstUse: defaulted('SM_VM_TRUST_ON_FIRST_USE', flag, 'false', {
    help: 'Without SM_VM_HOST_KEY: accept the first host key that is shown, unseen, and no other ever after.',
  }),
  sshKey: optionalSecret('SM_VM_SSH_KEY', {
    help: 'SSH private key content (preferred for Kubernetes).',
    example: 'the text of an OpenSSH private key',
  }),
  sshKeyPath: defaulted('SM_VM_SSH_KEY_PATH', absolutePath, '/secrets/ssh/id_ed25519', {
    help: 'Path to the SSH key file, used if SM_VM_SSH_KEY is not set.',
  }),
  sshTimeoutSecs: defaulted('SM_SSH_TIMEOUT_SECS', seconds(1), '30', {
    unit: SECONDS,
    help: 'Timeout for connecting and for short commands. Cloning and `devcontainer up` have their own.',
  }),
  secretsFile: optional('SM_VM_SECRETS_FILE', absolutePath, {
    help: "File on the VM with what agents are given, as lines of NAME=value, for what the gateway's own environment does not have. Only its owner may be able to read it (mode 0600).",
    example: '/home/claude/.config/csm/secrets',
  }),
};

export const container = {
  runtime: defaulted('SM_CONTAINER_RUNTIME', oneOf('podman', 'docker'), 'podman', { help: 'Container runtime.' }),
  network: defaulted('SM_CONTAINER_NETWORK', plainWord, 'isolated', { help: 'Fallback container network.' }),
  image: defaulted('SM_CONTAINER_IMAGE', plainWord, 'claude-code:latest', { help: 'Fallback container image.' }),
  devcontainerTimeoutSecs: defaulted('SM_DEVCONTAINER_TIMEOUT_SECS', seconds(1, HOUR_SECS), '120', {
    unit: SECONDS,
    help: 'Timeout for `devcontainer up`, at most an hour.',
  }),
  maxStarts: defaulted('SM_CONTAINER_MAX_STARTS', integer(1, 100), '3', {
    help: 'How many containers may be on their way up at the same time; others wait for their turn.',
  }),
  maxSessions: defaulted('SM_CONTAINER_MAX_SESSIONS', integer(1, 1000), '5', {
    help: 'Maximum concurrent sessions per container.',
  }),
  idleTimeoutSecs: defaulted('SM_CONTAINER_IDLE_TIMEOUT_SECS', seconds(1), '1800', {
    unit: SECONDS,
    help: 'Empty containers are removed after this time.',
  }),
  grpcPortStart: defaulted('SM_GRPC_PORT_START', integer(1024, 65_487), '50051', {
    help: 'First port for agent workers; this one and the 48 after it are used.',
  }),
  grpcTransport: defaulted('SM_GRPC_TRANSPORT', oneOf('ssh', 'direct'), 'ssh', {
    help: '`ssh`: workers listen on the VM itself and are reached through SSH. `direct`: they listen on its network, with TLS.',
  }),
  allowHostCommands: defaulted('SM_ALLOW_HOST_COMMANDS', flag, 'false', {
    help: "Accept a devcontainer.json whose `initializeCommand` runs on the VM itself. Anyone who can write to a repository then controls the VM's user.",
  }),
  allowPrivileged: defaulted('SM_ALLOW_PRIVILEGED', flag, 'false', {
    help: 'Accept a devcontainer.json that asks for privileges, host devices, networks, open ports or mounts of the VM. They undo the isolation.',
  }),
  allowedLocalEnv: defaulted('SM_ALLOWED_LOCAL_ENV', environmentNames, 'ANTHROPIC_API_KEY,ANTHROPIC_BASE_URL,LANG,TZ', {
    help: 'Variables that a devcontainer.json may read with its `localEnv`. Every repository that may be started can read them.',
  }),
  allowedNetworks: defaulted('SM_ALLOWED_NETWORKS', words, '[]', {
    help: 'Container networks that a repository may join, besides SM_CONTAINER_NETWORK.',
    example: 'isolated,build',
  }),
  allowedMounts: defaulted('SM_ALLOWED_MOUNTS', paths, '[]', {
    help: 'Folders of the VM that a repository may mount, with all that is below them.',
    example: '/srv/models',
  }),
  workerMount: optional('SM_WORKER_MOUNT', absolutePath, {
    help: 'Folder of the VM with the worker bundle (its own Node and Claude Code), mounted read-only into every container. Not needed for images that have the worker.',
    example: '/opt/csm/worker',
  }),
  memory: defaulted('SM_CONTAINER_MEMORY', size, '8g', {
    help: 'Most memory a container may use: `512m`, `8g`; 0: no limit. A repository may ask for less.',
  }),
  cpus: defaulted('SM_CONTAINER_CPUS', positiveOrZero, '2', {
    help: 'Most processors a container may use, as in `1.5`; 0: no limit. A repository may ask for less.',
  }),
  pids: defaulted('SM_CONTAINER_PIDS', integer(0, 1_000_000), '4096', {
    help: 'Most processes and threads a container may have; 0: no limit. A repository may ask for less.',
  }),
};

export const git = {
  reposBasePath: defaulted('SM_REPOS_BASE_PATH', absolutePath, '/home/claude/repos', {
    help: 'Base path for cloned repositories.',
  }),
  worktreesPath: defaulted('SM_WORKTREES_PATH', absolutePath, '/home/claude/worktrees', {
    help: 'Base path for worktree directories.',
  }),
  baseUrl: defaulted('SM_GIT_BASE_URL', webAddress, 'https://github.com', {
    help: 'Where `org/repo` is cloned from; another address for GitHub Enterprise.',
  }),
  ghToken: optionalSecret('SM_GH_TOKEN', {
    help: 'GitHub token that reads private repositories. Used for each clone and fetch, never stored on the VM.',
    example: 'a fine-grained token with read access to contents',
  }),
  timeoutSecs: defaulted('SM_GIT_TIMEOUT_SECS', seconds(1, HOUR_SECS), '1500', {
    unit: SECONDS,
    help: 'Timeout for cloning or fetching a repository, at most an hour.',
  }),
  autoPull: defaulted('SM_AUTO_PULL', flag, 'false', {
    help: 'Pull repositories before sessions start. Forward only: work that is in the way stays, and the thread is told.',
  }),
  defaultOrg: optional('SM_DEFAULT_ORG', repoOwner, {
    help: 'Default GitHub organisation (allows `start repo`).',
    example: 'acme',
  }),
};

export const firewall = {
  kind: defaulted('SM_FIREWALL', oneOf('opnsense', 'nftables', 'none'), 'opnsense', {
    help: '`opnsense`: approved domains are opened there, for every container. `nftables`: on the VM, for each container alone. `none`: nothing stands between agents and the network.',
  }),
  policyFile: optional('SM_NETWORK_POLICY_FILE', absolutePath, {
    help: 'YAML file with domains that need no question: `allow:` and `never:`. Read when the gateway starts.',
    example: '/etc/csm/network.yaml',
  }),
  baseHosts: defaulted('SM_BASE_HOSTS', hosts, 'api.anthropic.com', {
    help: 'Hosts that every agent needs: open for all containers with `nftables`; expected in the alias with `opnsense`.',
    example: 'api.anthropic.com,platform.claude.com',
  }),
  grantHours: defaulted('SM_GRANT_HOURS', positiveNumber, '8', {
    unit: 'hours',
    help: 'How long a domain stays open that was approved for a whole repository.',
  }),
  admins: defaulted('SM_ADMINS', people, '[]', {
    help: 'User names or ids that may open a domain for good, for everybody (empty = nobody).',
    example: 'alice',
  }),
};

export const nftables = {
  command: defaulted('SM_NFT_COMMAND', text, 'sudo -n nft', {
    help: 'What runs nft on the VM with the rights it needs.',
  }),
  bridges: required('SM_NFT_BRIDGES', bridges, {
    help: 'Bridges of the VM that containers are on, such as that of SM_CONTAINER_NETWORK (`podman network inspect` names it). A `*` at the end stands for the rest of a name: `podman*`.',
    example: 'podman1',
  }),
  resolvers: required('SM_NFT_RESOLVERS', addresses, {
    help: 'Addresses of the VM where its resolver for containers listens.',
    example: '10.89.0.1',
  }),
  namesFolder: defaulted('SM_NFT_NAMES_FOLDER', absolutePath, '/run/csm/names', {
    help: 'Folder of the VM from which that resolver reads names (`hostsdir` of dnsmasq).',
  }),
};

export const opnsense = {
  url: required('SM_OPNSENSE_URL', webAddress, {
    help: 'OPNsense firewall API URL.',
    example: 'https://opnsense.example.com',
  }),
  key: requiredSecret('SM_OPNSENSE_KEY', { help: 'OPNsense API key.', example: 'the key of the API user' }),
  secret: requiredSecret('SM_OPNSENSE_SECRET', { help: 'OPNsense API secret.', example: 'the secret of the API user' }),
  alias: defaulted(
    'SM_OPNSENSE_ALIAS',
    matching(/^[A-Za-z_][A-Za-z0-9_]{0,31}$/, 'the name of an alias'),
    'llm_approved_domains',
    {
      help: 'Firewall alias name to manage.',
    },
  ),
  verifyTls: defaulted('SM_OPNSENSE_VERIFY_TLS', flag, 'true', { help: 'Verify TLS for the OPNsense API.' }),
  caFile: optional('SM_OPNSENSE_CA_FILE', absolutePath, {
    help: 'PEM file with the certificate of its authority, or its own if it is self-signed.',
    example: '/etc/csm/opnsense.pem',
  }),
  timeoutSecs: defaulted('SM_OPNSENSE_TIMEOUT_SECS', seconds(1), '30', {
    unit: SECONDS,
    help: 'HTTP timeout for the OPNsense API.',
  }),
};

export const server = {
  callbackUrl: defaulted('SM_CALLBACK_URL', webAddress, 'http://session-manager:8000/callback', {
    help: 'Callback URL for Mattermost; the server must be able to reach it.',
  }),
  callbackSecret: requiredSecret(
    'SM_CALLBACK_SECRET',
    {
      help: 'HMAC shared secret for callback verification; at least 16 characters.',
      example: 'the output of: openssl rand -hex 32',
    },
    signingSecret,
  ),
  callbackPathSecret: optionalSecret(
    'SM_CALLBACK_PATH_SECRET',
    {
      help: 'Only calls to `/callback/<this>` are taken; buttons call SM_CALLBACK_URL with it at the end. 20 to 200 letters, digits, `-` or `_`.',
      example: 'the output of: openssl rand -hex 16',
    },
    pathSecret,
  ),
  callbackSources: defaulted('SM_CALLBACK_SOURCES', networks, '[]', {
    help: 'Where clicks may come from: addresses or networks of the Mattermost server (empty = from anywhere).',
    example: '10.0.3.7',
  }),
  listenAddr: defaulted('SM_LISTEN_ADDR', listenAddress, '0.0.0.0:8000', { help: 'Server bind address.' }),
  rateLimitRps: defaulted('SM_RATE_LIMIT_RPS', positiveNumber, '10', {
    unit: 'requests per second',
    help: 'Requests per second per IP.',
  }),
  rateLimitBurst: defaulted('SM_RATE_LIMIT_BURST', integer(1, 1_000_000), '20', { help: 'Rate limit burst size.' }),
  trustedProxies: defaulted('SM_TRUSTED_PROXIES', networks, '[]', {
    help: 'Proxies whose X-Forwarded-For is believed: addresses or networks (empty = none).',
    example: '10.0.0.0/8',
  }),
  startWaitSecs: defaulted('SM_START_WAIT_SECS', seconds(0), '0', {
    unit: SECONDS,
    help: 'How long a starting gateway waits for a database or a Mattermost that cannot be reached, before it ends and says so.',
  }),
  logLevel: defaulted('SM_LOG_LEVEL', oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace'), 'info', {
    help: 'How much is logged: fatal, error, warn, info, debug or trace.',
  }),
};

export const inspector = {
  addr: defaulted('SM_INSPECTOR_ADDR', listenAddressOrOff, '127.0.0.1:8001', {
    help: 'Bind address of the statechart inspector; `off` for none. It shows everything: anywhere but on loopback it needs SM_INSPECTOR_TOKEN.',
  }),
  token: optionalSecret(
    'SM_INSPECTOR_TOKEN',
    {
      help: 'Who opens the inspector must know this; at least 16 characters. Not needed on loopback.',
      example: 'the output of: openssl rand -hex 32',
    },
    signingSecret,
  ),
  allowSend: defaulted('SM_INSPECTOR_ALLOW_SEND', flag, 'false', {
    help: 'Allow operator actions in the inspector: retry, skip, restart, stop. Otherwise it can only look.',
  }),
};

export const database = {
  url: requiredSecret(
    'SM_DATABASE_URL',
    { help: 'PostgreSQL connection URL.', example: 'postgres://user:pass@postgres:5432/session_manager' },
    postgresAddress,
  ),
  poolSize: defaulted('SM_DATABASE_POOL_SIZE', integer(1, 1000), '5', { help: 'PostgreSQL connection pool size.' }),
};

export const sessions = {
  livenessTimeoutSecs: defaulted('SM_SESSION_LIVENESS_TIMEOUT_SECS', seconds(1), '120', {
    unit: SECONDS,
    help: 'A turn that runs without a sign of life for this long is warned about in its thread.',
  }),
  agentIdleSecs: defaulted('SM_AGENT_IDLE_SECS', seconds(1), '900', {
    unit: SECONDS,
    help: "An idle session's agent process is ended after this time; the next message wakes it.",
  }),
  approvalTimeoutSecs: defaulted('SM_APPROVAL_TIMEOUT_SECS', seconds(0), '0', {
    unit: SECONDS,
    help: 'Requests nobody answers expire after this time (0 = never).',
  }),
  approvalRemindSecs: defaulted('SM_APPROVAL_REMIND_SECS', seconds(0), '3600', {
    unit: SECONDS,
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
    unit: SECONDS,
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

const DOLLARS = 'dollars';

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

export const retention = {
  eventsDays: defaulted('SM_RETENTION_EVENTS_DAYS', integer(1, 3650), '14', {
    unit: 'days',
    help: 'How long events and effects that are done with are kept. Longer than any gateway is ever down.',
  }),
  sessionsDays: defaulted('SM_RETENTION_SESSIONS_DAYS', integer(1, 3650), '90', {
    unit: 'days',
    help: 'How long the database keeps what was said in sessions that ended, and dead letters nobody looked at. Threads stay as they are.',
  }),
  journalRows: defaulted('SM_RETENTION_JOURNAL_ROWS', integer(10, 1_000_000), '200', {
    help: 'How many steps of each actor the journal keeps, besides its first.',
  }),
};
