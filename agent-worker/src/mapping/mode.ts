// The permission mode as the CLI reports it.
import { PermissionMode } from '../generated/claude_agent/v1/agent.ts';
import type { MapperState, Output } from './state.ts';

/** A mode as the CLI names it. Only plan mode matters outside: everything else is decided by our own policy. */
export function noteMode(state: MapperState, cliMode: string): Output[] {
  if (cliMode === '') return [];
  return confirmMode(state, cliMode === 'plan' ? PermissionMode.PLAN : PermissionMode.DEFAULT);
}

/** Says a mode that holds from now on, once. */
export function confirmMode(state: MapperState, mode: PermissionMode): Output[] {
  if (mode === state.mode) return [];
  state.mode = mode;
  return [{ $case: 'permissionModeChanged', value: { mode } }];
}
