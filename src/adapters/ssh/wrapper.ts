/**
 * How a command runs on the VM. A small POSIX shell script stands between sshd and the command:
 *
 * - the command gets a session (and so a process group) of its own; when it ends, or has to end, everything in that
 *   session ends with it: first asked (TERM), then made to (KILL);
 * - it has to end when the connection does, when its time is over (kept on the VM too, should we be gone), or on TERM;
 * - it never takes a cut input for a whole one: its stdin is closed only if all that was announced has arrived;
 * - its environment comes through stdin, so that neither `ps` nor a log shows it.
 *
 * A process that makes itself a session of its own (a daemon) is meant to stay and does.
 * Needs on the VM: Linux, a POSIX sh (dash, bash), util-linux (setsid), GNU coreutils.
 */
import { randomBytes } from 'node:crypto';
import { TerminalError } from '../../actors/index.ts';
import { COMMAND_LIMIT_BYTES, quote, quoteAll } from './quote.ts';

/** A program with its arguments, or shell text with its positional parameters ($1, $2, ...). */
export type Command = readonly string[] | { readonly script: string; readonly args?: readonly string[] };

export interface RunSpec {
  readonly run: string;
  readonly command: Command;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: Buffer;
  /** Whole seconds after which the VM ends it by itself; 0: never. */
  readonly limitSeconds: number;
  readonly graceSeconds: number;
}

export interface PreparedRun {
  /** For the login shell. */
  readonly command: string;
  /** What goes down the channel's stdin, which then stays open: its end means that we are gone. */
  readonly input: Buffer;
}

export function newRunId(): string {
  return `csm-${randomBytes(16).toString('hex')}`;
}

/** What the wrapper writes first, to stdout and to stderr: what stands before it comes from start files of the shell. */
export function startMark(run: string): Buffer {
  return Buffer.from(`${run}\n`);
}

/**
 * $1 the run's id, $2 bytes of environment, $3 bytes of input, $4 limit, $5 grace, $6 folder, then the command.
 *
 * Two parts share the wrapper's process group: the feeder, and what starts and ends the command. TERM to the group ends
 * the command; USR1 is how the second part dismisses the first when all is over.
 */
const RUN = `
run=$1 env_bytes=$2 in_bytes=$3 limit=$4 grace=$5 dir=$6
shift 6
setsid=$(command -v setsid) sh=$(command -v sh)
# On what the wrapper starts for itself, should it be killed alone.
CSM_RUN=$run:$$
export CSM_RUN
echo "$run"
echo "$run" >&2
exec 3<&0 </dev/null
vars=
[ "$env_bytes" = 0 ] || vars=$(dd bs=1 count="$env_bytes" <&3 2>/dev/null)

# Input, then a dot that says it was all, then silence until we are gone. Unless the dot came, the command is ended
# before its stdin is closed.
feed() {
  stop=
  trap stop=1 TERM HUP INT
  if { [ "$in_bytes" = 0 ] || head -c "$in_bytes" <&3; } && [ "$(dd bs=1 count=1 <&3)" = . ] && [ -z "$stop" ]; then
    exec >/dev/null
    cat <&3
  fi
  kill -TERM 0
  sleep 60
}

# Sends a signal to all of the command's session. Leaves in "found" whether anything was there.
hit() {
  found=
  kill -s "$1" -- "-$pid" "$pid"
  for stat in /proc/[0-9]*/stat; do
    read -r line <"$stat" || continue
    id=\${line%% *}
    set -- "$1" \${line##*) }
    if [ "$5" = "$pid" ] && [ "$2" != Z ]; then found=1; kill -s "$1" "$id"; fi
  done
} 2>/dev/null

end() {
  [ -z "$ending" ] || return 0
  ending=1
  [ -n "$pid" ] || return 0
  hit TERM
  { sleep "$grace"; hit KILL; } >/dev/null 2>&1 4<&- 5>&- &
}

run() {
  pid= ending=
  trap end TERM HUP INT
  exec 3<&- 4<&0 </dev/null
  (
    exec 2>&5 4<&- 5>&-
    cd -- "$dir" || exit 125
    eval "$vars"
    unset vars
    exec "$setsid" "$sh" -c 'CSM_RUN=$0:$$; export CSM_RUN; exec "$@"' "$run" "$@"
  ) <&4 &
  pid=$!
  if [ -n "$ending" ]; then ending=; end; fi
  [ "$limit" = 0 ] || { sleep "$limit"; kill -TERM 0; } >/dev/null 2>&1 4<&- 5>&- &
  wait "$pid"
  code=$?
  while [ -n "$ending" ] && kill -0 "$pid" 2>/dev/null; do
    wait "$pid"
    code=$?
  done
  if [ -n "$ending" ] || kill -s 0 -- "-$pid" 2>/dev/null; then
    hit TERM
    polls=0
    while [ -n "$found" ] && [ "$polls" -lt $((grace * 10 + 50)) ]; do
      sleep 0.1
      polls=$((polls + 1))
      if [ "$polls" -ge $((grace * 10)) ]; then hit KILL; else hit 0; fi
    done
  fi
  # Input the command did not read: sshd forgets the exit code if it still has some to deliver.
  [ -n "$ending" ] || cat <&4 >/dev/null
  trap "" USR1
  kill -USR1 0
  exit "$code"
}

trap : TERM HUP INT USR1
# The shell itself has nothing to say to stderr: dash would report there who was ended, and die of it if nobody listens.
exec 5>&2 2>/dev/null
feed 5>&- | run "$@"
`;

