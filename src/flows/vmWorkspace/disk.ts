/**
 * The VM's disk: what is ours and was not used for long goes, and a nearly full disk is told of before it is full.
 *
 * | what | goes |
 * |---|---|
 * | image that was built for a container of ours, also one whose name a later build has taken | unused for two weeks, or for a day on a nearly full disk |
 * | volume with agents' homes, volumes of repositories | unused for as long as sessions are kept |
 * | mirror | not fetched into for as long as sessions are kept; it is made again when it is needed |
 * | main checkout | unused for as long as sessions are kept, and clean and pushed: see `unusedCheckouts` |
 * | worktree | when its session stops, if it is clean and pushed |
 * | logs of workers, which hold at most a few megabytes each | with the agents' homes they are in |
 * | what is left of a checkout that was removed, or never finished | after a day |
 *
 * What was used is noted on the VM beside the containers' folders; what is not noted is not ours and stays.
 */
import { posix } from 'node:path';
import { RetryableError } from '../../actors/index.ts';
import { type Container, listOurs, type Owner, projectOf, volumesOf } from '../../adapters/devcontainer/index.ts';
import { stateRoot, type VmWorkspace } from './ports.ts';

const TIMEOUT_MS = 120_000;
/** Percent of a file system that is in use. */
const NEARLY_FULL = 90;
const IMAGE_DAYS = { usually: 14, nearlyFull: 1 } as const;

type Ports = Pick<VmWorkspace, 'host' | 'git' | 'instance'>;

/** $1 folder, then names. The time of a note is the time of its last use. */
const NOTE = `
folder=$1
shift
umask 077
mkdir -p -- "$folder" || exit 1
for name; do : >"$folder/$name" || exit 1; done
`;

/** Images that are built for containers of ours are named like this; others were there before us. */
const BUILT = /^(?:localhost\/)?(?:vsc-[A-Za-z0-9_.-]+|csm-[0-9a-f]{12}-\d+)(?::[A-Za-z0-9_.-]+)?$/;

/** Notes that the containers of a branch, their images and their volumes are in use. */
export function noteUse(
  ports: Ports,
  owner: Owner,
  containers: readonly Container[],
  signal: AbortSignal,
): Promise<void> {
  return keepNotes(ports, notesOf(owner, containers), signal);
}

/** The same of all that are there: what was used until a moment ago must not look as if it had last been used when it was made. */
async function noteAllThatAreThere(ports: Ports, signal: AbortSignal): Promise<void> {
  const { host, instance } = ports;
  const notes = (await listOurs(host, instance, signal)).flatMap((container) => {
    const { 'csm.repo': repo = '', 'csm.branch': branch = '', 'csm.generation': generation } = container.labels;
    return notesOf({ instance, repo, branch, generation: Number(generation) }, [container]);
  });
  if (notes.length > 0) await keepNotes(ports, notes, signal);
}

function notesOf(owner: Owner, containers: readonly Container[]): readonly string[] {
  const { home, prefix } = volumesOf(owner);
  // A compose project's own have its name in front.
  const isOurs = (name: string) => name.startsWith(prefix) || name.startsWith(`${projectOf(owner)}_`);
  const volumes = containers.flatMap((container) => container.volumes).filter(isOurs);
  // By its id, too: the next build takes the name away from it.
  const images = containers
    .filter(({ image }) => BUILT.test(image))
    .flatMap(({ image, imageId }) => [image, imageId.replace(/^sha256:/, '')])
    .filter((name) => name !== '');
  return [
    ...[home, ...volumes].map((name) => `volume=${name}`),
    ...images.map((name) => `image=${name.replaceAll('/', '%')}`),
  ];
}

async function keepNotes(ports: Ports, notes: readonly string[], signal: AbortSignal): Promise<void> {
  const args = [usedFolder(ports), ...new Set(notes)];
  const { code, stderr } = await ports.host.shell.exec({ script: NOTE, args }, { signal });
  if (code !== 0) throw new RetryableError('VM_FOLDER', `note use: exit code ${code}: ${stderr.trim()}`);
}

function usedFolder(ports: Ports): string {
  return posix.join(stateRoot(ports), 'used');
}

