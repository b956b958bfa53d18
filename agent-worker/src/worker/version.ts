import { createRequire } from 'node:module';
import { record, text } from '../mapping/json.ts';

/** This package's version. */
export const WORKER_VERSION = text(record(createRequire(import.meta.url)('../../package.json')).version);
