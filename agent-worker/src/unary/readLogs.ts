// The last lines of the worker's own log.
import type { handleUnaryCall } from '@grpc/grpc-js';
import type { ReadLogsRequest, ReadLogsResponse } from '../generated/claude_agent/v1/agent.ts';

const DEFAULT_LINES = 200;
/** Lines that are kept for reading. */
export const LOG_LINES = 2_000;

export function readLogsCall(recent: () => string[]): handleUnaryCall<ReadLogsRequest, ReadLogsResponse> {
  return (call, callback) => {
    const lines = Math.min(call.request.lines || DEFAULT_LINES, LOG_LINES);
    callback(null, { lines: recent().slice(-lines) });
  };
}
