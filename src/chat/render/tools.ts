/** A tool call as one line: what it does to what, and how it went. */
import { fenced } from './fences.ts';
import { clip, codeSpan, oneLine, plainWords } from './lines.ts';

export interface ToolResult {
  readonly isError: boolean;
  readonly summary: string;
  readonly fullLength: number;
}

export interface ToolCall {
  readonly toolUseId: string;
  readonly name: string;
  readonly inputJson: string;
  readonly at: number;
  readonly result: ToolResult | null;
  /** For calls that start a subagent. */
  readonly subagent: SubagentState | null;
}

export interface SubagentState {
  readonly agentType: string;
  readonly description: string;
  readonly status: string;
  readonly summary: string;
  readonly background: boolean;
  readonly calls: number;
  /** What it does at the moment. */
  readonly latest: string;
}

const ARGUMENT_MAX = 120;
const RESULT_MAX = 80;
/** What a result, or a subagent's progress, may add to a line, at most. */
const RESULT_RESERVE = 130;
const SUBAGENT_RESERVE = 480;

/** Which argument says most, in order of preference, for tools we know; others show their first text. */
const MAIN_ARGUMENT: Readonly<Record<string, readonly string[]>> = {
  Agent: ['description', 'prompt'],
  Bash: ['command'],
  BashOutput: ['bash_id'],
  Edit: ['file_path'],
  Glob: ['pattern'],
  Grep: ['pattern'],
  KillShell: ['shell_id'],
  MultiEdit: ['file_path'],
  NotebookEdit: ['notebook_path'],
  Read: ['file_path'],
  Skill: ['skill', 'command'],
  Task: ['description', 'prompt'],
  WebFetch: ['url'],
  WebSearch: ['query'],
  Write: ['file_path'],
};

/** Calls that are shown in a way of their own: as the list of things to do, or as nothing at all. */
const UNSHOWN = new Set(['TodoWrite', 'TaskCreate', 'TaskUpdate', 'TaskList', 'TaskGet', 'ToolSearch']);

export function isShownTool(name: string): boolean {
  return !UNSHOWN.has(name);
}

export function isSubagentTool(name: string): boolean {
  return name === 'Agent' || name === 'Task';
}

/** `Bash`, or for tools of an MCP server `server: tool`. */
export function toolName(name: string): string {
  const [, server, tool] = /^mcp__(.+?)__(.+)$/.exec(name) ?? [];
  if (server === 'session_manager' && tool === 'request_network_access') return 'Network access';
  if (server === 'session_manager' && tool === 'send_file') return 'Send file';
  if (name === 'AskUserQuestion') return 'Question';
  if (name === 'ExitPlanMode') return 'Plan';
  const shown = server === undefined || tool === undefined ? name : `${server}: ${tool}`;
  return plainWords(shown, 48);
}

