/** Tool calls and subagents, as items of a turn. */
import type { Bodies, EntryOf } from '../transcript.ts';
import { lastSegment, type RunItem, type ThreadModel, type Turn } from './model.ts';
import {
  briefCall,
  isShownTool,
  isSubagentTool,
  mainArgument,
  SUBAGENT_CALLS,
  type SubagentState,
  type ToolCall,
  withRelativePaths,
} from './tools.ts';

/** A subagent's own words and calls are summed up in the line of the call that started it. */
export function isOfSubagent(body: { readonly parentToolUseId?: string }): boolean {
  return (body.parentToolUseId ?? '') !== '';
}

function allCalls(turn: Turn): { readonly run: RunItem; readonly index: number; readonly call: ToolCall }[] {
  return turn.segments.flatMap(({ items }) =>
    items.flatMap((item) => (item.type === 'run' ? item.calls.map((call, index) => ({ run: item, index, call })) : [])),
  );
}

function changeCall(turn: Turn, toolUseId: string, change: (call: ToolCall) => ToolCall): void {
  const found = allCalls(turn).find(({ call }) => call.toolUseId === toolUseId);
  if (found !== undefined) found.run.calls[found.index] = change(found.call);
}

/** @param folder where the agent works */
export function takeToolUse(turn: Turn, { at, body }: EntryOf<'toolUse'>, folder: string): void {
  const { toolUseId, name, inputJson } = body;
  const parent = body.parentToolUseId ?? '';
  const argument = mainArgument(name, inputJson, folder);
  const call: ToolCall = { toolUseId, name, inputJson, argument, at, result: null, subagent: null };
  if (parent !== '') {
    changeCall(turn, parent, (outer) => {
      const known = outer.subagent ?? NEW_SUBAGENT;
      const latest = [...known.latest, briefCall(call)].slice(-SUBAGENT_CALLS);
      return { ...outer, subagent: { ...known, calls: known.calls + 1, latest } };
    });
    return;
  }
  turn.activity = { type: 'working', at };
  if (!isShownTool(name) || allCalls(turn).some((known) => known.call.toolUseId === toolUseId)) return;
  const segment = lastSegment(turn);
  const last = segment.items.at(-1);
  const shown = isSubagentTool(name) ? { ...call, subagent: NEW_SUBAGENT } : call;
  if (last?.type === 'run') last.calls.push(shown);
  else segment.items.push({ type: 'run', calls: [shown] });
}

/** @param folder where the agent works */
export function takeToolResult(turn: Turn, { at, body }: EntryOf<'toolResult'>, folder: string): void {
  if (isOfSubagent(body)) return;
  turn.activity = { type: 'working', at };
  const { isError, fullLength = 0 } = body;
  const summary = withRelativePaths(body.summary, folder);
  const result = { isError, summary, fullLength, isWhole: fullLength <= body.summary.length };
  changeCall(turn, body.toolUseId, (call) => ({ ...call, result }));
}

const NEW_SUBAGENT: SubagentState = {
  agentType: '',
  description: '',
  status: 'SUBAGENT_STATUS_STARTED',
  summary: '',
  background: false,
  calls: 0,
  latest: [],
};

export function takeSubagent(model: ThreadModel, body: Bodies['subagent']): void {
  const { agentType, description, status, summary, background = false } = body;
  for (const turn of model.turns) {
    if (turn.ended !== null) continue;
    changeCall(turn, body.toolUseId, (call) =>
      isSubagentTool(call.name)
        ? {
            ...call,
            subagent: { ...(call.subagent ?? NEW_SUBAGENT), agentType, description, status, summary, background },
          }
        : call,
    );
  }
}
