// @limit 1500
// Sessions are started, broken in ways drawn by a seed, and stopped, several at a time. In the end nothing is left: no
// container, process, port, worktree, whatever broke. All 500 cycles: CSM_CYCLES=500 node --import tsx tests/e2e/vm/cycles.test.ts
// With CSM_SECONDS as many as begin in that time.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Person, person, type Thread, until } from '../../support/person.ts';
import { startVmEnvironment, type VmEnvironment } from '../../support/vm/environment.ts';
import { STOCK } from '../../support/vm/images.ts';
import { eventually, LONG_MS, said, story } from '../../support/vm/patience.ts';

const CYCLES = Number(process.env.CSM_CYCLES ?? 9);
const SEED = Number(process.env.CSM_SEED ?? 11);
const SECONDS = Number(process.env.CSM_SECONDS ?? Number.POSITIVE_INFINITY);
/** Each lane has a repository, and so a container, of its own. */
const LANES = ['acme/web', 'acme/plain', 'acme/commas', ...(CYCLES > 50 ? ['acme/curious', 'acme/hostile'] : [])];

const ENDS = ['@claude stop', '@claude stop --container', '@claude stop --all'] as const;
const CRASHES = [
  ...['nothing', 'the worker', 'the supervisor and the worker', 'the agent', 'the container, stopped'],
  ...['the container, removed', 'sshd', 'the gateway', 'stopped before it was ready'],
] as const;
type Crash = (typeof CRASHES)[number];

interface World {
  environment: VmEnvironment;
  you: Person;
  stranger: string;
}
const test = suite<World>('cycles');

test.before(async (context) => {
  context.environment = await startVmEnvironment({
    slowDelayMs: 20,
    gatewayEnv: { SM_CONTAINER_IDLE_TIMEOUT_SECS: '3' },
  });
  context.you = person(context.environment);
  context.stranger = await context.environment.vm.foreignContainer(STOCK, '--label=csm.managed=true');
});
test.after(async ({ environment }) => environment?.stop());

/** A small generator (mulberry32), so that a run can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function pick<Item>(items: readonly Item[], next: () => number): Item {
  const item = items[Math.floor(next() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

/** What runs, listens and lies around when no session is there. */
async function remains({ vm }: VmEnvironment) {
  const noise = /^(ps |sh -c ps |sshd: |sleep 86400)/;
  return {
    containers: await vm.containers(),
    processes: (await vm.processes()).filter((line) => !noise.test(line)).sort(),
    ports: (await vm.sh("ss -Hltn | awk '{ print $4 }'")).split('\n').sort(),
    temporary: await vm.sh('find /tmp /var/tmp -mindepth 1'),
  };
}

async function worktrees({ vm }: VmEnvironment): Promise<string[]> {
  const places = 'find "$1" "$2" -mindepth 2 -maxdepth 4 -not -path "*/.git/*" -type d -name "lane*"';
  return (await vm.sh(places, vm.reposPath, vm.worktreesPath)).split('\n').filter((path) => path !== '');
}