/** $1 runtime, $2 folder of notes, $3 days for images, $4 days for volumes, $5 mirrors, then roots of checkouts. What is in use refuses to go. */
const PRUNE = `
runtime=$1 notes=$2 images=$3 volumes=$4 mirrors=$5
shift 5
if cd -- "$notes" 2>/dev/null; then
  find . -maxdepth 1 -name "image=*" -mtime +"$images" | while read -r note; do
    name=$(printf "%s" "\${note#./image=}" | tr % /)
    # An image that has a name is dealt with by that, and if the name is somebody else's it is theirs.
    case $name in
      *[!0-9a-f]*) ;;
      *) [ "$("$runtime" image inspect --format '{{len .RepoTags}}' "$name" 2>/dev/null || echo 0)" = 0 ] || continue ;;
    esac
    "$runtime" image rm "$name" >/dev/null 2>&1 || "$runtime" image inspect "$name" >/dev/null 2>&1 || rm -f -- "$note"
  done
  find . -maxdepth 1 -name "volume=csm-*" -mtime +"$volumes" | while read -r note; do
    name=\${note#./volume=}
    "$runtime" volume rm "$name" >/dev/null 2>&1 || "$runtime" volume inspect "$name" >/dev/null 2>&1 || rm -f -- "$note"
  done
fi
for root; do
  find "$root/.csm" -mindepth 1 -maxdepth 1 -mtime +0 2>/dev/null | while read -r gone; do
    # Files of a rootless container's users belong to nobody outside of their user namespace.
    rm -rf -- "$gone" 2>/dev/null || "$runtime" unshare rm -rf -- "$gone" 2>/dev/null || echo "$gone"
  done
done
[ -d "$mirrors" ] || exit 0
find "$mirrors" -mindepth 3 -maxdepth 3 -type d -name "*.git" -mtime +"$volumes" | while read -r mirror; do
  stem=\${mirror%.git}
  (flock -n 9 && rm -rf -- "$mirror") 9>>"$stem.lock"
done
`;

export interface DiskState {
  /** Of the fullest of the file systems that hold repositories, worktrees and containers; 0 to 100. */
  readonly percent: number;
  readonly freeBytes: number;
}

/** @param keepDays as long as sessions are kept */
export async function pruneDisk(ports: Ports, keepDays: number, signal: AbortSignal): Promise<DiskState> {
  // On a full disk it may fail, and that is when room must be made; what is in use refuses to go.
  await noteAllThatAreThere(ports, signal).catch(() => undefined);
  signal.throwIfAborted();
  const before = await diskState(ports, signal);
  const days = before.percent >= NEARLY_FULL ? IMAGE_DAYS.nearlyFull : IMAGE_DAYS.usually;
  const mirrors = posix.join(ports.git.reposPath, '.mirrors');
  const roots = [ports.git.reposPath, ports.git.worktreesPath];
  const args = [ports.host.runtime, usedFolder(ports), String(days), String(keepDays), mirrors, ...roots];
  await ports.host.shell.exec({ script: PRUNE, args }, { timeoutMs: TIMEOUT_MS, signal });
  return diskState(ports, signal);
}

export function isNearlyFull({ percent }: DiskState): boolean {
  return percent >= NEARLY_FULL;
}

/** $1 runtime, then folders. One line for each file system: free KiB and percent in use. */
const LOOK = `
runtime=$1
shift
graph=$("$runtime" info --format '{{.Store.GraphRoot}}' 2>/dev/null || "$runtime" info --format '{{.DockerRootDir}}' 2>/dev/null)
for folder in "$@" "$graph"; do [ -d "$folder" ] && df -Pk -- "$folder" | tail -n 1; done | sort -u |
  while read -r device size used free percent rest; do echo "$free \${percent%%%}"; done
`;

export async function diskState({ host, git }: Ports, signal: AbortSignal): Promise<DiskState> {
  const args = [host.runtime, git.reposPath, git.worktreesPath];
  const { stdout } = await host.shell.exec({ script: LOOK, args }, { timeoutMs: TIMEOUT_MS, signal });
  const systems = stdout
    .split('\n')
    .map((line) => line.split(' ').map(Number))
    .map(([free = Number.NaN, percent = Number.NaN]) => ({ freeBytes: free * 1024, percent }))
    .filter(({ freeBytes, percent }) => Number.isFinite(freeBytes) && Number.isFinite(percent));
  const [fullest] = systems.sort((one, other) => other.percent - one.percent);
  return fullest ?? { percent: 0, freeBytes: Number.POSITIVE_INFINITY };
}
