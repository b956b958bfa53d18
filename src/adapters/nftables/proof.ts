/** Proofs that the VM can hold walls, which leave those that stand there as they are. */
import { nftError } from './errors.ts';
import { parseLive } from './live.ts';
import { ruleset } from './ruleset.ts';
import type { Shell } from './shell.ts';

/** A table and a bridge of these names are nobody's. */
const TRIAL = { table: 'csm_doctor', bridges: ['csm-doctor'], resolvers: [] };
/** Addresses for documents. */
const WAY = { source: '192.0.2.1', address: '198.51.100.1', port: 443, seconds: undefined };

const TIMEOUT_MS = 30_000;

/**
 * Puts up walls around a bridge that is not there, reads them back and takes them down.
 * @throws TerminalError or RetryableError with words for a person
 */
export async function proveNft(shell: Shell, nft: readonly string[], signal?: AbortSignal): Promise<void> {
  const run = (words: readonly string[], stdin: string) =>
    shell.exec({ script: 'exec "$@"', args: [...nft, ...words] }, { timeoutMs: TIMEOUT_MS, stdin, signal });
  const built = await run(['-f', '-'], ruleset(TRIAL, [WAY]));
  if (built.code !== 0) throw nftError('nft -f', built);
  const listed = await run(['-j', 'list', 'table', 'inet', TRIAL.table], '');
  const down = await run(['-f', '-'], `delete table inet ${TRIAL.table}\n`);
  if (listed.code !== 0) throw nftError('nft list', listed);
  if (down.code !== 0) throw nftError('nft delete', down);
  const { ways } = parseLive(listed.stdout);
  if (!ways.includes(`${WAY.source} ${WAY.address} ${WAY.port}`)) {
    throw nftError('nft list', { code: 0, stdout: '', stderr: 'what was written is not there' });
  }
}

/** @throws TerminalError or RetryableError if names for the containers' resolver cannot be written there */
export async function proveNamesFolder(shell: Shell, folder: string, signal?: AbortSignal): Promise<void> {
  // Names that begin with a dot are not read by the resolver.
  const script = 'mkdir -p "$1" && echo >"$1/.doctor" && rm "$1/.doctor"';
  const result = await shell.exec({ script, args: [folder] }, { timeoutMs: TIMEOUT_MS, signal });
  if (result.code !== 0) throw nftError(`writing into ${folder}`, result);
}

/**
 * Asks for a name that is open to nobody: 4 bytes of the answer say whether it was refused (5) or looked for elsewhere.
 * Bash's own UDP, because nothing else is certain to be on the VM. No byte may be a line feed: bash would send two packets.
 */
const ASK = String.raw`
exec 3<>"/dev/udp/$1/53" || exit 1
printf '\x43\x53\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x09csm-probe\x07example\x03com\x00\x00\x01\x00\x01' >&3
timeout 3 head -c 4 <&3 | od -An -tu1 -j3`;

/** `silent`: nobody answers there now. `asks`: it looks for names that nobody opened, so queries can carry things out. */
export async function askResolver(
  shell: Shell,
  address: string,
  signal?: AbortSignal,
): Promise<'silent' | 'refuses' | 'asks'> {
  const words = ['bash', '-c', ASK, 'bash', address];
  const { stdout } = await shell.exec(
    { script: 'exec "$@" 2>/dev/null', args: words },
    { timeoutMs: TIMEOUT_MS, signal },
  );
  if (stdout.trim() === '') return 'silent';
  return Number(stdout.trim()) % 16 === 5 ? 'refuses' : 'asks';
}

/** Whether packets between two containers on one bridge pass the walls, too. */
export async function seesBridged(shell: Shell, signal?: AbortSignal): Promise<boolean> {
  const script = 'cat /proc/sys/net/bridge/bridge-nf-call-iptables';
  const { stdout } = await shell.exec({ script, args: [] }, { timeoutMs: TIMEOUT_MS, signal });
  return stdout.trim() === '1';
}
