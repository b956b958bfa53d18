/**
 * What containers were made of and for, noted on the VM: their checkouts outlive them, and are looked at with the same image
 * and as the same user. The time of a note is the time of the container's last use.
 */
import { posix } from 'node:path';
import { z } from 'zod';
import { RetryableError } from '../../actors/index.ts';
import { type Container, volumesOf } from '../../adapters/devcontainer/index.ts';
import { type OfContainer, ownerOf, stateRoot, type VmWorkspace } from './ports.ts';

type Ports = Pick<VmWorkspace, 'host' | 'git' | 'instance'>;
type OfBranch = Pick<OfContainer, 'repo'>;

const IMAGE = /^(?:sha256:)?[0-9a-f]{64}$/;

const Note = z.object({
  /** Full id. */
  image: z.string().regex(IMAGE),
  user: z.string().min(1),
  /** `org/name`. */
  repo: z.string(),
  /** Empty: the default branch. */
  branch: z.string(),
});

export type Origin = Readonly<z.infer<typeof Note>>;

const LIMIT_BYTES = 64 * 1024;

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
  const { repo, branch } = of.repo;
  const stdin = `${JSON.stringify({ image: imageId, user, repo, branch } satisfies Origin)}\n`;
  const { code, stderr } = await ports.host.shell.exec(command, { signal, stdin });
  if (code !== 0) throw new RetryableError('VM_FOLDER', `note an origin: exit code ${code}: ${stderr.trim()}`);
}

/** $1 folder, $2 days. Notes that are older, each with its name in the line before it. */
const OLD = `
cd -- "$1" 2>/dev/null || exit 0
find . -maxdepth 1 -type f -name "csm-home-*" -mtime +"$2" | head -n 50 | while read -r note; do
  printf "%s\\n" "\${note#./}"
  head -n 1 -- "$note"
done
`;

/** Of containers that were not used for so long: the names of their notes, and what they were for. */
export async function oldOrigins(ports: Ports, days: number, signal: AbortSignal) {
  const command = { script: OLD, args: [originsFolder(ports), String(days)] };
  const { stdout } = await ports.host.shell.exec(command, { signal });
  const lines = stdout.split('\n');
  return lines.flatMap((note, index) => {
    const origin = index % 2 === 0 ? parse(lines[index + 1] ?? '') : undefined;
    return origin === undefined ? [] : [{ note, repo: { repo: origin.repo, source: '', branch: origin.branch } }];
  });
}

/** Looked at again when it is as old as this one: `keep`; or never: not. */
export async function settleOrigin(ports: Ports, note: string, keep: boolean, signal: AbortSignal): Promise<void> {
  const command = [...(keep ? ['touch'] : ['rm', '-f']), '--', posix.join(originsFolder(ports), note)];
  await ports.host.shell.exec(command, { signal });
}

export async function originOf(ports: Ports, of: OfBranch, signal: AbortSignal): Promise<Origin | undefined> {
  const file = posix.join(originsFolder(ports), nameOf(ports, of));
  return parse((await ports.host.shell.readFile(file, LIMIT_BYTES, signal))?.toString() ?? '');
}

function parse(text: string): Origin | undefined {
  try {
    return Note.safeParse(JSON.parse(text)).data;
  } catch {
    // None, or half of one: it is as if there were no note.
    return undefined;
  }
}

function originsFolder(ports: Ports): string {
  return posix.join(stateRoot(ports), 'origins');
}

/** Like its agents' home, it is of a branch, whatever the generation. */
function nameOf(ports: Ports, { repo }: OfBranch): string {
  return volumesOf(ownerOf(ports, { repo, generation: 0 })).home;
}
