// The worker's log: JSON lines to stderr or a file, and the last of them in memory for ReadLogs. No prompt text at info
// and above, no tokens ever.
import { Writable } from 'node:stream';
import { type Logger, pino } from 'pino';
import { LOG_LINES } from '../unary/readLogs.ts';
import { openLogFile } from './logFile.ts';

const LINE_LIMIT = 4_000;

export function createLogger(logFile: string | undefined): { logger: Logger; recent(): string[] } {
  const lines: string[] = [];
  const toFile = logFile === undefined ? undefined : openLogFile(logFile);
  const tee = new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      const line = String(chunk).trimEnd();
      lines.push(line.slice(0, LINE_LIMIT));
      if (lines.length > LOG_LINES) lines.splice(0, lines.length - LOG_LINES);
      if (!toFile) {
        process.stderr.write(`${line}\n`, () => done());
        return;
      }
      toFile(line);
      done();
    },
  });
  const level = process.env.AGENT_WORKER_LOG_LEVEL ?? 'info';
  return { logger: pino({ level, base: null }, tee), recent: () => [...lines] };
}
