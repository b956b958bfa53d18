/**
 * The options of `docker run` and `podman run` that are understood, as data. What is not in the table is refused: options
 * are added to both programs all the time, and some of them open the VM.
 */
export type FlagRule =
  /** Nothing about it reaches outside the container. */
  | 'fine'
  /** The session manager decides it; the merge takes it out. */
  | 'ours'
  /** A part of the wall. */
  | 'privilege'
  /** Has rules of its own. */
  | 'checked';

export interface Flag {
  readonly name: string;
  readonly takesValue: boolean;
  readonly rule: FlagRule;
}

const WITH_VALUE: Readonly<Record<FlagRule, string>> = {
  fine: `add-host arch cap-drop dns dns-opt dns-option dns-search domainname entrypoint expose health-cmd health-interval
    health-retries health-start-interval health-start-period health-timeout hostname net-alias network-alias os platform
    pull shm-size stop-signal stop-timeout tmpfs tz ulimit umask user variant workdir`,
  ours: `cpu-count cpu-period cpu-quota cpu-shares cpus cpuset-cpus cpuset-mems kernel-memory memory memory-reservation
    memory-swap memory-swappiness name pids-limit restart`,
  privilege: `annotation authfile blkio-weight-device cgroup-conf cgroup-parent cgroups chrootdirs cidfile conmon-pidfile
    cpu-rt-period cpu-rt-runtime decryption-key device device-cgroup-rule device-read-bps device-read-iops
    device-write-bps device-write-iops env-file gidmap gpus group-entry hooks-dir hostuser init-path ip ip6 label-file
    link link-local-ip mac-address oom-score-adj passwd-entry pidfile pod pod-id-file preserve-fd preserve-fds requires
    rootfs runtime seccomp-policy secret security-context signature-policy subgidname subuidname sysctl systemd uidmap
    volume-driver volumes-from`,
  checked: `cap-add cgroupns env group-add ipc label log-driver log-opt mount net network pid publish security-opt userns
    uts volume`,
};

const WITHOUT_VALUE: Readonly<Record<FlagRule, string>> = {
  fine: 'init interactive no-healthcheck no-hosts quiet read-only read-only-tmpfs sig-proxy tty',
  ours: 'detach rm',
  privilege: 'env-host http-proxy oom-kill-disable privileged publish-all replace rmi tls-verify use-api-socket',
  checked: '',
};

const SHORT: Readonly<Record<string, string>> = {
  c: 'cpu-shares',
  d: 'detach',
  e: 'env',
  h: 'hostname',
  i: 'interactive',
  l: 'label',
  m: 'memory',
  P: 'publish-all',
  p: 'publish',
  q: 'quiet',
  t: 'tty',
  u: 'user',
  v: 'volume',
  w: 'workdir',
};

const FLAGS: ReadonlyMap<string, Flag> = new Map(
  [
    { table: WITH_VALUE, takesValue: true },
    { table: WITHOUT_VALUE, takesValue: false },
  ].flatMap(({ table, takesValue }) =>
    (['fine', 'ours', 'privilege', 'checked'] as const).flatMap((rule) =>
      table[rule].split(/\s+/).map((name): [string, Flag] => [name, { name, takesValue, rule }]),
    ),
  ),
);

/** One option as it was written. */
export type Option =
  | {
      readonly kind: 'option';
      readonly at: number;
      readonly flag: Flag;
      readonly value: string;
      readonly words: readonly string[];
    }
  | { readonly kind: 'unknown'; readonly at: number; readonly text: string; readonly words: readonly string[] };

/**
 * Reads arguments as both programs do: `--flag=value`, `--flag value`, `-f value`, `-fvalue`, `-f=value`, and short
 * switches in one word (`-itv /a:/b`). A word that is no option, `--`, an option that is not in the table and one without
 * its value come out as unknown.
 */
export function parseRunArgs(words: readonly string[]): readonly Option[] {
  const options: Option[] = [];
  for (let at = 0; at < words.length; ) {
    const word = words[at] ?? '';
    const parsed = word.startsWith('--') ? parseLong(word, words[at + 1]) : parseShort(word, words[at + 1]);
    const used = words.slice(at, at + parsed.used);
    for (const { flag, value } of parsed.options) options.push({ kind: 'option', at, flag, value, words: used });
    if (parsed.options.length === 0) options.push({ kind: 'unknown', at, text: word, words: used });
    at += parsed.used;
  }
  return options;
}

interface Parsed {
  readonly options: readonly { readonly flag: Flag; readonly value: string }[];
  /** Words that belong to it. */
  readonly used: number;
}

const UNKNOWN: Parsed = { options: [], used: 1 };

function parseLong(word: string, next: string | undefined): Parsed {
  const at = word.indexOf('=');
  const flag = FLAGS.get(at < 0 ? word.slice(2) : word.slice(2, at));
  if (flag === undefined) return UNKNOWN;
  if (at >= 0) return { options: [{ flag, value: word.slice(at + 1) }], used: 1 };
  if (!flag.takesValue) return { options: [{ flag, value: 'true' }], used: 1 };
  return next === undefined ? UNKNOWN : { options: [{ flag, value: next }], used: 2 };
}

function parseShort(word: string, next: string | undefined): Parsed {
  if (!/^-[A-Za-z]/.test(word)) return UNKNOWN;
  const options: { flag: Flag; value: string }[] = [];
  for (let at = 1; at < word.length; at += 1) {
    const flag = FLAGS.get(SHORT[word[at] ?? ''] ?? '');
    if (flag === undefined) return UNKNOWN;
    const rest = word.slice(at + 1);
    if (rest.startsWith('=')) return { options: [...options, { flag, value: rest.slice(1) }], used: 1 };
    if (!flag.takesValue) {
      options.push({ flag, value: 'true' });
    } else if (rest !== '') {
      return { options: [...options, { flag, value: rest }], used: 1 };
    } else {
      return next === undefined ? UNKNOWN : { options: [...options, { flag, value: next }], used: 2 };
    }
  }
  return { options, used: 1 };
}
