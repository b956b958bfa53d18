// Reading values whose shape is not ours: the SDK's messages are data from another program and may change under us.

export type JsonRecord = Readonly<Record<string, unknown>>;

const EMPTY: JsonRecord = Object.freeze({});

/** The value as a record; an empty one if it is anything else. */
export function record(value: unknown): JsonRecord {
  return isRecord(value) ? value : EMPTY;
}

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value as a string; empty if it is anything else. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The value as a finite number; 0 if it is anything else. */
export function number(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function strings(value: unknown): string[] {
  return list(value).filter((item): item is string => typeof item === 'string');
}

/** A count as the protocol's unsigned integers want it. */
export function count(value: unknown): number {
  return Math.max(0, Math.round(number(value)));
}
