import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { LATE, withDeadline } from './health.ts';

export interface Reading {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Read when somebody asks for the metrics. */
export type Reader = () => readonly Reading[] | Promise<readonly Reading[]>;

/** Figures that are looked up rather than counted. Labels in the comment. */
export interface Readers {
  readonly activeSessions?: Reader;
  /** `kind`, `state` */
  readonly actors?: Reader;
  /** `state` */
  readonly containers?: Reader;
  /** Actors whose stored state this program cannot read; they are left alone. Known of those it had to do with. */
  readonly unreadableActors?: Reader;
  /** `queue` */
  readonly queueDepth?: Reader;
  /** Age of the oldest effect that is due and not done, in seconds. */
  readonly outboxAge?: Reader;
  /** `reason` */
  readonly deadLetters?: Reader;
  /** `state`: `busy`, or `waiting` for a connection */
  readonly databasePool?: Reader;
  /** `link`; 1 while it is up */
  readonly linkUp?: Reader;
  /** 1 while this process leads: over all replicas the sum should be 1. */
  readonly leading?: Reader;
}

export type Metrics = ReturnType<typeof createMetrics>;

const SHORT = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const LONG = [0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600];
const STAGES = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 15, 30, 60, 120];
const READER_DEADLINE_MS = 2_000;

/** A registry of its own with every figure of the program, all named `csm_...`. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'csm_' });

  const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter({ name: `csm_${name}`, help, labelNames, registers });
  const histogram = <Label extends string>(name: string, help: string, buckets: number[], labelNames: Label[] = []) =>
    new Histogram({ name: `csm_${name}`, help, buckets, labelNames, registers });

  const errors = counter('errors_total', 'Failures, by adapter and kind of error', ['adapter', 'kind']);

  function gauge(name: string, help: string, labelNames: string[], read: Reader | undefined): void {
    if (!read) return;
    new Gauge({
      name: `csm_${name}`,
      help,
      labelNames,
      registers,
      async collect() {
        const readings = await lookUp(read);
        // A figure that cannot be had is left out, so that it is not mistaken for zero; the others are told all the same.
        if (labelNames.length > 0) this.reset();
        else this.remove();
        if (readings) for (const { labels = {}, value } of readings) this.set(labels, value);
        else errors.inc({ adapter: 'metrics', kind: name });
      },
    });
  }

  return {
    registry,
    errors,
    sessionsStarted: counter('sessions_started_total', 'Sessions started'),
    tokensInput: counter('tokens_input_total', 'Input tokens, cached ones included'),
    tokensOutput: counter('tokens_output_total', 'Output tokens'),
    networkRequests: counter('network_requests_total', 'Requests for network access'),
    networkRequestsDeduplicated: counter(
      'network_requests_deduplicated_total',
      'Requests for network access that joined one already pending',
    ),
    approvals: counter('approvals_total', 'Decisions of approvals, by action', ['action']),
    reconnects: counter('reconnects_total', 'Connections made again, by link', ['link']),
    sessionStartDuration: histogram('session_start_duration_seconds', 'From the command to a ready session', LONG),
    networkRequestDuration: histogram('network_request_duration_seconds', 'From the request to its decision', LONG),
    callbackDuration: histogram('callback_duration_seconds', 'Time to answer a click', SHORT),
    stageDuration: histogram<'stage'>(
      'stage_duration_seconds',
      'From the acceptance of a post to each stage of its answer',
      STAGES,
      ['stage'],
    ),
    /** To be called once. */
    read(readers: Readers): void {
      gauge('active_sessions', 'Sessions that are not stopped', [], readers.activeSessions);
      gauge('actors', 'Actors, by kind and state', ['kind', 'state'], readers.actors);
      gauge('containers', 'Containers, by state', ['state'], readers.containers);
      gauge('unreadable_actors', 'Actors whose stored state cannot be read', [], readers.unreadableActors);
      gauge('queue_depth', 'Entries waiting, by queue', ['queue'], readers.queueDepth);
      gauge('outbox_age_seconds', 'Age of the oldest effect that is due', [], readers.outboxAge);
      gauge('dead_letters', 'Dead letters, by reason', ['reason'], readers.deadLetters);
      gauge('database_pool_connections', 'Connections of the database pool, by state', ['state'], readers.databasePool);
      gauge('link_up', '1 while a link is up', ['link'], readers.linkUp);
      gauge('leading', '1 while this process leads', [], readers.leading);
    },
  };
}

async function lookUp(read: Reader): Promise<readonly Reading[] | undefined> {
  try {
    const readings = await withDeadline(Promise.resolve(read()), READER_DEADLINE_MS);
    return readings === LATE ? undefined : readings;
  } catch {
    return undefined;
  }
}
