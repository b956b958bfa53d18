/** A tool call as one line: what it does to what, and how it went. */
import { changeSize } from './diff.ts';
import { parseInput } from './input.ts';
import { clip, codeSpan, oneLine, plainWords } from './lines.ts';

export interface ToolResult {
  readonly isError: boolean;
  readonly summary: string;
  /** Of the whole result; the summary may be its beginning only. */
  readonly fullLength: number;
  readonly isWhole: boolean;
}

export interface ToolCall {
  readonly toolUseId: string;
  readonly name: string;
  readonly inputJson: string;
  /** What says most about the call. */
  readonly argument: string;
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
  /** What it did last, oldest first. */
  readonly latest: readonly string[];
}

const ARGUMENT_MAX = 120;
const RESULT_MAX = 80;
/** What a result, or a subagent's progress, may add to a line, at most. */
const RESULT_RESERVE = 130;
const SUBAGENT_RESERVE = 480;
/** Calls of a subagent at work that are shown under its name, and what each of them may take. */
export const SUBAGENT_CALLS = 4;
const SUBAGENT_CALL_RESERVE = 210;

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

/** Arguments that are places in the file system. */
const PATHS = new Set(['file_path', 'notebook_path', 'path']);

/** @param folder where the agent works: what is below it is named from there */
export function mainArgument(name: string, inputJson: string, folder: string): string {
  if (name === 'AskUserQuestion' || name === 'ExitPlanMode') return '';
  const input = parseInput(inputJson);
  const { hosts } = input;
  if (Array.isArray(hosts)) return hosts.filter((host) => typeof host === 'string').join(', ');
  const preferred = MAIN_ARGUMENT[name]?.find((key) => typeof input[key] === 'string');
  const key = preferred ?? Object.keys(input).find((other) => typeof input[other] === 'string');
  const value = key === undefined ? undefined : input[key];
  if (key === undefined || typeof value !== 'string') return '';
  if (PATHS.has(key)) return relativePath(value, folder);
  return name === 'Bash' ? withoutChange(value, folder) : value;
}

/** As it is named from the folder, if it is below it; plans from the agent's home. */
export function relativePath(path: string, folder: string): string {
  if (folder === '' || (path !== folder && !path.startsWith(`${folder}/`))) {
    // Of a plan's file, the home it is in says nothing.
    return path.replace(/^\/.*(?=\/\.claude\/plans\/[^/]+$)/, '~');
  }
  return path.slice(folder.length + 1) || '.';
}

/** A change into the folder that commands run in anyway says nothing. */
function withoutChange(command: string, folder: string): string {
  const start = `cd ${folder} && `;
  return folder !== '' && command.startsWith(start) ? command.slice(start.length) : command;
}

/** What tools print names places below the folder from there, too. */
export function withRelativePaths(text: string, folder: string): string {
  if (folder === '' || !text.includes(folder)) return text;
  return text.replace(new RegExp(`(?<![\\w./-])${folder.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}/`, 'g'), '');
}

/** The part of the line that never changes. */
function callText(call: ToolCall): string {
  const argument = oneLine(call.argument);
  if (isSubagentTool(call.name)) return subagentTitle(call);
  const name = toolName(call.name);
  const size = changeSize(call);
  const what = argument === '' ? `🔧 ${name}` : `🔧 ${name} ${codeSpan(argument, ARGUMENT_MAX)}`;
  return size === '' ? what : `${what} (${size})`;
}

/** Its name first: several may be at work at once. */
function subagentTitle(call: ToolCall): string {
  const what = plainWords(call.argument, ARGUMENT_MAX);
  return `🤖 **${callName(call)}**${what === '' ? '' : `: ${what}`}`;
}

/** Of a subagent its type, of any other call the tool's name. */
export function callName({ name, inputJson, subagent }: ToolCall): string {
  if (!isSubagentTool(name)) return toolName(name);
  const { subagent_type: asked } = parseInput(inputJson);
  return plainWords(subagent?.agentType || (typeof asked === 'string' && asked !== '' ? asked : name), 40);
}

/** One line; more for a subagent: what it does or found stands below it. */
export function toolLine(call: ToolCall, detail: 'short' | 'long'): string {
  const subagent = call.subagent === null ? '' : subagentText(call.subagent, isOver(call), detail);
  return `${callText(call)}${outcomeText(call, detail)}${subagent}`;
}

