// What a worker is started with.
import type { AgentUser } from '../session/agentUser.ts';
import type { SessionConfig } from '../session/types.ts';

export interface WorkerConfig extends SessionConfig {
  /** host:port; port 0 lets the system choose. */
  listen: string;
  stateDir: string;
  /** The workspace this worker was started for, as the gateway named it. */
  identity: string;
  /** Lower-case hex. */
  tokenSha256: string;
  logFile: string | undefined;
  /** PEM; undefined: connections are not encrypted. */
  tls: { certificate: Buffer; key: Buffer } | undefined;
}

export const PROTOCOL_VERSION = 1;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `15m`, `30s`, `500ms`, `2h` as milliseconds. Throws on anything else. */
export function parseDuration(value: string): number {
  const match = /^(\d+)(ms|s|m|h)$/.exec(value);
  const unit = UNITS[match?.[2] ?? ''];
  if (!match || unit === undefined) throw new Error(`not a duration (such as 500ms, 30s, 15m, 2h): ${value}`);
  return Number(match[1]) * unit;
}

/** `1000:1000`, or `1000:1000:44,998` with supplementary groups. Throws on anything else. */
export function parseRunAs(value: string): AgentUser {
  const match = /^(\d+):(\d+)(?::(\d+(?:,\d+)*))?$/.exec(value);
  if (!match) throw new Error(`not UID:GID or UID:GID:GROUPS: ${value}`);
  return { uid: Number(match[1]), gid: Number(match[2]), groups: (match[3]?.split(',') ?? []).map(Number) };
}
