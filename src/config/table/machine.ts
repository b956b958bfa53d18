/** Where agents work. */
import { defaulted, optional, optionalSecret, required } from '../setting.ts';
import {
  absolutePath,
  environmentNames,
  flag,
  hostKeys,
  hostName,
  integer,
  list,
  matching,
  namedPaths,
  oneOf,
  positiveOrZero,
  repoOwner,
  seconds,
  size,
  text,
  webAddress,
} from '../values.ts';

/** The steps that are bounded by such a setting have a bound of their own, a little later. */
const HOUR_SECS = 3600;
const userName = matching(/^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/, 'a user name');
const words = list((raw) =>
  /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(raw) ? { value: raw } : { problem: 'is not the name of a network' },
);
const paths = list((raw) => {
  const path = absolutePath.safeParse(raw);
  return path.success && path.data !== '/' ? { value: path.data } : { problem: 'is not an absolute path below /' };
});
const plainWord = matching(/^[A-Za-z0-9][A-Za-z0-9_./:@-]*$/, 'one word without spaces that does not start with "-"');

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
    unit: 'seconds',
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
    unit: 'seconds',
    help: 'Timeout for `devcontainer up`, at most an hour.',
  }),
  maxStarts: defaulted('SM_CONTAINER_MAX_STARTS', integer(1, 100), '3', {
    help: 'How many containers may be on their way up at the same time; others wait for their turn.',
  }),
  maxSessions: defaulted('SM_CONTAINER_MAX_SESSIONS', integer(1, 1000), '5', {
    help: 'Maximum concurrent sessions per container.',
  }),
  idleTimeoutSecs: defaulted('SM_CONTAINER_IDLE_TIMEOUT_SECS', seconds(1), '1800', {
    unit: 'seconds',
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
    unit: 'seconds',
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
