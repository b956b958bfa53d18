/**
 * Which port of the VM a worker gets. A reservation is a file on the VM, made under a lock: it outlives every gateway, and
 * gateways that share a VM do not get in each other's way.
 */
import { RetryableError } from '../../actors/index.ts';
import { linesOf, type Shell } from './shell.ts';

/** This many ports from the first on are for workers. */
export const WORKER_PORTS = 49;

const EXIT = { exhausted: 65, unknown: 66 } as const;

/** $1 folder. Each file in it is named after a port and says whose it is: `instance key`. */
const LOCKED = `
umask 077
mkdir -p -- "$1" && cd -- "$1" && exec 9>>lock && flock 9 || exit 1
`;

/** $2 whose, $3 first port, $4 how many, $5 ports to avoid. */
const RESERVE = `${LOCKED}
mine=$(grep -lsxF -- "$2" [0-9]* | head -n 1)
case " $5 " in
  *" \${mine:-none} "*) rm -f -- "$mine" ;;
  *) if [ -n "$mine" ]; then echo "$mine"; exit 0; fi ;;
esac
listening=$(ss -Hltn) || exit ${EXIT.unknown}
port=$3
while [ "$port" -lt $(($3 + $4)) ]; do
  case " $5 " in *" $port "*) taken=1 ;; *) taken= ;; esac
  if [ -z "$taken" ] && [ ! -e "$port" ] && ! printf "%s\\n" "$listening" | grep -q ":$port[[:space:]]"; then
    printf "%s\\n" "$2" >"$port" || exit 1
    echo "$port"
    exit 0
  fi
  port=$((port + 1))
done
exit ${EXIT.exhausted}
`;

/** $2 instance. */
const KEYS = `${LOCKED}
for port in [0-9]*; do
  [ -f "$port" ] || continue
  read -r instance key <"$port"
  [ "$instance" != "$2" ] || printf "%s\\n" "$key"
done
`;

export interface PortRequest {
  /** Of the reservations, on the VM. */
  readonly folder: string;
  readonly instance: string;
  /** Of the container; one has one port. */
  readonly key: string;
  readonly first: number;
  /** Ports that turned out not to be free. One of them that was reserved is given back. */
  readonly avoid: readonly number[];
}

/**
 * The port that is reserved for the container, or the lowest that nobody has reserved and nothing listens on.
 * Needs iproute2 on the VM. @throws RetryableError if all are taken, or it is not known which are
 */
export async function reservePort(shell: Shell, request: PortRequest, signal?: AbortSignal): Promise<number> {
  const { folder, instance, key, first, avoid } = request;
  const args = [folder, `${instance} ${key}`, String(first), String(WORKER_PORTS), avoid.join(' ')];
  const { code, stdout, stderr } = await shell.exec({ script: RESERVE, args }, { signal });
  const port = Number(stdout.trim());
  if (code === 0 && port >= first) return port;
  if (code === EXIT.exhausted) {
    throw new RetryableError('PORTS_EXHAUSTED', `All ports from ${first} to ${first + WORKER_PORTS - 1} are taken`, {
      human: `All ${WORKER_PORTS} worker ports of the VM (from ${first}) are taken. Stop a container that is not needed.`,
    });
  }
  const human =
    code === EXIT.unknown
      ? 'The VM cannot say which ports are taken. Install iproute2 there (it has `ss`).'
      : `No port could be reserved on the VM: ${stderr.trim().split('\n').at(-1)}`;
  throw new RetryableError('PORTS_UNKNOWN', `reserve a port: exit code ${code}: ${stderr.trim()}`, { human });
}

/** Keys of this installation's containers that a port is reserved for. */
export async function reservedKeys(
  shell: Shell,
  { folder, instance }: Pick<PortRequest, 'folder' | 'instance'>,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const result = await shell.exec({ script: KEYS, args: [folder, instance] }, { signal });
  const { code, stderr } = result;
  if (code !== 0) throw new RetryableError('PORTS_UNKNOWN', `list ports: exit code ${code}: ${stderr.trim()}`);
  return linesOf(result);
}

/** Gives back the port of one container. */
export async function releasePort(
  shell: Shell,
  request: Pick<PortRequest, 'folder' | 'instance' | 'key'>,
  signal?: AbortSignal,
): Promise<void> {
  const script = `${LOCKED}\ngrep -lsxF -- "$2" [0-9]* | xargs -r rm -f --`;
  const args = [request.folder, `${request.instance} ${request.key}`];
  const { code, stderr } = await shell.exec({ script, args }, { signal });
  if (code !== 0) throw new RetryableError('PORTS_UNKNOWN', `release a port: exit code ${code}: ${stderr.trim()}`);
}