test(`RT-36: ${CYCLES} start, stop and crash cycles leave nothing, and foreign containers untouched`, async (world) => {
  const { environment, you, stranger } = world;
  const { vm } = environment;
  const since = () => vm.podman('inspect', '--format', '{{.State.StartedAt}}', stranger);
  let before = await remains(environment);
  await eventually('the gateway has looked around', async () => {
    before = await remains(environment);
    // Each of its commands runs under a wrapper that sets this.
    return before.processes.every((line) => !line.includes('CSM_RUN='));
  });
  const strangerBefore = await since();
  const begun = Date.now();
  let restarting: Promise<unknown> = Promise.resolve();
  const counts = new Map<string, number>();
  let done = 0;

  const crash = async (what: Crash, container: string): Promise<void> => {
    const inContainer = (pattern: string) =>
      vm.sh(
        'for pid in $(podman top "$1" hpid 2>/dev/null | tail -n +2); do tr "\\0" " " 2>/dev/null </proc/$pid/cmdline | grep -Eq -- "$2" && kill -KILL $pid 2>/dev/null; done; true',
        ...[container, pattern],
      );
    switch (what) {
      case 'the worker':
        return void (await inContainer('agent-worker.*--identity'));
      case 'the supervisor and the worker':
        return void (await inContainer('supervise|agent-worker'));
      case 'the agent':
        return void (await inContainer('/claude '));
      case 'the container, stopped':
        return void (await vm.podman('stop', '--time=0', container).catch(() => ''));
      case 'the container, removed':
        return void (await vm.podman('rm', '--force', '--time=0', container).catch(() => ''));
      case 'sshd':
        return vm.restartSshd();
      case 'the gateway':
        restarting = restarting.then(async () => {
          environment.gateway().kill('SIGKILL');
          await environment.gateway().ended;
          await environment.restartGateway();
        });
        return void (await restarting);
      case 'nothing':
      case 'stopped before it was ready':
        return;
    }
  };

  const account = async (what: string, thread: Thread, repo: string): Promise<string> =>
    [what, await said(you, thread), await story(environment.databaseUrl, repo)].join('\n\n');

  const settled = (thread: Thread): Promise<string | undefined> =>
    until(LONG_MS, async () => {
      const text = await said(you, thread);
      return /Ready on|`retry`|@claude retry/.test(text) ? text : undefined;
    });

  const cycle = async (repo: string, lane: number, number: number, next: () => number): Promise<void> => {
    const what = pick(CRASHES, next);
    counts.set(what, (counts.get(what) ?? 0) + 1);
    const thread = await you.askForSession(`@claude start ${repo} --worktree=lane${lane}x${number}`);
    // From its first word on, the thread is known to be the session's.
    await you.hear(thread.rootId, () => true, LONG_MS);
    if (what !== 'stopped before it was ready') {
      const text = await settled(thread);
      if (!text) throw new Error(await account(`cycle ${number} (${what}) in ${repo} did not come up`, thread, repo));
      const [container = ''] = (
        await vm.podman('ps', '--no-trunc', '--quiet', '--filter', `label=csm.repo=${repo}`)
      ).split('\n');
      if (next() < 0.5) await you.say('slow 100', thread);
      await crash(what, container);
    }
    await you.say(pick(ENDS, next), thread);
    const stopped = await until(LONG_MS, async () =>
      /Session stopped|stopped already/.test(await said(you, thread)) ? true : undefined,
    );
    if (!stopped) throw new Error(await account(`cycle ${number} (${what}) in ${repo} did not stop`, thread, repo));
    if (/kept because/.test(await said(you, thread))) {
      throw new Error(await account(`cycle ${number} (${what}) in ${repo} left its worktree`, thread, repo));
    }
    done += 1;
    if (done % 50 === 0) console.log(`\n${done} cycles, ${Math.round((Date.now() - begun) / 1000)} s`);
  };

  await Promise.all(
    LANES.map(async (repo, lane) => {
      const next = random(SEED + lane);
      for (let number = lane; number < CYCLES; number += LANES.length) {
        if (Date.now() - begun < SECONDS * 1000) await cycle(repo, lane, number, next);
      }
    }),
  );
  console.log(`\nfigure: cycles that broke ${[...counts].map(([what, count]) => `${what}: ${count}`).join(', ')}`);

  await eventually('only what was there before is left', async () => {
    const now = await remains(environment);
    return JSON.stringify(now) === JSON.stringify(before);
  }).catch(async () => {
    console.log(
      await vm.podman('ps', '--all', '--no-trunc', '--format', '{{.ID}} {{.Status}} {{.Command}} {{.Labels}}'),
    );
    assert.equal(await remains(environment), before);
  });
  assert.equal(await worktrees(environment), []);
  assert.is(await since(), strangerBefore);
  const { containers, processes, ports } = await remains(environment);
  console.log(
    `\nfigure: ${done} cycles in ${Math.round((Date.now() - begun) / 1000)} s; afterwards as before: ${containers.length} container (a stranger's), ${processes.length} processes, ${ports.length} ports; 0 worktrees`,
  );
});

test.run();
