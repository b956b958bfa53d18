import pino, { type Logger } from 'pino';

/** JSON lines on stdout. What may hold a secret is cut out by its name, wherever it stands. */
export function createLog(level: string): Logger {
  const names = ['token', 'secret', 'password', 'authorization', 'apiKey', 'text', 'message_text'];
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: names.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[hidden]' },
    serializers: { err: pino.stdSerializers.err },
  });
}
