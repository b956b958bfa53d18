/** For tests that start containers: whatever becomes of the test, the kernel ends all that it has started. */
import { spawnSync } from 'node:child_process';

const INSIDE = 'CSM_TEST_ALONE';

/** The first process reaps whatever is left without a parent, and must stay a shell for that. */
const INIT = `
set -e
mkdir -p /run/netns
mount -t tmpfs csm-test /run/netns
# Podman keeps its locks there: those of a test that is killed must not use up the machine's.
mount -t tmpfs -o mode=1777 csm-test /dev/shm
[ "$1" = 1 ] || ip link set lo up
shift
"$@"
exit $?
`;

/**
 * Goes on in namespaces of its own: processes, mounts, and networks (with a loopback only). To be called before anything else in
 * a test file; in them it returns. The first process of the namespaces is bound to this one, and when it ends all others do.
 * @param network keep the machine's networks, for what must be fetched
 */
export function alone({ network = false }: { readonly network?: boolean } = {}): void {
  if (process.env[INSIDE] !== undefined) return;
  const spaces = ['--pid', '--mount', '--ipc', ...(network ? [] : ['--net'])];
  const unshare = ['unshare', ...spaces, '--propagation', 'private', '--fork', '--kill-child', '--mount-proc'];
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const words = ['--pdeathsig', 'KILL', ...unshare, 'bash', '-c', INIT, 'bash', network ? '1' : '0', ...again];
  const { status } = spawnSync('setpriv', words, { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } });
  process.exit(status ?? 1);
}