/**
 * Ends runs from beside them. Reads their ids from stdin, so that it does not find itself. $1: grace in seconds.
 * Exit code 0: nothing of them runs any more.
 */
const END = `
ids=$(cat)
wrappers() { echo "$ids" | grep -lsF -f /dev/stdin /proc/[0-9]*/cmdline; }
# Processes that carry a run's id and still belong to the session made for it.
members() {
  for file in $(echo "$ids" | grep -lsF -f /dev/stdin /proc/[0-9]*/environ); do
    id=\${file#/proc/} id=\${id%/environ}
    read -r line <"/proc/$id/stat" || continue
    set -- \${line##*) }
    echo "$ids" | sed "s/$/:$4/" | grep -qsF -f /dev/stdin "$file" && echo "$id"
  done
} 2>/dev/null
send() {
  for id in $(members); do
    read -r line <"/proc/$id/stat" || continue
    sent=$1
    set -- \${line##*) }
    kill -s "$sent" -- "-$4" "$id"
    set -- "$sent"
  done
} 2>/dev/null
for file in $(wrappers); do id=\${file#/proc/}; kill -TERM "\${id%/cmdline}" 2>/dev/null; done
polls=0
while :; do
  [ -n "$(wrappers; members)" ] || exit 0
  [ "$polls" -lt $(($1 * 5 + 25)) ] || exit 1
  if [ "$polls" = 0 ] && [ -z "$(wrappers)" ]; then send TERM; fi
  if [ "$polls" -gt $(($1 * 5 + 5)) ]; then
    send KILL
    for file in $(wrappers); do id=\${file#/proc/}; kill -KILL "\${id%/cmdline}" 2>/dev/null; done
  fi
  sleep 0.2
  polls=$((polls + 1))
done
`;

/** @throws TerminalError if the command cannot be sent as it is */
export function prepareRun(spec: RunSpec): PreparedRun {
  const words = isScript(spec.command)
    ? ['sh', '-c', spec.command.script, 'sh', ...(spec.command.args ?? [])]
    : spec.command;
  if (words.length === 0 || words[0] === '') throw new TerminalError('SSH_COMMAND', 'The command is empty');
  if (!spec.cwd.startsWith('/')) throw new TerminalError('SSH_COMMAND', `Not an absolute folder: ${spec.cwd}`);
  const env = Buffer.from(exports(spec.env));
  const settings = [spec.run, env.length, spec.stdin.length, spec.limitSeconds, spec.graceSeconds, spec.cwd];
  const command = `exec sh -c ${quote(RUN)} sh ${quoteAll([...settings.map(String), ...words])}`;
  if (Buffer.byteLength(command) > COMMAND_LIMIT_BYTES) {
    throw new TerminalError('SSH_COMMAND', `The command is longer than ${COMMAND_LIMIT_BYTES} bytes; send it by stdin`);
  }
  return { command, input: Buffer.concat([env, spec.stdin, Buffer.from('.')]) };
}

/** Its stdin is the runs' ids, one a line, and is ended. */
export function endCommand(graceSeconds: number): string {
  return `exec sh -c ${quote(END)} sh ${graceSeconds}`;
}

/** What a log may say of a command: its program, never its arguments. */
export function nameOf(command: Command): string {
  if (isScript(command)) return 'sh';
  const [program = '', ...args] = command;
  const word = args.find((arg) => /^[a-z][a-z-]*$/.test(arg));
  return word === undefined ? program : `${program} ${word}`;
}

function isScript(command: Command): command is Exclude<Command, readonly string[]> {
  return !Array.isArray(command);
}

function exports(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => {
      if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return `export ${name}=${quote(value)}\n`;
      throw new TerminalError('SSH_COMMAND', `Not the name of an environment variable: ${name}`);
    })
    .join('');
}
