/** Something the person at the keyboard can mend. */
export class DevError extends Error {
  readonly code: string;
  /** What to do next, as a sentence or a command. */
  readonly next: string;

  constructor(code: string, message: string, next: string, cause?: unknown) {
    super(`${message}\n${next}`, cause === undefined ? undefined : { cause });
    this.name = 'DevError';
    this.code = code;
    this.next = next;
  }
}
