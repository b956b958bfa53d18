/** What can go wrong while a devcontainer is brought up, in words for the thread: the cause and the next step. */
import { RetryableError, TerminalError } from '../../actors/index.ts';

/** What shells, Node and the CLI say of a program that the kernel ended when it took more than there was. */
const OUT_OF_MEMORY = /\bexit code 137\b|^Killed$|heap out of memory|cannot allocate memory/i;

/** As shells tell of a program that a signal ended. */
const ENDED_BY_SIGNAL: readonly number[] = [128 + 9, 128 + 15];

/** A command of the repository failed in the container, which runs and is kept. */
export class StartCommandError extends TerminalError {
  /** Full id. */
  readonly containerId: string;
  constructor(command: string, containerId: string, lines: readonly string[]) {
    const memory = lines.some((line) => OUT_OF_MEMORY.test(line))
      ? ' It was ended for want of memory, as it seems: a container may use what `SM_CONTAINER_MEMORY` and its own `--memory` say.'
      : '';
    super('DEVCONTAINER_COMMAND_FAILED', `${command} failed in ${containerId}`, {
      human: `The repository's ${command} failed.${memory}${shown(lines)}\nThe container was kept. Mend the command, push, and start again.`,
    });
    this.containerId = containerId;
  }
}

export interface Failed {
  /** The CLI's own summary; never its `message`, which holds command lines. */
  readonly description: string;
  /** Full id, if there is a container; else empty. */
  readonly containerId: string;
  /** Last lines that programs printed, without secrets. */
  readonly lines: readonly string[];
  /** Of the CLI's end, without secrets; to recognise things by, not to show. */
  readonly message: string;
  readonly exitCode: number;
}

/** One place where what programs say becomes one of our words. */
export function upError(failed: Failed): TerminalError | RetryableError {
  const said = [...failed.lines, failed.description, failed.message].join('\n');
  const is = (pattern: RegExp): boolean => pattern.test(said);
  const command = /(initialize|onCreate|updateContent|postCreate|postStart|postAttach)Command/.exec(
    failed.description,
  )?.[0];
  if (failed.exitCode === 127 && is(/devcontainer: not found/)) {
    return terminal(
      'DEVCONTAINER_CLI_MISSING',
      said,
      [],
      'The devcontainer CLI is not installed on the VM, or not in the PATH of its user. Install it there: `npm install -g @devcontainers/cli`.',
    );
  }
  if (
    is(
      /spawn (podman|docker) ENOENT|(podman|docker): (command )?not found|Cannot connect to the Docker daemon|Cannot connect to Podman/i,
    )
  ) {
    return terminal(
      'CONTAINER_RUNTIME_MISSING',
      said,
      [],
      'The container runtime does not work on the VM. Install it or start it, and check SM_CONTAINER_RUNTIME.',
    );
  }
  if (ENDED_BY_SIGNAL.includes(failed.exitCode) && failed.description === '') {
    return new RetryableError('DEVCONTAINER_KILLED', said, {
      human:
        "On the VM the devcontainer CLI was ended from outside in the middle of its work, most likely for want of memory. It will be tried again; if that repeats, look at the VM's memory and its system log.",
    });
  }
  if (is(/no space left on device|disk quota exceeded/i)) {
    return terminal(
      'VM_DISK_FULL',
      said,
      [],
      'The disk of the VM is full. Free some space there (old images: `podman image prune`), then retry.',
    );
  }
  if (is(/address already in use|port is already allocated|ports? .{0,40} already (in use|bound)/i)) {
    return new RetryableError('PORT_TAKEN', said, {
      human: 'Another program on the VM has taken the port in the meantime. Another one will be tried.',
    });
  }
  // crun's words; Podman of a user who is not root may limit only what systemd delegates to that user.
  const controller =
    /requested cgroup controller [`'"]?(\w+)|opening file [`'"]?(\w+)\.\S+ for writing: Permission denied/.exec(said);
  if (controller !== null) {
    const name = controller[1] ?? controller[2] ?? '';
    return terminal(
      'LIMITS_REFUSED',
      said,
      [],
      `The VM's user may not limit \`${name}\` for containers. Let systemd delegate it (\`Delegate=cpu cpuset io memory pids\` below \`[Service]\` in /etc/systemd/system/user@.service.d/delegate.conf, then log in anew), or do without the limit (SM_CONTAINER_CPUS=0, SM_CONTAINER_MEMORY=0, SM_CONTAINER_PIDS=0).`,
    );
  }
  if (command !== undefined && failed.containerId !== '') {
    return new StartCommandError(command, failed.containerId, failed.lines);
  }
  if (is(/(network|unable to find network).{0,80}(not found|no such network)|unable to find network/i)) {
    return terminal(
      'NETWORK_MISSING',
      said,
      failed.lines,
      'The network that the container shall join does not exist on the VM. Create it there (`podman network create NAME`) or change SM_CONTAINER_NETWORK.',
    );
  }
  if (
    is(
      /manifest unknown|pull access denied|repository .{0,80}(does not exist|not found)|name unknown|requested access to the resource is denied|did not resolve to an alias|unauthorized: /i,
    )
  ) {
    return terminal(
      'IMAGE_NOT_FOUND',
      said,
      failed.lines,
      'The image does not exist, or the VM may not fetch it. Check its name, and log in on the VM if it is private.',
    );
  }
  if (
    is(
      /initializing source docker:\/\/|pinging container registry|Command failed: \S+ pull |failed to resolve source metadata/i,
    )
  ) {
    return new RetryableError('IMAGE_UNREACHABLE', said, {
      human: `The image cannot be fetched: its registry does not answer.${shown(failed.lines)}\nCheck the image's name and the VM's way to the registry.`,
    });
  }
  if (is(/Command failed: \S+ (buildx )?build |error occurred building the image|compose\b.* build/i)) {
    return terminal(
      'DEVCONTAINER_BUILD_FAILED',
      said,
      failed.lines,
      'The image could not be built. Mend the Dockerfile or the Features, push, and start again.',
    );
  }
  return terminal('DEVCONTAINER_UP_FAILED', said, failed.lines, 'The container could not be started.');
}

export function upTimeout(seconds: number, last: string, cause: unknown): TerminalError {
  const where = last === '' ? '' : ` It was at: ${last}`;
  return new TerminalError('DEVCONTAINER_TIMEOUT', `devcontainer up: not done within ${seconds} s. ${last}`, {
    human: `Bringing up the container took longer than ${seconds} seconds and was ended.${where} If it needs that long, raise SM_DEVCONTAINER_TIMEOUT_SECS; if a start command never ends, let it.`,
    cause,
  });
}

function terminal(code: string, said: string, lines: readonly string[], human: string): TerminalError {
  return new TerminalError(code, said.slice(-4000), { human: `${human}${shown(lines)}` });
}

/** The end of what was printed, as a block of code that it cannot leave. */
export function shown(lines: readonly string[]): string {
  const last = lines.slice(-8).map((line) => line.replaceAll('```', "'''").slice(0, 300));
  return last.length === 0 ? '' : `\n\`\`\`\n${last.join('\n')}\n\`\`\``;
}
