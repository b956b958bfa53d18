/** What is run in a container about its worker. Answers begin with `csm:`; everything else is what programs said. */
import { COMMON, SUPERVISE } from './supervisor.ts';

/** A root shell of ours looks nowhere else: other folders of the container's PATH may be the agent's to write. */
const SYSTEM_PATH = `PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
`;

/**
 * $1: identity, $2: port, $3: idle time of agents, $4: 1 if the bundle is mounted, $5: remote user, $6: seconds to wait for
 * it, $7: the supervisor.
 * stdin: the token's hash, the agents' secrets, the TLS certificate and its key; a line each, the last three in base64.
 *
 * The worker gets an environment of its own; what the container has in its is for agents alone.
 */
const START = `
container_path=$PATH
if [ -x /usr/bin/env ]; then env=/usr/bin/env; else env=/bin/env; fi
container_env=$($env -0 | PATH=/usr/bin:/bin base64 | PATH=/usr/bin:/bin tr -d '\\n')
${SYSTEM_PATH}${COMMON}
mask=$(umask)
umask 077
cd /
wanted=$1 port=$2 idle=$3 bundled=$4 user=$5 limit=$6 supervise=$7
IFS= read -r hash
IFS= read -r secrets
IFS= read -r certificate
IFS= read -r key
answer() {
  printf 'csm:%s\\n' "$*"
  exit 0
}

home_root=\${dir%/*}
name=\${user%%:*} uid= gid= home= groups=
while IFS=: read -r a b c d e f g; do
  if [ "$a" = "$name" ] || [ "$c" = "$name" ]; then
    name=$a uid=$c gid=$d home=$f
    break
  fi
done </etc/passwd
case $name$uid in
  *[!0-9]*) [ -n "$uid" ] || answer no-user "$name" ;;
  *) [ -n "$uid" ] || { uid=$name gid=$name; } ;;
esac
while IFS=: read -r a b c d; do
  case ",$d," in *",$name,"*) groups=$groups\${groups:+,}$c ;; esac
done </etc/group

# Folders of a PATH that the agent cannot put programs into.
trusted() {
  (
    IFS=:
    for folder in $1; do
      unset IFS
      set -- $(ls -ldnL "$folder" 2>/dev/null)
      [ $# -ge 4 ] || continue
      case $uid:$1 in
        0:*) ;;
        *:????????w*) continue ;;
        *:?????w*) case ",$gid,$groups," in *",$4,"*) continue ;; esac ;;
      esac
      [ "$uid" = 0 ] || [ "$3" = 0 ] || continue
      printf '%s:' "$folder"
    done
    printf %s "$PATH"
  )
}

worker_path=$PATH
if [ "$bundled" = 1 ]; then
  [ -d /csm/worker ] || answer no-mount
  case $(uname -m) in
    x86_64) arch=x64 ;;
    aarch64) arch=arm64 ;;
    *) arch=$(uname -m) ;;
  esac
  libc=unknown
  for file in /lib/ld-musl-*; do [ -e "$file" ] && libc=musl; done
  if [ ! -e /etc/alpine-release ]; then
    for file in /lib64/ld-linux-* /lib/ld-linux-* /lib/*/ld-linux-*; do [ -e "$file" ] && libc=glibc; done
  fi
  program=/csm/worker/linux-$arch-$libc/bin/agent-worker
  [ -x "$program" ] || answer no-variant "linux-$arch-$libc" $(cd /csm/worker && echo linux-*)
else
  worker_path=$(trusted "$container_path")
  program=$(PATH=$worker_path; command -v agent-worker) || {
    program=$(PATH=$container_path; command -v agent-worker) || answer no-worker
    answer writable "$program"
  }
  node=$(env -i PATH="$worker_path" node --version 2>/dev/null)
  major=\${node#v}
  case \${major%%.*} in
    '' | *[!0-9]*) ;;
    *) [ "\${major%%.*}" -ge 20 ] || answer old-node "$node" ;;
  esac
fi

# Root's again if a start command of the repository has given the volume away, as such commands like to do.
mkdir -p "$dir/state" "$home_root/agent/.claude" "$home_root/attachments"
if [ "$(id -u)" = 0 ]; then
  chown 0:0 "$home_root" "$home_root/attachments"
  chown -hR 0:0 "$dir"
fi
chmod 755 "$home_root"
chmod 711 "$home_root/attachments"
chmod 700 "$dir" "$dir/state"

# Another identity's, or one that has lost its supervisor: nobody would start it again.
if ! supervised || [ "$identity" != "$wanted" ]; then
  stop_all
fi

started=
if ! supervised; then
  started=1
  version=$(env -i PATH="$worker_path" HOME=/ "$program" --version </dev/null 2>&1) || {
    printf 'csm:unusable %s\\n%s\\n' "$?" "$version"
    exit 0
  }
  if [ "$(id -u)" = 0 ]; then
    set -- $(ls -ldn "$home_root/agent")
    [ "$3:$4" = "$uid:$gid" ] || chown -hR "$uid:$gid" "$home_root/agent"
  fi
  chmod 700 "$home_root/agent"
  set -- $(ls -ldn "$home" 2>/dev/null)
  [ "\${3-}" = "$uid" ] || home=$home_root/agent
  own=$(printf 'HOME=%s\\0USER=%s\\0LOGNAME=%s\\0CLAUDE_CONFIG_DIR=%s\\0' \\
    "$home" "$name" "$name" "$home_root/agent/.claude" | base64 | tr -d '\\n')
  set -- --listen "0.0.0.0:$port" --identity "$wanted" --state-dir "$dir/state" --log-file "$dir/worker.log" \\
    --attachments-dir "$home_root/attachments" --agent-idle "$idle" --agent-env-stdin
  if [ "$(id -u)" = 0 ] && [ "$uid" != 0 ]; then set -- "$@" --run-as "$uid:$gid\${groups:+:}$groups"; fi
  rm -f "$dir/tls.crt" "$dir/tls.key"
  if [ -n "$key" ]; then
    echo "$certificate" | base64 -d >"$dir/tls.crt"
    echo "$key" | base64 -d >"$dir/tls.key"
    set -- "$@" --tls-cert "$dir/tls.crt" --tls-key "$dir/tls.key"
  fi
  # Not rewritten in place: an earlier one may still be read.
  printf %s "$supervise" >"$dir/supervise.$$" && mv -f "$dir/supervise.$$" "$dir/supervise"
  session=$(command -v setsid)
  printf '%s\\n' "$hash" "$container_env" "$secrets" "$own" |
    env -i PATH="$worker_path" HOME=/ $session sh "$dir/supervise" "$wanted" "$version" "$mask" "$program" "$@" \\
      >"$dir/supervisor.out" 2>&1 &
fi

left=$((limit * 10)) held=0
while :; do
  if supervised; then
    [ "$identity" = "$wanted" ] || answer other "$identity"
    [ ! -s "$dir/port.$pid" ] || answer up "$version"
    if [ -n "$started" ] && [ -e "$dir/ended.$pid" ]; then
      printf 'csm:ended %s\\n' "$(cat "$dir/ended.$pid")"
      tail -n 5 "$dir/worker.log" 2>/dev/null
      cat "$dir/worker.out.1" "$dir/worker.out" 2>/dev/null | tail -n 20
      stop_all
      exit 0
    fi
  fi
  # Another start of this container may hold it for a moment too.
  if grep -qsx held "$dir/supervisor.out"; then held=$((held + 1)); fi
  [ "$held" -le 50 ] || answer held
  left=$((left - 1))
  [ "$left" -gt 0 ] || break
  short_sleep
done
printf 'csm:late\\n'
tail -n 20 "$dir/supervisor.out" "$dir/worker.out" 2>/dev/null
`;

/** $1: identity. */
const FIND = `${SYSTEM_PATH}${COMMON}
if supervised && [ "$identity" = "$1" ] && [ -s "$dir/port.$pid" ]; then
  printf 'csm:up %s\\n' "$version"
else
  echo csm:absent
fi
`;

export const SCRIPTS = { start: START, find: FIND, supervise: SUPERVISE } as const;
