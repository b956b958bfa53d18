/** How the devcontainer CLI is called. Written against 0.89. */
import type { Command, Runtime } from './shell.ts';

/**
 * Everything `${localEnv:...}`, compose files and the runtime could read of the VM user's environment: what programs need
 * to work, and nothing that is a secret.
 */
const KEPT_VARIABLES = `PATH HOME USER LOGNAME SHELL LANG LC_ALL TZ TMPDIR XDG_RUNTIME_DIR XDG_CONFIG_HOME XDG_DATA_HOME
  XDG_CACHE_HOME DBUS_SESSION_BUS_ADDRESS DOCKER_HOST DOCKER_CONFIG DOCKER_CONTEXT CONTAINER_HOST CONTAINERS_CONF
  CONTAINERS_STORAGE_CONF CONTAINERS_REGISTRIES_CONF REGISTRY_AUTH_FILE HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy
  https_proxy no_proxy SSL_CERT_FILE SSL_CERT_DIR NODE_EXTRA_CA_CERTS`.split(/\s+/);

const CLEAN = `
keep=" $1 " lock=$2
shift 2
for name in $(env | sed -n 's/^\\([A-Za-z_][A-Za-z0-9_]*\\)=.*/\\1/p'); do
  case "$keep" in *" $name "*) ;; *) unset "$name" ;; esac
done
command -v "$1" >/dev/null 2>&1 || { echo "$1: not found" >&2; exit 127; }
[ -n "$lock" ] || exec "$@"
# The command and what it leaves behind do not hold the lock; this shell does, as long as the command runs.
exec 9>>"$lock" && flock 9 || exit 1
"$@" 9>&-
exit $?
`;

/**
 * The command in an environment without the VM user's secrets.
 * @param more variables it may see besides
 * @param lock a file of the VM: of several such commands one runs at a time
 */
export function inCleanEnvironment(words: readonly string[], more: readonly string[], lock = ''): Command {
  return { script: CLEAN, args: [[...KEPT_VARIABLES, ...more].join(' '), lock, ...words] };
}

export interface CliCall {
  readonly runtime: Runtime;
  /** The checkout. */
  readonly checkout: string;
  /** The repository's own file, for relative paths; null if it has none. */
  readonly configFile: string | null;
  readonly overrideFile: string;
  /** Absolute (a relative one breaks compose), outside the checkout. */
  readonly userData: string;
  /** `name=value`. */
  readonly idLabel: string;
  /** Compose program; null: the runtime's own. */
  readonly composePath: string | null;
}

/**
 * `--no-lockfile`: the CLI would write one into the checkout. `--gpu-availability none`: no devices of the VM.
 * `--skip-post-attach`: nobody attaches an editor, and templates like to start a server there that never ends.
 */
export function upWords(call: CliCall): readonly string[] {
  return [
    'devcontainer',
    'up',
    ...commonWords(call),
    '--no-lockfile',
    '--skip-post-attach',
    '--gpu-availability',
    'none',
    '--update-remote-user-uid-default',
    'off',
  ];
}

/** Runs nothing of the repository; may fetch the image, whose labels are part of the answer. */
export function readConfigurationWords(call: CliCall): readonly string[] {
  return [
    'devcontainer',
    'read-configuration',
    ...commonWords(call),
    '--include-features-configuration',
    '--include-merged-configuration',
  ];
}

function commonWords(call: CliCall): readonly string[] {
  return [
    '--docker-path',
    call.runtime,
    ...(call.composePath === null ? [] : ['--docker-compose-path', call.composePath]),
    '--workspace-folder',
    call.checkout,
    '--mount-workspace-git-root',
    'false',
    ...(call.configFile === null ? [] : ['--config', call.configFile]),
    '--override-config',
    call.overrideFile,
    '--id-label',
    call.idLabel,
    '--user-data-folder',
    call.userData,
    '--log-format',
    'json',
  ];
}
