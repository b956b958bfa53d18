/**
 * What containers were made of, noted on the VM: their checkouts outlive them, and are looked at with the same image and as
 * the same user. The time of a note is the time of its last use.
 */
import { posix } from 'node:path';
import { RetryableError } from '../../actors/index.ts';
import { type Container, volumesOf } from '../../adapters/devcontainer/index.ts';
import { type OfContainer, ownerOf, stateRoot, type VmWorkspace } from './ports.ts';

type Ports = Pick<VmWorkspace, 'host' | 'git' | 'instance'>;
type OfBranch = Pick<OfContainer, 'repo'>;

export interface Origin {
  /** Full id of the image. */
  readonly image: string;
  readonly user: string;
}

const TIMEOUT_MS = 30_000;
const IMAGE = /^(?:sha256:)?[0-9a-f]{64}$/;

/** $1 folder, $2 name; the note is on stdin. */
const WRITE = `
umask 077
mkdir -p -- "$1" && cat >"$1/.$2.new" && mv -f -- "$1/.$2.new" "$1/$2"
`;

/** Nothing is noted of a container whose runtime does not name its image by an id. */
export async function noteOrigin(
  ports: Ports,
  of: OfBranch,
  { imageId }: Pick<Container, 'imageId'>,
  user: string,
  signal: AbortSignal,
): Promise<void> {
  if (!IMAGE.test(imageId)) return;
  const command = { script: WRITE, args: [originsFolder(ports), nameOf(ports, of)] };
  const stdin = `${[imageId, user].join('\n')}\n`;
  const { code, stderr } = await ports.host.shell.exec(command, { timeoutMs: TIMEOUT_MS, signal, stdin });
  if (code !== 0) throw new RetryableError('VM_FOLDER', `note an origin: exit code ${code}: ${stderr.trim()}`);
}

export async function originOf(ports: Ports, of: OfBranch, signal: AbortSignal): Promise<Origin | undefined> {
  const file = posix.join(originsFolder(ports), nameOf(ports, of));
  const text = (await ports.host.shell.readFile(file, 4096, signal))?.toString() ?? '';
  const [image = '', user = ''] = text.split('\n');
  return IMAGE.test(image) && user !== '' ? { image, user } : undefined;
}

function originsFolder(ports: Ports): string {
  return posix.join(stateRoot(ports), 'origins');
}

/** Like its agents' home, it is of a branch, whatever the generation. */
function nameOf(ports: Ports, { repo }: OfBranch): string {
  return volumesOf(ownerOf(ports, { repo, generation: 0 })).home;
}
