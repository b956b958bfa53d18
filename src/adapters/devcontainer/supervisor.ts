/**
 * The shell that keeps a worker running in its container. POSIX sh and the commands that every image has; it outlives the
 * exec that started it and ends when it is told to, or when another one holds the container.
 */

/** The worker's folder in the container: 0700, out of the agent's reach. On the volume, so sessions outlive a rebuild. */
export const WORKER_STATE = '/csm/home/worker';

/**
 * For every script of ours. `supervisor.N` says who supervises (`pid start`, version, identity); the highest N holds. Processes are told apart by
 * their start time (field 22 of /proc/<pid>/stat), so a number that was given out again is nobody we know.
 */
export const COMMON = `
dir=${WORKER_STATE}
start_of() {
  read -r line <"/proc/$1/stat" || return 1
  set -- \${line##*) }
  [ "$1" != Z ] && echo "\${20}"
} 2>/dev/null
alive() { [ -n "$2" ] && [ "$(start_of "$1")" = "$2" ]; }
highest() {
  number=0
  for file in "$dir"/supervisor.[0-9]*; do
    [ -e "$file" ] && [ "\${file##*.}" -gt "$number" ] && number=\${file##*.}
  done
}
# Sets pid, version and identity of the supervisor, if one is alive.
supervised() {
  highest
  pid= began= version= identity=
  [ "$number" != 0 ] || return 1
  { read -r pid began; IFS= read -r version; IFS= read -r identity; } <"$dir/supervisor.$number" || return 1
  alive "$pid" "$began"
} 2>/dev/null
short_sleep() { sleep 0.1 2>/dev/null || sleep 1; }
# Ends a process within $3 tenths of a second, by force if need be.
end() {
  alive "$1" "$2" || return 0
  kill -TERM "$1" 2>/dev/null
  left=$3
  while alive "$1" "$2"; do
    [ "$left" -gt 0 ] || kill -KILL "$1" 2>/dev/null
    left=$((left - 1))
    short_sleep
  done
}
# The supervisor with its worker, and a worker that has lost its supervisor.
stop_all() {
  if supervised; then end "$pid" "$began" 200; fi
  for file in "$dir"/state/lock.[0-9]*; do
    [ -e "$file" ] || continue
    read -r pid began rest <"$file" && end "$pid" "$began" 100
  done
}
`;

/**
 * $1: identity, $2: version, $3: the container's umask, for agents, then the worker's command. stdin: the token's hash, then the agents' environment as lines of
 * base64; both are handed on to every worker it starts and are in no file and no command line.
 *
 * The claim is made like the worker's own lock on its state: a hard link to a finished file, under the next number.
 */
export const SUPERVISE = `${COMMON}
umask 077
cd /
mine=$1 mine_version=$2 mask=$3
shift 3
IFS= read -r hash
lines=
while IFS= read -r line; do lines="$lines$line
"; done
exec </dev/null
# Across containers with the same volume, which cannot see each other's processes. Workers hold it too.
if command -v flock >/dev/null 2>&1; then
  exec 9>>"$dir/volume.lock"
  flock -n 9 || { echo held >&2; exit 75; }
fi
rm -f "$dir/port.$$" "$dir/ended.$$"
claim=$dir/claim.$$
printf '%s %s\\n%s\\n%s\\n' $$ "$(start_of $$)" "$mine_version" "$mine" >"$claim" || exit 1
tries=0
while :; do
  if supervised || [ "$tries" -ge 50 ]; then rm -f "$claim"; exit 75; fi
  tries=$((tries + 1))
  next=$((number + 1))
  ln "$claim" "$dir/supervisor.$next" 2>/dev/null || { short_sleep; continue; }
  highest
  [ "$number" != "$next" ] || break
  rm -f "$dir/supervisor.$next"
done
rm -f "$claim"
for file in "$dir"/supervisor.[0-9]* "$dir"/port.* "$dir"/ended.*; do
  [ "$file" = "$dir/supervisor.$next" ] || rm -f "$file"
done
touch "$dir/worker.out"
umask "$mask"

stopping= child=
trap 'stopping=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT HUP
pause=1
while [ -z "$stopping" ]; do
  [ ! -e "$dir/worker.out" ] || mv -f "$dir/worker.out" "$dir/worker.out.1"
  since=$(date +%s)
  printf %s "$lines" | AGENT_WORKER_TOKEN_SHA256=$hash "$@" --port-file "$dir/port.$$" >"$dir/worker.out" 2>&1 &
  child=$!
  [ -z "$stopping" ] || kill -TERM "$child"
  wait "$child"
  code=$?
  while kill -0 "$child" 2>/dev/null; do
    wait "$child"
    code=$?
  done
  rm -f "$dir/port.$$"
  echo "$code" >"$dir/ended.$$"
  # Another worker has the state, and surely a supervisor.
  if [ "$code" = 75 ]; then echo held >&2; fi
  if [ -n "$stopping" ] || [ "$code" = 75 ]; then break; fi
  [ $(($(date +%s) - since)) -lt 60 ] || pause=1
  printf '{"level":40,"time":%s000,"code":%s,"pause":%s,"msg":"the worker has ended and is started again"}\\n' \\
    "$(date +%s)" "$code" "$pause" >>"$dir/worker.log"
  sleep "$pause" 9>&- &
  child=$!
  wait "$child"
  child=
  pause=$((pause * 2))
  [ "$pause" -le 30 ] || pause=30
done
rm -f "$dir/supervisor.$next"
`;
