/** The report for people. */
import type { Spread } from '../statistics.ts';
import {
  type BootReport,
  FAR_MS,
  type RuntimeReport,
  VARIANTS,
  type VariantName,
  type VariantReport,
} from './report.ts';

export function textOf(report: RuntimeReport): string {
  const { machine, postgres, bare, comparisons, memory, boot, profile } = report;
  const settings = Object.entries(postgres.settings).map(([name, value]) => `${name}=${value}`);
  const { oneStatementVersusRoundTrips: versus, commitOfRoundTripsVersusOneStatement: commit } = comparisons;
  const bareMs = bare.p50Ms.median.toFixed(2);
  return [
    `Runtime benchmark, ${profile.name} profile, ${report.at}`,
    `${machine.cpus} x ${machine.cpu}, ${gib(machine.memoryBytes)}, Node ${machine.node}, load before ${machine.loadBefore.toFixed(1)}`,
    `PostgreSQL ${postgres.version}: ${settings.join(', ')}`,
    `How: ${report.how}`,
    report.note,
    '',
    `Unit: a bare UPDATE of one row on one connection: ${spread(bare.perSecond, 0)} per second, median ${bareMs} ms.`,
    `On all connections at once: x ${spread(bare.allConnectionsRatio)}.`,
    '',
    ...table([
      [
        'in flight',
        'commit',
        'batch',
        'server',
        'turns/s : UPDATEs/s',
        'delivered>committed p50',
        'p99',
        'called>committed p50',
        'p99',
        'turns/commit',
        'stmts/commit',
        'stmts/turn',
        'cpu/turn',
        'turns/s here',
      ],
      ...(Object.keys(VARIANTS) as VariantName[]).map((name) => variantRow(report.variants[name])),
    ]),
    '',
    ...table([
      ['compared', 'x'],
      ['one statement : round trips, turns/s, 1 in flight, near', spread(versus.near1)],
      ['one statement : round trips, turns/s, 50 in flight, near', spread(versus.near50)],
      [`one statement : round trips, turns/s, 1 in flight, far (${FAR_MS} ms each way)`, spread(versus.far1)],
      ['one statement : round trips, turns/s, 50 in flight, far', spread(versus.far50)],
      ['round trips : one statement, duration of a commit, near', spread(commit.near)],
      ['round trips : one statement, duration of a commit, far', spread(commit.far)],
      ['group commit : commit per turn, turns/s, 50 in flight', spread(comparisons.groupCommitVersusAlone)],
    ]),
    '',
    `Memory per hot session (${memory.actors} cached): ${kib(memory.hotBytes)} after a turn, ${kib(memory.loadedBytes)} just loaded; ` +
      `stored as ${kib(memory.storedBytes)} of JSON; ${kib(memory.afterStopBytes)} left after stop.`,
    '',
    ...table([
      ['start with', 'actors', 'start : empty', 'start', 'first answer', 'all tasks run', 'heap', 'in memory', 'tasks'],
      bootRow('empty database', boot.empty),
      bootRow('stopped sessions', boot.cold),
      bootRow('live sessions', boot.live),
    ]),
  ].join('\n');
}

function variantRow({ actors, commit, batch, server, ratios, absolute, ...counts }: VariantReport): string[] {
  return [
    String(actors),
    commit,
    String(batch),
    server,
    spread(ratios.turns),
    spread(ratios.p50),
    spread(ratios.p99),
    spread(ratios.wholeP50),
    spread(ratios.wholeP99),
    counts.turnsPerCommit.toFixed(1),
    counts.statementsPerCommit.toFixed(1),
    counts.statementsPerTurn.toFixed(2),
    spread(ratios.cpu),
    absolute.turnsPerSecond.median.toFixed(0),
  ];
}

function bootRow(name: string, boot: BootReport): string[] {
  return [
    name,
    String(boot.actors),
    spread(boot.startRatio),
    `${spread(boot.startMs, 0)} ms`,
    `${spread(boot.answerMs, 0)} ms`,
    `${spread(boot.tasksMs, 0)} ms`,
    `${(boot.heapBytes.median / 1_048_576).toFixed(1)} MiB`,
    String(boot.cachedActors),
    String(boot.runningTasks),
  ];
}

function spread({ median, low, high }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} (${low.toFixed(digits)}-${high.toFixed(digits)})`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;
const gib = (bytes: number) => `${Math.round(bytes / 1024 ** 3)} GiB`;
