// The durable event log of one session: entries in memory, mirrored line by line into `log.ndjson`.
//
// Every output is written to the file before anyone sees it, so after a killed worker the log goes on under the same
// log_id and position, and nothing that was produced is lost. The lines are not synced one by one: a machine that goes
// down may lose the last of them, so a log written before the last boot is not continued but begun anew.
import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { SessionResponse } from '../generated/claude_agent/v1/agent.ts';
import type { Output } from '../mapping/state.ts';
import { acknowledge, append, type Entries, type Entry, emptyEntries, mergeDeltas, next } from './entries.ts';
import { type Facts, foldFacts, NO_FACTS, withoutApproval } from './facts.ts';

export interface SessionLog {
  readonly logId: string;
  readonly lastSeq: number;
  readonly ackedSeq: number;
  readonly facts: Facts;
  append(output: Output, atMs: number): Entry;
  /** An answered approval request is no longer open; the answer itself is not an output. */
  noteApprovalSettled(requestId: string): void;
  acknowledge(seq: number): void;
  next(afterSeq: number): Entry | undefined;
  /** Begins a new log under a new id: whoever reads it has lost touch with the old one. */
  restart(): void;
  close(): void;
}

export interface LogLimits {
  /** Unacknowledged bytes from which partial text is merged. */
  mergeBytes: number;
  /** Size of the file from which it is rewritten without what was acknowledged. */
  rewriteBytes: number;
}

export const DEFAULT_LOG_LIMITS: LogLimits = { mergeBytes: 2 * 1024 * 1024, rewriteBytes: 1024 * 1024 };

interface Header {
  logId: string;
  bootId: string;
  lastSeq: number;
  ackedSeq: number;
  facts: Facts;
}

type Line =
  | { header: Header }
  | { event: string; parts?: readonly (readonly [number, number])[] }
  | { ack: number }
  | { settled: string };

/** Opens the log in `file`, or begins one. `bootId` tells whether the machine went down since it was written. */
export function openSessionLog(file: string, bootId: string, limits: LogLimits = DEFAULT_LOG_LIMITS): SessionLog {
  const loaded = existsSync(file) ? load(file) : undefined;
  const kept = loaded && loaded.bootId === bootId ? loaded : undefined;
  let logId = kept?.logId ?? randomUUID();
  let entries: Entries = kept?.entries ?? emptyEntries();
  let facts: Facts = loaded?.facts ?? NO_FACTS;
  let fd = -1;
  let fileBytes = 0;
  let linesWritten = 0;
  let sinceMerge = 0;

  const write = (line: Line) => {
    const data = Buffer.from(`${JSON.stringify(line)}\n`);
    writeSync(fd, data);
    fileBytes += data.length;
    linesWritten += 1;
    return data.length;
  };

  const rewrite = () => {
    const temporary = `${file}.new`;
    if (fd >= 0) closeSync(fd);
    fd = openSync(temporary, 'w', 0o600);
    fileBytes = 0;
    linesWritten = 0;
    write({ header: { logId, bootId, lastSeq: entries.lastSeq, ackedSeq: entries.ackedSeq, facts } });
    for (const entry of entries.items) write(eventLine(entry));
    fsyncSync(fd);
    renameSync(temporary, file);
  };

  const rewriteIfMostlyForgotten = () => {
    if (fileBytes < limits.rewriteBytes) return;
    if (entries.items.length * 2 > linesWritten) return;
    rewrite();
  };

  rewrite();

  return {
    get logId() {
      return logId;
    },
    get lastSeq() {
      return entries.lastSeq;
    },
    get ackedSeq() {
      return entries.ackedSeq;
    },
    get facts() {
      return facts;
    },
    append(output, atMs) {
      const entry = append(entries, output, atMs);
      facts = foldFacts(facts, output);
      sinceMerge += write(eventLine(entry));
      if (sinceMerge > limits.mergeBytes) {
        sinceMerge = 0;
        if (mergeDeltas(entries) > 0) rewrite();
      }
      return entry;
    },
    noteApprovalSettled(requestId) {
      facts = withoutApproval(facts, requestId);
      write({ settled: requestId });
    },
    acknowledge(seq) {
      if (seq <= entries.ackedSeq) return;
      acknowledge(entries, seq);
      write({ ack: entries.ackedSeq });
      rewriteIfMostlyForgotten();
    },
    next: (afterSeq) => next(entries, afterSeq),
    restart() {
      logId = randomUUID();
      entries = emptyEntries();
      rewrite();
    },
    close() {
      if (fd >= 0) closeSync(fd);
      fd = -1;
    },
  };
}

/** The entry as it goes over the wire. */
export function toResponse(entry: Entry): SessionResponse {
  return { seq: entry.seq, firstSeq: entry.firstSeq, atMs: entry.atMs, response: entry.output };
}

function eventLine(entry: Entry): Line {
  const event = Buffer.from(SessionResponse.encode(toResponse(entry)).finish()).toString('base64');
  return entry.parts ? { event, parts: entry.parts } : { event };
}

function load(file: string): { logId: string; bootId: string; entries: Entries; facts: Facts } | undefined {
  let header: Header | undefined;
  let entries = emptyEntries();
  let facts = NO_FACTS;
  for (const raw of readFileSync(file, 'utf8').split('\n')) {
    const line = parse(raw);
    if (!line) break;
    if ('header' in line) {
      header = line.header;
      facts = header.facts;
      entries = { items: [], lastSeq: header.lastSeq, ackedSeq: header.ackedSeq };
    } else if ('event' in line) {
      const response = SessionResponse.decode(Buffer.from(line.event, 'base64'));
      if (!response.response) continue;
      if (response.seq > entries.lastSeq) facts = foldFacts(facts, response.response);
      entries.lastSeq = Math.max(entries.lastSeq, response.seq);
      const { seq, firstSeq, atMs, response: output } = response;
      entries.items.push(
        line.parts ? { seq, firstSeq, atMs, output, parts: line.parts } : { seq, firstSeq, atMs, output },
      );
    } else if ('settled' in line) {
      facts = withoutApproval(facts, line.settled);
    } else {
      acknowledge(entries, line.ack);
    }
  }
  return header && { logId: header.logId, bootId: header.bootId, entries, facts };
}

/** A line cut short by a crash ends the file: nothing after it was ever seen by anyone. */
function parse(raw: string): Line | undefined {
  try {
    const line: Line = JSON.parse(raw);
    return line;
  } catch {
    return undefined;
  }
}
