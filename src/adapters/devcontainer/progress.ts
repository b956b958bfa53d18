/**
 * The CLI's log (`--log-format json`, one object a line on stderr) as short sentences for the thread, and its end as the
 * reason of a failure. Only our own words and names are passed on: the log holds whole command lines.
 */
export interface LogLine {
  readonly type: string;
  readonly text: string;
  /** Of `progress` lines: what runs. */
  readonly name: string;
  readonly status: string;
}

/** Undefined for what is not the CLI's JSON. */
export function parseLogLine(line: string): LogLine | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const { type, text, name, status }: Record<string, unknown> = JSON.parse(line);
    return typeof type === 'string'
      ? { type, text: wordOf(text), name: wordOf(name), status: wordOf(status) }
      : undefined;
  } catch {
    // A line that another program wrote in between.
    return undefined;
  }
}

function wordOf(value: unknown): string {
  // Colours and carriage returns are for terminals.
  return typeof value === 'string' ? value.replace(/\u001b\[[0-9;]*[A-Za-z]/g, '').replaceAll('\r', '') : '';
}

/** What the thread may say at this line; undefined: nothing new. */
export function sentenceOf({ type, text, name, status }: LogLine): string | undefined {
  if (type === 'progress' && status === 'running') {
    const command = /^Running (\w+Command)/.exec(name)?.[1];
    return command === undefined ? undefined : `Running the repository's ${command}.`;
  }
  if (type === 'start') {
    if (/^Run: \S+ pull /.test(text)) return `Fetching the image ${(text.split(' ').at(-1) ?? '').slice(0, 200)}.`;
    if (/^Run: \S+ (buildx )?build /.test(text)) return 'Building the image.';
    if (/^Run: .*\bcompose\b.* build\b/.test(text)) return 'Building the images.';
    if (/^Run: .*\bcompose\b.* up\b/.test(text)) return 'Starting the services.';
    if (/^Starting container/.test(text)) return 'Starting the container.';
    return undefined;
  }
  if (type === 'text' && /^\* Fetching feature/i.test(text)) return 'Fetching Features.';
  if (type !== 'raw') return undefined;
  const step = /^(?:\[\d+\/\d+\] )?STEP (\d+)\/(\d+)/.exec(text) ?? /^#\d+ \[(?:[^\]]* )?(\d+)\/(\d+)\]/.exec(text);
  return step ? `Building the image: step ${step[1]} of ${step[2]}.` : undefined;
}

const KEPT_LINES = 60;

export interface LogReader {
  /** One line of stderr. */
  take(line: string): void;
  /** The last lines that programs printed, oldest first; may hold secrets. */
  lastLines(): readonly string[];
}

/** @param onSentence called when there is something else to say than before */
export function createLogReader(onSentence: (sentence: string) => void): LogReader {
  const lines: string[] = [];
  let last = '';
  const keep = (text: string): void => {
    for (const part of text.split('\n')) {
      if (part.trim() !== '' && !isNoise(part)) lines.push(part.trim().slice(0, 500));
    }
    lines.splice(0, Math.max(0, lines.length - KEPT_LINES));
  };
  return {
    take: (line) => {
      const entry = parseLogLine(line);
      if (entry === undefined) return keep(line);
      const sentence = sentenceOf(entry);
      if (sentence !== undefined && sentence !== last) {
        last = sentence;
        onSentence(sentence);
      }
      if (entry.type === 'raw' || entry.type === 'text') keep(entry.text);
    },
    lastLines: () => [...lines],
  };
}

/** What says nothing about a failure: stack traces, the CLI's own bookkeeping, whole command lines. */
function isNoise(line: string): boolean {
  return /^\s*at .+:\d+|^(Error: )?Command failed: |^\s*Retrying \(Attempt|^Exit code \d+|^Stop: |^\[\]$|^-->|^COMMIT /.test(
    line,
  );
}
