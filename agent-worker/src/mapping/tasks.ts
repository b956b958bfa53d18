// Subagents and background commands. Both live as tasks of the CLI; a foreground shell command that runs longer than a
// few seconds becomes one as well, but is nothing but a tool use to people.
import { SubagentStatus } from '../generated/claude_agent/v1/agent.ts';
import { type JsonRecord, record, text } from './json.ts';
import type { MapperState, Output, Task } from './state.ts';
import { closeTools } from './tools.ts';

/** What a background command is called where a subagent has its type. */
export const BACKGROUND_COMMAND = 'background_command';

export function mapTaskStarted(state: MapperState, message: JsonRecord): Output[] {
  const background = message.is_backgrounded === true;
  const isAgent = message.task_type === 'local_agent';
  const task: Task = {
    taskId: text(message.task_id),
    toolUseId: text(message.tool_use_id),
    agentType: isAgent ? text(message.subagent_type) : BACKGROUND_COMMAND,
    description: text(message.description),
    background,
    hidden: !isAgent && !background,
  };
  state.tasks.set(task.taskId, task);
  return task.hidden ? [] : [subagent(task, SubagentStatus.STARTED, '')];
}

export function mapTaskProgress(state: MapperState, message: JsonRecord): Output[] {
  const task = state.tasks.get(text(message.task_id));
  if (!task || task.hidden) return [];
  return [subagent(task, SubagentStatus.PROGRESS, text(message.description))];
}

/** A command put into the background after it began becomes visible then. */
export function mapTaskUpdated(state: MapperState, message: JsonRecord): Output[] {
  const task = state.tasks.get(text(message.task_id));
  if (!task || record(message.patch).is_backgrounded !== true || task.background) return [];
  task.background = true;
  if (!task.hidden) return [];
  task.hidden = false;
  return [subagent(task, SubagentStatus.STARTED, '')];
}

export function mapTaskNotification(state: MapperState, message: JsonRecord): Output[] {
  const task = state.tasks.get(text(message.task_id));
  if (!task) return [];
  state.tasks.delete(task.taskId);
  if (task.background) state.backgroundEnded = true;
  if (task.hidden) return [];
  const outputs = closeTools(state, (parent) => parent === task.toolUseId, 'No result: the subagent ended.');
  outputs.push(subagent(task, endStatus(text(message.status)), text(message.summary)));
  return outputs;
}

/** Ends every task: their process is gone. */
export function endTasks(state: MapperState): Output[] {
  const outputs = [...state.tasks.values()]
    .filter((task) => !task.hidden)
    .map((task) => subagent(task, SubagentStatus.STOPPED, ''));
  state.tasks.clear();
  return outputs;
}

/** Whether work goes on that would die with the agent's process. */
export function hasBackgroundWork(state: MapperState): boolean {
  return [...state.tasks.values()].some((task) => task.background);
}

function endStatus(status: string): SubagentStatus {
  switch (status) {
    case 'completed':
      return SubagentStatus.COMPLETED;
    case 'failed':
      return SubagentStatus.FAILED;
    default:
      return SubagentStatus.STOPPED;
  }
}

function subagent(task: Task, status: SubagentStatus, summary: string): Output {
  return {
    $case: 'subagent',
    value: {
      taskId: task.taskId,
      toolUseId: task.toolUseId,
      agentType: task.agentType,
      description: task.description,
      status,
      summary: summary.slice(0, 4_000),
      background: task.background,
    },
  };
}
