/** The VM over SSH: commands, files and streams on one connection that mends itself. */
export { connectVm, type Vm, type VmOptions, type VmState, type VmTimes } from './client.ts';
export {
  AbortedError,
  AuthError,
  ConnectionLostError,
  ExitError,
  HostKeyError,
  KilledError,
  TimeoutError,
  UnreachableError,
} from './errors.ts';
export type { ExecOptions, ExecResult } from './execOn.ts';
export { type HostKeyMemory, type HostKeyPolicy, type HostPin, parseHostPins } from './hostKey.ts';
export type { KeySource } from './key.ts';
export { openTunnel, type Tunnel } from './tunnel.ts';
export type { Command } from './wrapper.ts';