export function parseInput(inputJson: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(inputJson);
  } catch {
    // A call whose arguments cannot be read is shown by its name alone.
    return {};
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function mainArgument(call: ToolCall): string {
  if (call.name === 'AskUserQuestion' || call.name === 'ExitPlanMode') return '';
  const input = parseInput(call.inputJson);
  const { hosts } = input;
  if (Array.isArray(hosts)) return hosts.filter((host) => typeof host === 'string').join(', ');
  const preferred = MAIN_ARGUMENT[call.name]?.find((key) => typeof input[key] === 'string');
  const value =
    preferred === undefined ? Object.values(input).find((item) => typeof item === 'string') : input[preferred];
  return typeof value === 'string' ? value : '';
}

/** The part of the line that never changes. */
function callText(call: ToolCall): string {
  const name = toolName(call.name);
  const argument = oneLine(mainArgument(call));
  if (isSubagentTool(call.name)) return `🤖 ${name} ${plainWords(argument, ARGUMENT_MAX)}`.trimEnd();
  return argument === '' ? `🔧 ${name}` : `🔧 ${name} ${codeSpan(argument, ARGUMENT_MAX)}`;
}

/** One line, or two for a subagent at work. */
export function toolLine(call: ToolCall, detail: 'short' | 'long'): string {
  const subagent = call.subagent === null ? '' : subagentText(call.subagent, call.result !== null);
  return `${callText(call)}${outcomeText(call, detail)}${subagent}`;
}

/** The length a line may reach, known as soon as the call is. */
export function toolLineReserve(call: ToolCall): number {
  return [...callText(call)].length + (call.subagent === null ? RESULT_RESERVE : SUBAGENT_RESERVE);
}

function outcomeText(call: ToolCall, detail: 'short' | 'long'): string {
  const { result } = call;
  if (result === null) return '';
  if (result.isError) return ` ❌ ${codeSpan(firstLine(result.summary), RESULT_MAX)}`;
  if (call.subagent !== null) return ' ✅';
  const size = detail === 'long' && result.fullLength > 0 ? ` (${result.fullLength} characters)` : '';
  if (call.name !== 'Bash' && detail === 'short') return ' ✅';
  const line = lastLine(result);
  return line === '' ? ` ✅${size}` : ` ✅ ${codeSpan(line, RESULT_MAX)}${size}`;
}

function firstLine(text: string): string {
  return text.split('\n').find((line) => line.trim() !== '') ?? '(no message)';
}

/** Commands say how it went at their end. If the end is not there, the beginning has to do. */
function lastLine({ summary, fullLength }: ToolResult): string {
  const lines = summary.split('\n').filter((line) => line.trim() !== '');
  const isWhole = fullLength <= [...summary].length;
  return (isWhole ? lines.at(-1) : lines[0]) ?? '';
}

function subagentText(state: SubagentState, isOver: boolean): string {
  const calls = state.calls === 1 ? '1 call' : `${state.calls} calls`;
  const type = state.agentType === '' ? '' : `${plainWords(state.agentType, 32)}, `;
  const head = ` _(${type}${calls}${state.background ? ', in the background' : ''})_`;
  if (state.status === 'SUBAGENT_STATUS_FAILED') return `${head} ❌ ${plainWords(state.summary, 120)}`;
  if (state.status === 'SUBAGENT_STATUS_STOPPED') return `${head} ⏹️`;
  if (state.status === 'SUBAGENT_STATUS_COMPLETED' || isOver) {
    return state.summary === '' ? head : `${head}\n  ↳ ${plainWords(state.summary, 160)}`;
  }
  return state.latest === '' ? head : `${head}\n  ↳ ${clip(state.latest, 200)}`;
}

/** What a subagent does, for its parent's line. */
export function briefCall(call: ToolCall): string {
  const argument = oneLine(mainArgument(call));
  return argument === '' ? toolName(call.name) : `${toolName(call.name)} ${codeSpan(argument, 60)}`;
}

/** `🔧 Read ×3, Bash (1 failed)` */
export function foldedLine(calls: readonly ToolCall[]): string {
  const counts = new Map<string, number>();
  for (const call of calls) counts.set(toolName(call.name), (counts.get(toolName(call.name)) ?? 0) + 1);
  const names = [...counts].map(([name, count]) => (count === 1 ? name : `${name} ×${count}`));
  const shown = names.slice(0, 6).join(', ') + (names.length > 6 ? `, ${names.length - 6} more` : '');
  const failed = calls.filter((call) => call.result?.isError === true).length;
  return `🔧 ${shown}${failed === 0 ? '' : ` (${failed} failed)`}`;
}

/** Six names of at most 48 characters, escaped, and their counts. */
export const FOLDED_RESERVE = 640;

const DIFF_LINES = 8;
const DIFF_LINE_MAX = 100;
export const DIFF_RESERVE = 2 * DIFF_LINES * (DIFF_LINE_MAX + 3) + 100;

/** A short preview of a change to a file, or nothing. */
export function diffPreview(call: ToolCall): string {
  const input = parseInput(call.inputJson);
  if (call.name === 'Write') return diffBlock([], linesOf(input.content));
  if (call.name === 'Edit') return diffBlock(linesOf(input.old_string), linesOf(input.new_string));
  if (call.name === 'MultiEdit' && Array.isArray(input.edits)) {
    const [first]: unknown[] = input.edits;
    if (typeof first !== 'object' || first === null) return '';
    const edit: Readonly<Record<string, unknown>> = { ...first };
    return diffBlock(linesOf(edit.old_string), linesOf(edit.new_string));
  }
  return '';
}

function linesOf(value: unknown): string[] {
  return typeof value === 'string' && value !== '' ? value.replace(/\n$/, '').split('\n') : [];
}

/** Lines that both sides begin or end with are no change. */
function diffBlock(before: readonly string[], after: readonly string[]): string {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end))
    end += 1;
  const removed = before.slice(start, before.length - end);
  const added = after.slice(start, after.length - end);
  if (removed.length === 0 && added.length === 0) return '';
  return fenced([...side('-', removed), ...side('+', added)].join('\n'), 'diff');
}

function side(sign: string, lines: readonly string[]): string[] {
  const shown = lines
    .slice(0, DIFF_LINES)
    .map((line) => `${sign}${clip(line.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, ' '), DIFF_LINE_MAX)}`);
  return lines.length > DIFF_LINES ? [...shown, `${sign} … ${lines.length - DIFF_LINES} more lines`] : shown;
}