/** The result of one that was sent into the background says only that it has begun. */
function isOver({ result, subagent }: ToolCall): boolean {
  return result !== null && (subagent?.background !== true || subagent.status === 'SUBAGENT_STATUS_COMPLETED');
}

/** The length a line may reach, known as soon as the call is. */
export function toolLineReserve(call: ToolCall, detail: 'short' | 'long'): number {
  const calls = detail === 'long' ? SUBAGENT_CALLS * SUBAGENT_CALL_RESERVE : 0;
  return [...callText(call)].length + (call.subagent === null ? RESULT_RESERVE : SUBAGENT_RESERVE + calls);
}

function outcomeText(call: ToolCall, detail: 'short' | 'long'): string {
  const { result } = call;
  if (result === null) return '';
  if (result.isError) return ` ❌ ${codeSpan(firstLine(withoutTag(result.summary)), RESULT_MAX)}`;
  if (call.subagent !== null) return isOver(call) ? ' ✅' : '';
  const size = detail === 'long' && result.fullLength > 0 ? ` (${result.fullLength} characters)` : '';
  if (call.name !== 'Bash' && detail === 'short') return ' ✅';
  const line = lastLine(result);
  return line === '' ? ` ✅${size}` : ` ✅ ${codeSpan(line, RESULT_MAX)}${size}`;
}

/** Words for the model about how it called the tool come in a tag. */
function withoutTag(text: string): string {
  return text.replace(/^<tool_use_error>([\s\S]*?)(?:<\/tool_use_error>)?$/, '$1');
}

function firstLine(text: string): string {
  return text.split('\n').find((line) => line.trim() !== '') ?? '(no message)';
}

/** Commands say how it went at their end. If the end is not there, the beginning has to do. */
function lastLine({ summary, isWhole }: ToolResult): string {
  const lines = summary.split('\n').filter((line) => line.trim() !== '');
  return (isWhole ? lines.at(-1) : lines[0]) ?? '';
}

function subagentText(state: SubagentState, ended: boolean, detail: 'short' | 'long'): string {
  const calls = state.calls === 1 ? '1 call' : `${state.calls} calls`;
  const head = ` _(${calls}${state.background ? ', in the background' : ''})_`;
  if (state.status === 'SUBAGENT_STATUS_FAILED') return `${head} ❌ ${plainWords(state.summary, 120)}`;
  if (state.status === 'SUBAGENT_STATUS_STOPPED') return `${head} ⏹️`;
  if (state.status === 'SUBAGENT_STATUS_COMPLETED' || ended) {
    return state.summary === '' ? head : `${head}\n  ↳ ${plainWords(state.summary, 160)}`;
  }
  const shown = state.latest.slice(detail === 'long' ? -SUBAGENT_CALLS : -1);
  return [head, ...shown.map((call) => `  ↳ ${clip(call, 200)}`)].join('\n');
}

/** What a subagent does, for its parent's line. */
export function briefCall({ name, argument }: Pick<ToolCall, 'name' | 'argument'>): string {
  const shown = oneLine(argument);
  return shown === '' ? toolName(name) : `${toolName(name)} ${codeSpan(shown, 60)}`;
}

/** `🔧 Read ×3, Edit ×2 (+14 −3), 🤖 Explore (1 failed)` */
export function foldedLine(calls: readonly ToolCall[]): string {
  const groups = new Map<string, ToolCall[]>();
  for (const call of calls) {
    const name = `${isSubagentTool(call.name) ? '🤖 ' : ''}${callName(call)}`;
    groups.set(name, [...(groups.get(name) ?? []), call]);
  }
  const names = [...groups].map(([name, { length }]) => (length === 1 ? name : `${name} ×${length}`));
  const sizes = [...groups.values()].map((group) => changeSize(...group));
  const shown = names.slice(0, 6).map((name, index) => (sizes[index] ? `${name} (${sizes[index]})` : name));
  const more = names.length > 6 ? `, ${names.length - 6} more` : '';
  const failed = calls.filter((call) => call.result?.isError === true).length;
  return `🔧 ${shown.join(', ')}${more}${failed === 0 ? '' : ` (${failed} failed)`}`;
}

/** Six names of at most 48 characters, escaped, and their counts. */
export const FOLDED_RESERVE = 760;
