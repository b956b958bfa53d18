/** Why a worker does not run in its container, in words for the thread: the cause and the next step. */
import { RetryableError, TerminalError } from '../../actors/index.ts';
import { shown } from './errors.ts';

/** What START says when there is no worker to talk to. */
export interface Refusal {
  /** The first word. */
  readonly reason: string;
  /** The rest of its line. */
  readonly detail: string;
  /** What programs said after that, without secrets. */
  readonly lines: readonly string[];
}

interface Place {
  readonly port: number;
}

/** One place where what the container says becomes one of our errors. */
export function workerError({ reason, detail, lines }: Refusal, { port }: Place): TerminalError | RetryableError {
  switch (reason) {
    case 'no-worker':
      return terminal(
        'WORKER_MISSING',
        "The container's image has no agent worker. Set SM_WORKER_MOUNT, which brings one into every container, or install `agent-worker` in the image.",
      );
    case 'writable':
      return terminal(
        'WORKER_NOT_TRUSTED',
        `The image's agent worker (${detail}) lies where the agent could change it. Install it for root (in /usr/local/bin), or set SM_WORKER_MOUNT.`,
      );
    case 'no-mount':
      return terminal(
        'WORKER_BUNDLE_MISSING',
        'The worker bundle is not mounted in this container: it was made before SM_WORKER_MOUNT was set. `@claude stop --container` and start anew.',
      );
    case 'no-variant': {
      const [wanted = '', ...there] = detail.split(' ');
      const found = there.filter((name) => name !== 'linux-*');
      return terminal(
        'WORKER_BUNDLE_VARIANT',
        `This image needs a worker bundle for ${variantInWords(wanted)}, and SM_WORKER_MOUNT has ${found.length === 0 ? 'none at all' : `only ${found.join(', ')}`}. Add it there (\`npm run worker:bundle\`), or use another image.`,
      );
    }
    case 'old-node':
      return terminal(
        'WORKER_NODE_TOO_OLD',
        `The image's Node (${detail}) is too old for the agent worker, which needs 20.18 or newer. Update it, or set SM_WORKER_MOUNT, which brings its own.`,
      );
    case 'no-user':
      return terminal(
        'WORKER_USER_MISSING',
        `The image has no user \`${detail}\`. Mend \`remoteUser\` in devcontainer.json.`,
      );
    case 'unusable':
      return unusable(detail, lines);
    case 'ended':
      return ended(detail, lines, port);
    case 'other':
      return new RetryableError('WORKER_OF_ANOTHER', `The container's worker was started for ${detail} meanwhile`, {
        human: 'Another start of this container is under way. It is tried again.',
      });
    case 'held':
      return new RetryableError('WORKER_VOLUME_HELD', 'A worker in another container has the same volume', {
        human: 'An earlier container of this repository still runs and has the agent’s volume. It is tried again.',
      });
    case 'late':
      return new RetryableError('WORKER_LATE', `The worker does not serve: ${lines.join('\n')}`, {
        human: `The agent worker did not get ready in time.${shown(lines)}`,
      });
    default:
      return new RetryableError('WORKER_ANSWER', `Unknown answer: ${reason} ${detail} ${lines.join('\n')}`, {
        human: `The agent worker could not be started.${shown(lines)}`,
      });
  }
}

function variantInWords(variant: string): string {
  const [, arch = '', libc = ''] = variant.split('-');
  const system = libc === 'musl' ? 'musl (Alpine)' : libc;
  return `${arch} with ${libc === 'unknown' ? 'no C library that is known' : system} (${variant})`;
}

/** It cannot even say its version. */
function unusable(code: string, lines: readonly string[]): TerminalError {
  const said = lines.join('\n');
  if (/version .GLIBC_|GLIBCXX_/.test(said)) {
    return terminal(
      'WORKER_LIBC_TOO_OLD',
      "The image's C library is too old for the agent worker's Node. Use a newer base image.",
      lines,
    );
  }
  if (/Exec format error|cannot execute binary file|\bELF/i.test(said)) {
    return terminal(
      'WORKER_ARCHITECTURE',
      "The agent worker's Node is made for another architecture than this container's.",
      lines,
    );
  }
  if (/error while loading shared libraries|Error loading shared library/.test(said)) {
    return terminal(
      'WORKER_LIBRARY_MISSING',
      "The image lacks a library that the agent worker's Node needs. Install it in the image (Debian: `libstdc++6`).",
      lines,
    );
  }
  return terminal('WORKER_UNUSABLE', `The agent worker cannot be run in this container (exit code ${code}).`, lines);
}

function ended(code: string, lines: readonly string[], port: number): TerminalError {
  if (/EADDRINUSE|address already in use/i.test(lines.join('\n'))) {
    return terminal(
      'WORKER_PORT_TAKEN',
      `Port ${port} inside the container is taken by another program of the repository. It is the agent worker's: let that program use another one.`,
    );
  }
  return terminal('WORKER_FAILED', `The agent worker ended as soon as it was started (exit code ${code}).`, lines);
}

function terminal(code: string, human: string, lines: readonly string[] = []): TerminalError {
  return new TerminalError(code, [human, ...lines].join('\n').slice(0, 4000), { human: `${human}${shown(lines)}` });
}
