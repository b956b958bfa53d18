import { badBodyParam, badUrlParam } from './errors.ts';
import { isId } from './ids.ts';

export type Fields = Record<string, unknown>;

export function isFields(value: unknown): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** Parses a request body that must be a JSON object. Errors: 400 invalid_body_param, naming `what`. */
export function readFields(body: unknown, what: string): Fields {
  const value = readJson(body, what);
  if (!isFields(value)) throw badBodyParam(what);
  return value;
}

/** Parses a request body that must be a JSON array of strings. Errors: 400 invalid_body_param. */
export function readStrings(body: unknown, what: string): string[] {
  const value = readJson(body, what);
  if (!Array.isArray(value)) throw badBodyParam(what);
  return value.map((item) => {
    if (typeof item !== 'string') throw badBodyParam(what);
    return item;
  });
}

export function readJson(body: unknown, what: string): unknown {
  try {
    return JSON.parse(Buffer.isBuffer(body) ? body.toString('utf8') : '');
  } catch {
    throw badBodyParam(what);
  }
}

/** The text of a field; `fallback` when it is absent. A field of another type is refused, as by the typed server. */
export function text(fields: Fields, name: string, fallback = ''): string {
  const value = fields[name];
  if (value === undefined || value === null) return fallback;
  if (typeof value !== 'string') throw badBodyParam(name);
  return value;
}

export function optionalText(fields: Fields, name: string): string | undefined {
  return fields[name] === undefined || fields[name] === null ? undefined : text(fields, name);
}

/** A list of ids in a body; absent means undefined, so that a patch can tell "leave" from "empty". */
export function optionalIds(fields: Fields, name: string): string[] | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw badBodyParam(name);
  return value.map((item) => {
    if (typeof item !== 'string') throw badBodyParam(name);
    return item;
  });
}

/** An id in a body. The word "me" is no id here: it works in paths only. */
export function idField(fields: Fields, name: string): string {
  const value = fields[name];
  if (!isId(value)) throw badBodyParam(name);
  return value;
}

/** An id in a path. Errors: 400 invalid_url_param. */
export function pathId(value: string | undefined, name: string): string {
  if (!isId(value)) throw badUrlParam(name);
  return value;
}

/** A whole number in the query; `fallback` when absent or not a number, as the server does for pages. */
export function queryNumber(value: string | undefined, fallback: number): number {
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : fallback;
}
