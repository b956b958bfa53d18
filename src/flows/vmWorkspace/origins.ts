/**
 * What containers were made of and for, noted on the VM: their checkouts outlive them, and are looked at with the same image
 * and as the same user. The time of a note is the time of the container's last use.
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
  const stdin = `${[imageId, user, of.repo.repo, of.repo.branch].join('\n')}\n`;
  const { code, stderr } = await ports.host.shell.exec(command, { timeoutMs: TIMEOUT_MS, signal, stdin });
  if (code !== 0) throw new RetryableError('VM_FOLDER', `note an origin: exit code ${code}: ${stderr.trim()}`);
}

/** $1 folder, $2 days. Notes that are older, each with its name before it and U+0000 behind it. */
const OLD = `
cd -- "$1" 2>/dev/null || exit 0
find . -maxdepth 1 -type f -name "csm-home-*" -mtime +"$2" | head -n 50 | while read -r note; do
  printf "%s\\n" "\${note#./}"
  cat -- "$note"
  printf "\\0"
done
`;

/** Of containers that were not used for so long: the names of their notes, and what they were for. */
export async function oldOrigins(ports: Ports, days: number, signal: AbortSignal) {
  const command = { script: OLD, args: [originsFolder(ports), String(days)] };
  const { stdout } = await ports.host.shell.exec(command, { timeoutMs: TIMEOUT_MS, signal });
  return stdout
    .split('\0')
    .map((text) => text.split('\n'))
    .flatMap(([note = '', , , repo = '', branch = '']) =>
      repo === '' ? [] : [{ note, repo: { repo, source: '', branch } }],
    );
}

/** Looked at again when it is as old as this one: `keep`; or never: not. */
export async function settleOrigin(ports: Ports, note: string, keep: boolean, signal: AbortSignal): Promise<void> {
  const command = [...(keep ? ['touch'] : ['rm', '-f']), '--', posix.join(originsFolder(ports), note)];
  await ports.host.shell.exec(command, { timeoutMs: TIMEOUT_MS, signal });
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
